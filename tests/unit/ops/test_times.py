"""Times that a person types at the command line: a year far away is refused in words, and never a defect."""

from collections.abc import Iterator
from datetime import UTC, datetime

import click
import pytest

from ops.cli import payflowx
from ops.options import UtcTime, milliseconds
from tests.unit.ops.test_commands import FakeFunction, runner_of


def times() -> Iterator[tuple[tuple[str, ...], click.Parameter]]:
    """The words of each command with a time, and the option."""
    for name, command in payflowx.commands.items():
        inner = getattr(command, "commands", None) or {"": command}
        for leaf, found in inner.items():
            for option in found.params:
                if isinstance(option.type, click.DateTime):
                    yield ((name, leaf) if leaf else (name,)), option


CASES = [pytest.param(words, option, id=" ".join((*words, option.opts[0]))) for words, option in times()]


@pytest.mark.parametrize("year", ["0001", "1999", "2200", "9999"])
@pytest.mark.parametrize(("words", "option"), CASES)
def test_a_year_far_away_is_refused(words: tuple[str, ...], option: click.Parameter, year: str) -> None:
    assert isinstance(option.type, UtcTime)
    text = datetime(2026, 12, 31, tzinfo=UTC).strftime(option.type.formats[0]).replace("2026", year)
    function = FakeFunction()
    result = runner_of(function)(*words, option.opts[0], text)
    assert result.exit_code == 2, result.output
    assert f"the year must be 2000 to 2199, not {int(year)}" in result.output
    assert function.asked == []


def test_there_are_such_options() -> None:
    assert len(CASES) >= 6


def test_a_day_ends_where_the_next_one_begins() -> None:
    function = FakeFunction(list_payments={"items": [], "nextPosition": None})
    result = runner_of(function)("payments", "list", "--from", "2199-12-31", "--to", "2199-12-31")
    assert result.exit_code == 0, result.output
    (asked,) = (payload for payload in function.asked if payload["command"] == "list_payments")
    assert asked["fromMs"] == milliseconds(datetime(2199, 12, 31, tzinfo=UTC))
    assert asked["untilMs"] - asked["fromMs"] == 24 * 3_600_000
