"""Webhook tokens: the last part of the URL to which a provider posts.

A token identifies the account; only a signature authenticates a webhook.
"""

import hashlib
import re
from typing import Final

TOKEN_CHARS: Final = 32
TOKEN_PATTERN: Final = re.compile(rf"[A-Za-z0-9]{{{TOKEN_CHARS}}}")


def hash_webhook_token(token: str) -> str:
    """Return the hash under which an account is indexed."""
    return hashlib.sha256(token.encode()).hexdigest()


def webhook_path(provider: str, token: str) -> str:
    """Return the URL path below the API's own address."""
    return f"/webhooks/{provider}/{token}"
