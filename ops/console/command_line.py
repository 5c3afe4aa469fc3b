"""The command line that a screen is the face of, as a person would type it."""

import shlex
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class CommandLine:
    """`words` follow `payflowx`. Placeholders are capitals, as in the commands' help."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, *words: str, **options: object) -> Self:
        """`held_back="x"` becomes `--held-back x`. None and False are left out, True is a flag."""
        parts = list(words)
        for name, value in options.items():
            if value is None or value is False:
                continue
            parts.append(f"--{name.replace('_', '-')}")
            parts += [] if value is True else [str(value)]
        return cls(tuple(parts))

    def __str__(self) -> str:
        return shlex.join(["payflowx", *map(_printable, self.words)])


def _printable(word: str) -> str:
    """A control character must not reach a terminal by way of a copied line."""
    return "".join(char if char.isprintable() else "?" for char in word)
