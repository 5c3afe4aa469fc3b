"""PayU's hashes: SHA-512 over fields joined by "|", with the salt at one end. Every byte counts.

A "|" inside a field would shift the following fields and keep the hash valid, so such a post is refused.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

_UDF: Final = ("udf1", "udf2", "udf3", "udf4", "udf5")
_FORM_FIELDS: Final = ("key", "txnid", "amount", "productinfo", "firstname", "email", *_UDF)
_RESPONSE_FIELDS: Final = ("status", *_FORM_FIELDS)
_RESERVED: Final = ("",) * 5
"""udf6 to udf10: not used by us, and empty in the classic formula."""
_EXTRA: Final = ("additionalCharges", "additional_charges")
"""A convenience fee on top of the amount: if present, it is the first field of the hash."""
_SPLIT: Final = "splitInfo"
"""The split of a payment between merchants: if present, it follows the status, as in PayU's Node SDK."""


def form_hash(fields: Mapping[str, str], salt: str) -> str:
    """For the payment page: key|txnid|amount|productinfo|firstname|email|udf1..udf5||||||salt."""
    return _sha512(*(fields.get(name, "") for name in _FORM_FIELDS), *_RESERVED, salt)


def command_hash(key: str, command: str, var1: str, salt: str) -> str:
    """For a command. It covers nothing beyond `var1`: only TLS protects the amount of a refund."""
    return _sha512(key, command, var1, salt)


def reverse_hash(fields: Mapping[str, str], salt: str) -> str:
    """For posts from PayU: the fields of the form in reverse order, after salt and status."""
    backwards = (fields.get(name, "") for name in reversed(_FORM_FIELDS))
    extra = [fields[name] for name in _EXTRA if fields.get(name)][:1]
    split = [fields[_SPLIT]] if fields.get(_SPLIT) else []
    return _sha512(*extra, salt, fields.get("status", ""), *split, *_RESERVED, *backwards)


def is_signed(fields: Mapping[str, str], salts: Sequence[str]) -> bool:
    """Whether any of the salts signed the post. All are compared, so that the time taken reveals nothing."""
    if any("|" in fields.get(name, "") for name in (*_RESPONSE_FIELDS, *_EXTRA, _SPLIT)):
        return False
    given = fields.get("hash", "").encode()
    found = False
    for salt in filter(None, salts):
        found |= hmac.compare_digest(reverse_hash(fields, salt).encode(), given)
    return found


def _sha512(*fields: str) -> str:
    return hashlib.sha512("|".join(fields).encode()).hexdigest()
