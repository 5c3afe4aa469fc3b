"""The last part of the address that a provider posts to.

It names the account; only a signature proves anything.
"""

import hashlib
import re
from typing import Final

TOKEN_CHARS: Final = 32
TOKEN_PATTERN: Final = re.compile(rf"[A-Za-z0-9]{{{TOKEN_CHARS}}}")


def hash_webhook_token(token: str) -> str:
    """What accounts are looked up by."""
    return hashlib.sha256(token.encode()).hexdigest()


def webhook_path(provider: str, token: str) -> str:
    """The address below the API's own."""
    return f"/webhooks/{provider}/{token}"
