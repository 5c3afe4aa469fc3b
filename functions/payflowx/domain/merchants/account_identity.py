"""The identity of an account at its provider: an account belongs to one merchant.

Two merchants on one account would see each other's charges in every report and webhook. The identity is known as far
as the credentials tell: equal key ids, or one secret for both, mean the same account. Different key ids of one account
(Stripe's and Razorpay's keys are such) cannot be told from two accounts.
"""

import hashlib
from urllib.parse import urlsplit

from payflowx.domain.providers.ports import Account


def identity_of_key(account: Account, key_id: str) -> str:
    """Return the identity that a key id gives; test and live hosts have accounts of their own."""
    return _digest(account.provider, "key", urlsplit(account.endpoint).netloc, key_id)


def identity_of_secret(account: Account) -> str:
    """Return the identity that the place of the credentials gives."""
    return _digest(account.provider, "secret", account.secret_arn)


def _digest(*parts: str) -> str:
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()
