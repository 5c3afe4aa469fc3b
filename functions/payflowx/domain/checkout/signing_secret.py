"""Port of the secret that signs checkout addresses."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretVersion:
    """The version that signs now. The one before it is still valid."""

    version_id: str
    created_at_ms: int


class SigningSecret(Protocol):
    """Keeps the current version and the one before it.

    Raises `StorageUnavailableError` when the vault does not answer.
    """

    def current(self) -> SecretVersion: ...

    def replace(self, current: SecretVersion, text: str) -> bool:
        """Make a text the current version. False if `current` was replaced already."""
        ...
