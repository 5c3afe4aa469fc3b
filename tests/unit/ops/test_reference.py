"""docs/commands.md says what the commands say."""

from pathlib import Path

from ops.cli import payflowx
from ops.reference import reference

PAGE = Path(__file__).resolve().parents[3] / "docs" / "commands.md"


def test_the_page_is_what_the_commands_say() -> None:
    assert PAGE.read_text() == reference(), "run `make commands`"


def test_every_command_is_on_the_page() -> None:
    text = reference()
    for name, command in payflowx.commands.items():
        assert f"## {name}\n" in text
        for inner in getattr(command, "commands", {}):
            assert f"### {name} {inner}\n" in text
