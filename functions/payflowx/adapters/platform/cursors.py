"""List positions, signed: a client can continue a list, not make one up."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from payflowx.domain.shared.errors import Refusal

_MAC_BYTES: Final = 16
_MAX_CHARS: Final = 400


@dataclass(frozen=True, slots=True)
class Cursors:
    """`scope` binds a cursor to its merchant and filters: it opens no other list."""

    key: Callable[[], str]

    def sign(self, position: str, scope: str) -> str:
        """The cursor for a position."""
        text = position.encode()
        return base64.urlsafe_b64encode(self._mac(text, scope) + text).decode().rstrip("=")

    def open(self, cursor: str, scope: str) -> str:
        """The position; raises `Refusal` (`cursor_invalid`) for anything that was not signed for this list."""
        try:
            padded = cursor[:_MAX_CHARS] + "=" * (-len(cursor[:_MAX_CHARS]) % 4)
            data = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            data = b""
        mac, text = data[:_MAC_BYTES], data[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(text, scope)):
            raise Refusal(
                "cursor_invalid",
                "The cursor is not one that this list returned. Use nextCursor unchanged, with the same filters.",
                field="cursor",
            )
        return text.decode()

    def _mac(self, text: bytes, scope: str) -> bytes:
        message = len(text).to_bytes(4, "big") + text + scope.encode()
        return hmac.digest(self.key().encode(), message, hashlib.sha256)[:_MAC_BYTES]
