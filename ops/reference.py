"""docs/commands.md, written from the commands themselves: `make commands`."""

from collections.abc import Iterator
from typing import Final

import click

from ops.cli import payflowx
from ops.errors import EXIT_MEANINGS

_HEAD: Final = """# The operator's commands

Written by `make commands` from the commands themselves; a test compares.

`make setup` installs `payflowx` (`.venv/bin/payflowx`). It talks to the local environment, or with `--env NAME` to a
deployed one: through the outputs of the stack `{Name}-Service` and your own AWS credentials. You need the rights
`cloudformation:DescribeStacks` and `lambda:InvokeFunction` on the operators' function, and nothing else. `doctor` also
reads alarms, if you may (`cloudwatch:DescribeAlarms`).

Every change goes through the operators' function, which calls the same use cases as the API and the workers: no
command can do what they forbid. The audit log of the payment (`payments events`) or of the operators (`audit list`)
keeps `--reason` and your name for ever. A reason that looks like personal data or credentials is refused.

Answers go to standard output, everything else to standard error. With `--json` the answer is one JSON document.
`--env`, `--region` and `--json` may stand before or after the command.

| variable | stands for |
| --- | --- |
| `PAYFLOWX_ENV` | `--env`, where it is not typed |
| `PAYFLOWX_MERCHANT` | `--merchant`, where it is not typed |
| `AWS_PROFILE`, `AWS_REGION` | as everywhere |
"""
_SHARED: Final = frozenset({"--env", "--region", "--json", "--help"})


def reference() -> str:
    """The page."""
    lines = [_HEAD, "| exit code | meaning |", "| --- | --- |"]
    lines += [f"| {int(code)} | {meaning} |" for code, meaning in EXIT_MEANINGS.items()]
    context = click.Context(payflowx, info_name="payflowx")
    for name in payflowx.list_commands(context):
        lines += _section(payflowx.commands[name], click.Context(payflowx.commands[name], context, info_name=name))
    return "\n".join(lines) + "\n"


def _section(command: click.Command, context: click.Context) -> Iterator[str]:
    yield from ("", f"## {context.info_name}", "", *_help(command))
    if not isinstance(command, click.Group):
        yield from _usage(command, context)
        return
    for name in command.commands:
        inner = command.commands[name]
        inner_context = click.Context(inner, context, info_name=name)
        yield from ("", f"### {context.info_name} {name}", "", *_help(inner))
        yield from _usage(inner, inner_context)


def _help(command: click.Command) -> Iterator[str]:
    paragraphs = (command.help or "").strip().split("\n\n")
    for place, paragraph in enumerate(paragraphs):
        if place:
            yield ""
        yield " ".join(line.strip() for line in paragraph.splitlines())


def _usage(command: click.Command, context: click.Context) -> Iterator[str]:
    pieces = [piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]"]
    options = [param for param in command.params if isinstance(param, click.Option) and not _SHARED & set(param.opts)]
    needed = [_typed(option) for option in options if option.required]
    free = ["[OPTIONS]"] if len(needed) < len(options) else []
    yield from ("", "```sh", " ".join([context.command_path, *pieces, *needed, *free]), "```")
    if options:
        yield from ("", "| option | |", "| --- | --- |")
        yield from (f"| `{_typed(option)}` | {_described(option)} |" for option in options)


def _typed(option: click.Option) -> str:
    if option.is_flag:
        return option.opts[0]
    return f"{option.opts[0]} {_value(option)}".replace("|", "\\|")


def _value(option: click.Option) -> str:
    match option.type:
        case _ if option.metavar:
            return option.metavar
        case click.Choice(choices=choices):
            return "|".join(choices)
        case click.IntRange():
            return "N"
        case click.DateTime(formats=formats):
            return formats[0].replace("%Y", "YYYY").replace("%m", "MM").replace("%d", "DD")
        case click.Path():
            return "FILE"
        case _:
            return option.type.name.upper()


def _described(option: click.Option) -> str:
    words = (option.help or "").strip()
    notes = [f"Default: {option.default}."] if option.show_default and option.default is not None else []
    notes += ["Needed."] if option.required else []
    notes += ["May be repeated."] if option.multiple and "repeated" not in words else []
    return " ".join([words, *notes]).strip()


if __name__ == "__main__":
    click.echo(reference(), nl=False)
