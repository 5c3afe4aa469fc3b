"""Idempotency keys that a restarted process finds again.

A tuple names the caller's purpose: `("order", 4711, "refund", 1)`. Its key is derived, so that it needs no storage, or
taken from a store, which keeps the first key before the first byte leaves. A text is sent as it is.
"""

import contextlib
import hashlib
import os
import re
import secrets
import sqlite3
from pathlib import Path
from typing import Final, Protocol

Purpose = tuple[str | int, ...]
Key = str | Purpose

_VALID: Final = re.compile(r"[!-~]{1,255}")
_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_MAX_PARTS: Final = 16
_MAX_PART_BYTES: Final = 1024


class KeyStore(Protocol):
    """Keeps one key for each purpose, for ever."""

    def key_for(self, purpose: str, proposed: str) -> str:
        """Return the stored key, or store the proposed one durably and return it.

        Of two callers at once, both receive the key of the first.
        """
        ...


def derived(purpose: Purpose) -> str:
    """The same purpose has the same key, in every process and release; another purpose has another.

    The key has letters only: a part that looks like a card number would be refused by the API.

    Raises `TypeError` for parts that are neither text nor integers, `ValueError` for an empty or too long purpose.
    """
    return "key-" + hashlib.sha256(canonical(purpose).encode()).hexdigest().translate(_LETTERS)


def canonical(purpose: Purpose) -> str:
    """A spelling that no other purpose has: each part with its type and length."""
    if not 1 <= len(purpose) <= _MAX_PARTS:
        raise ValueError(f"a purpose has 1 to {_MAX_PARTS} parts")
    return "".join(_part(each) for each in purpose)


def _part(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"a part of a purpose is text or an integer, not {type(value).__name__}")
    spelled = str(value)
    size = len(spelled.encode())
    if not 1 <= size <= _MAX_PART_BYTES:
        raise ValueError(f"a part of a purpose has 1 to {_MAX_PART_BYTES} bytes")
    return f"{'i' if isinstance(value, int) else 's'}{size}:{spelled}"


def resolved(key: Key, store: KeyStore | None, operation: str) -> str:
    """The key to send. The operation is part of what is stored: the API counts keys for each kind of operation."""
    if isinstance(key, str):
        if not _VALID.fullmatch(key):
            raise ValueError("an idempotency key has 1 to 255 printable ASCII characters and no space")
        return key
    if not isinstance(key, tuple):
        raise TypeError(f"a key is text or a tuple such as ('order', 4711), not {type(key).__name__}")
    if store is None:
        return derived(key)
    return store.key_for(canonical((operation, *key)), "key-" + secrets.token_hex(24).translate(_LETTERS))


class FileKeyStore:
    """One small file for each purpose in a directory that all processes of the caller share.

    The file is complete and on the disk before its key is used. Not for network file systems without hard links.
    """

    def __init__(self, directory: str | Path) -> None:
        self._directory = Path(directory)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def key_for(self, purpose: str, proposed: str) -> str:
        """As `KeyStore`."""
        path = self._directory / (hashlib.sha256(purpose.encode()).hexdigest() + ".key")
        with contextlib.suppress(FileNotFoundError):
            return self._found(path)
        draft = self._directory / f".{path.name}.{os.getpid()}.{secrets.token_hex(8)}"
        try:
            with draft.open("x") as file:
                file.write(proposed)
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)  # fails if another process was first
        finally:
            draft.unlink(missing_ok=True)
        return self._found(path)

    def _found(self, path: Path) -> str:
        """Syncs the directory first: the writer of the file may have died before it did."""
        found = path.read_text()
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return found


class SqliteKeyStore:
    """A table in a SQLite file; several processes of one machine may share it."""

    def __init__(self, path: str | Path, *, timeout_seconds: float = 10.0) -> None:
        self._path, self._timeout_seconds = str(path), timeout_seconds
        with self._connected() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS payflowx_keys (purpose TEXT PRIMARY KEY, key TEXT NOT NULL)")

    def key_for(self, purpose: str, proposed: str) -> str:
        """As `KeyStore`."""
        with self._connected() as connection:
            connection.execute("INSERT OR IGNORE INTO payflowx_keys VALUES (?, ?)", (purpose, proposed))
            connection.commit()
            row = connection.execute("SELECT key FROM payflowx_keys WHERE purpose = ?", (purpose,)).fetchone()
        return str(row[0])

    def _connected(self) -> contextlib.closing[sqlite3.Connection]:
        connection = sqlite3.connect(self._path, timeout=self._timeout_seconds)
        connection.execute("PRAGMA synchronous = FULL")
        return contextlib.closing(connection)
