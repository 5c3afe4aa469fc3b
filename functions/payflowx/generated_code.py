"""The methods of dataclasses, compiled when the asset was built.

`dataclasses` writes the source of each class's methods and compiles it, at every cold start anew: a module's bytecode
does not hold it. An asset therefore carries a table of these texts with their bytecode, which
`infra/constructs/shared/record_generated_code.py` makes, and `dataclasses` looks into it first.

A text that is not in the table is compiled as ever. Without the table, as on a developer's machine, nothing changes.
"""

import dataclasses
import hashlib
import marshal
import os
from collections.abc import Mapping
from typing import Any, Final

TABLE: Final = "generated_code.marshal"
"""Beside this module: a mapping from a text's `key` to its marshalled code object of the deployed Python."""


def key(text: str) -> bytes:
    """Long enough that two texts never share one: the texts themselves would double the table."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def use() -> None:
    """Have `dataclasses` look into the table, if this package has one."""
    try:
        with open(os.path.join(os.path.dirname(__file__), TABLE), "rb") as file:  # noqa: PTH118, PTH120 - a start does without pathlib
            table: Mapping[bytes, bytes] = marshal.load(file)  # noqa: S302 - our own asset
    except OSError:
        return
    vars(dataclasses)["exec"] = _looking_into(table)


def _looking_into(table: Mapping[bytes, bytes]) -> Any:
    """The built-in `exec`, as far as `dataclasses` uses it."""

    def run(text: str, *namespaces: Any) -> None:
        code = table.get(key(text))
        exec(text if code is None else marshal.loads(code), *namespaces)  # noqa: S102, S302 - as `dataclasses` does

    return run
