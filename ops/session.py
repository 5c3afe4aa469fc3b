"""One run of the command line: what it talks to, who runs it, and how it answers."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import click

from ops.errors import Exit, OperatorError
from ops.identity import prove
from ops.invoker import Function, Invoker, LambdaInvoker, function_of, unwrapped
from ops.output import key_values, table
from ops.target import LOCAL, Target, find_target


@dataclass(kw_only=True)
class Session:
    """Made before the options are known, filled while they are read. Tests replace the two finders."""

    environment: str = LOCAL
    region: str | None = None
    as_json: bool = False
    named_merchant: str | None = None
    find_target: Callable[[str, str | None], Target] = find_target
    find_invoker: Callable[[Target, Function], Invoker] = field(
        default=lambda target, function: LambdaInvoker(target=target, function=function)
    )

    @cached_property
    def target(self) -> Target:
        """Looked for when it is first needed, so that `--help` needs nothing."""
        return self.find_target(self.environment, self.region)

    # -- asking

    def ask(self, command: str, **fields: Any) -> dict[str, Any]:
        """A question. Fields that are None are left out."""
        given = {name: value for name, value in fields.items() if value is not None}
        function = function_of(command)
        return unwrapped(self.find_invoker(self.target, function)({"command": command, **given}), function)

    def change(self, command: str, reason: str, **fields: Any) -> dict[str, Any]:
        """A change, with who decides it and why, and a proof of the former where there are credentials for one."""
        function = function_of(command)
        given = {"command": command, "operator": self.target.who(), "reason": reason, **fields}
        asked = {name: value for name, value in given.items() if value is not None}
        proof = self._proof(asked) if function is Function.OPERATIONS else None
        if proof is not None:
            asked = {**asked, "proof": proof}
        return unwrapped(self.find_invoker(self.target, function)(asked), function)

    def _proof(self, command: Mapping[str, Any]) -> dict[str, str] | None:
        name = self.target.outputs.get(Function.OPERATIONS.output, "").partition(":")[0]
        return prove(self.target, name, command) if name else None

    def pages(
        self, command: str, cursor: str, next_cursor: str, *, start: str | None = None, **fields: Any
    ) -> Iterator[dict[str, Any]]:
        """All items of a list, or those after `start`, page by page."""
        position = start
        while True:
            page = self.ask(command, **fields, **{cursor: position})
            yield from page["items"]
            for name in page.get("unreadable", ()):
                click.echo(f"{name} is not shown: a newer release wrote it, and this one cannot read it.", err=True)
            position = page.get(next_cursor)
            if position is None:
                return

    def merchants(self, named: str | None) -> list[str]:
        """The merchant that is named, else all."""
        if named is not None:
            self.named_merchant = named
            return [named]
        return [found["merchantId"] for found in self.pages("list_merchants", "after", "nextAfter")]

    def merchant(self, named: str | None) -> str:
        """The merchant that is meant: an id of a payment alone does not tell."""
        self.named_merchant = named
        found = named or self.target.merchant
        if found is None:
            raise OperatorError(
                "Whose payment is it? Ids are kept apart by merchant.",
                Exit.USAGE,
                hint="Say --merchant ID, or set PAYFLOWX_MERCHANT. `payflowx merchants list` shows them.",
            )
        return found

    # -- answering

    def show(self, answer: Any, text: str) -> None:
        """JSON for scripts, or the text for people."""
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False) if self.as_json else text)

    def show_table(self, items: Sequence[Mapping[str, Any]], columns: Mapping[str, str], *, nothing: str) -> None:
        """`columns` maps headings to fields. An empty list of a merchant that does not exist is refused."""
        if not items and self.named_merchant is not None:
            self.ask("show_merchant", merchantId=self.named_merchant)
        self.show(list(items), table(items, columns) if items else nothing)

    def show_fields(self, answer: Mapping[str, Any], rows: Mapping[str, Any]) -> None:
        """`rows` maps labels to what is shown; None is left out."""
        self.show(dict(answer), key_values(rows))

    def say(self, text: str) -> None:
        """Beside the answer: on standard error."""
        click.echo(text, err=True)


pass_session = click.make_pass_decorator(Session, ensure=True)
