"""The values of a request that a provider may repeat in a message, and that are stored with the payment only. Pure."""

import re
from typing import Final

from payflowx.domain.payments.payment import Customer

_SEPARATORS: Final = re.compile(r"[\s/:]+")
_MIN_CHARS: Final = 2


def private_values(payer: Customer | None, token: str | None, receipt_email: str | None) -> tuple[str, ...]:
    """Return the payer's data and the token with its parts, the longest first.

    A provider may repeat the first name alone, or the second half of a token that names its customer too.
    """
    payer = payer or Customer()
    address = payer.address
    lines = (address.line1, address.line2, address.city, address.postal_code) if address else ()
    whole = [payer.id, payer.name, payer.email, payer.phone, *lines, token, receipt_email]
    parts = [part for value in (payer.name, token) if value for part in _SEPARATORS.split(value)]
    found = {value for value in (*whole, *parts) if value and len(value) >= _MIN_CHARS}
    return tuple(sorted(found, key=lambda value: (-len(value), value)))
