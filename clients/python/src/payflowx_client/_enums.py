"""Enumerations that stay readable when the API gains a value."""

from enum import StrEnum
from typing import Self


class OpenEnum(StrEnum):
    """A value that this release does not know is kept as it came; `is_known` is False for it.

    A program that refuses it could not read a payment any more after the service was upgraded.
    """

    @property
    def is_known(self) -> bool:
        """Whether this release knows the value."""
        return self.name in type(self).__members__

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Raises `TypeError` for what is no text."""
        if not isinstance(value, str):
            raise TypeError(f"text expected, {type(value).__name__} found")
        return cls(value)
