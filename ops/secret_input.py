"""Secrets come from a prompt, a file or standard input. Never from the command line, which others can read."""

import json
import stat
import sys
from pathlib import Path
from typing import Any, Final

import click

_FIELDS: Final = frozenset({"keyId", "keySecret", "webhookSecret"})
_NEEDED: Final = frozenset({"keyId", "keySecret"})
_MAX_BYTES: Final = 64 * 1024
STANDARD_INPUT: Final = "-"


def read_secret(source: str | None) -> dict[str, str]:
    """`source`: a file, `-`, or None for the prompt."""
    if source is None:
        return _prompted()
    text = sys.stdin.read(_MAX_BYTES) if source == STANDARD_INPUT else _file(Path(source))
    return _parsed(text)


def _prompted() -> dict[str, str]:
    if not sys.stdin.isatty():
        raise click.UsageError("There is no terminal to type the secrets at: say --secret-file FILE, or - for stdin.")
    key_id = click.prompt("Key id", err=True)
    key_secret = click.prompt("Key secret (not shown)", hide_input=True, err=True)
    webhook_secret = click.prompt(
        "Webhook secret (not shown; empty if the provider has none of its own)",
        hide_input=True,
        default="",
        show_default=False,
        err=True,
    )
    return {"keyId": key_id, "keySecret": key_secret, **({"webhookSecret": webhook_secret} if webhook_secret else {})}


def _file(path: Path) -> str:
    try:
        if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            click.secho(f"payflowx: others can read {path}; chmod 600 it.", fg="yellow", err=True)
        return path.read_text()[:_MAX_BYTES]
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{path} cannot be read: {type(error).__name__}.") from None


def _parsed(text: str) -> dict[str, str]:
    """Says what is wrong, and nothing of what was there."""
    try:
        fields: Any = json.loads(text)
    except ValueError:
        fields = None
    if not isinstance(fields, dict) or not fields.keys() >= _NEEDED or not fields.keys() <= _FIELDS:
        raise click.UsageError('The secrets must be JSON: {"keyId": ..., "keySecret": ..., "webhookSecret": ...?}.')
    if not all(isinstance(value, str) and value for value in fields.values()):
        raise click.UsageError("keyId, keySecret and webhookSecret must be texts, and not empty.")
    return dict(fields)
