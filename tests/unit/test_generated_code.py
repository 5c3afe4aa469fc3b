"""`dataclasses` takes a class's methods from the table, and compiles what the table lacks."""

import dataclasses
import marshal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from payflowx import generated_code


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The place of the table; `dataclasses` is afterwards as it was."""
    monkeypatch.setattr(generated_code, "__file__", str(tmp_path / "generated_code.py"))
    before = vars(dataclasses).get("exec", exec)
    yield tmp_path / generated_code.TABLE
    vars(dataclasses)["exec"] = before


def made() -> object:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Point:
        x: int
        y: int = 2

    return Point(x=1)


def recorded() -> set[str]:
    texts: set[str] = set()

    def record(text: str, *namespaces: object) -> None:
        texts.add(text)
        exec(text, *namespaces)  # type: ignore[arg-type]

    vars(dataclasses)["exec"] = record
    made()
    return texts


def test_the_classes_are_the_same(table: Path) -> None:
    codes = {generated_code.key(text): compile(text, "<table>", "exec", dont_inherit=True) for text in recorded()}
    table.write_bytes(marshal.dumps({key: marshal.dumps(code) for key, code in codes.items()}))
    generated_code.use()
    point = made()
    assert repr(point).endswith("Point(x=1, y=2)")
    assert type(point).__init__.__code__.co_filename == "<table>"
    assert dataclasses.replace(point, y=3) != point  # type: ignore[type-var]
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.x = 5  # type: ignore[attr-defined]


def test_a_text_that_is_not_in_the_table_is_compiled(table: Path) -> None:
    table.write_bytes(marshal.dumps({}))
    generated_code.use()
    assert repr(made()).endswith("Point(x=1, y=2)")


def test_without_a_table_nothing_changes(table: Path) -> None:
    before = vars(dataclasses).get("exec")
    assert not table.exists()
    generated_code.use()
    assert vars(dataclasses).get("exec") is before
