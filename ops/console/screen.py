"""The parts of a screen."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ops.console.command_line import CommandLine
from ops.errors import Exit, OperatorError
from ops.session import Session
from ops.target import LOCAL

_EMPTY: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An answer that is shown. `commands` are the command lines that do the same."""

    template: str
    title: str
    values: Mapping[str, Any] = field(default_factory=dict)
    commands: tuple[CommandLine, ...] = ()
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """An answer that is saved as a file, sent as it is made. An error in between ends the download as failed."""

    name: str
    content_type: str
    content: Iterator[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """An answer that sends the browser to another address of the console."""

    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An action that was carried out: where the browser goes, and what is said there.

    `shown` is for answers that exist once, such as personal data. It stays in memory for a few minutes.
    """

    location: str
    message: str
    shown: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenRequest:
    """One request, as a screen sees it. `form` is empty for a view."""

    session: Session
    may_write: bool
    at: str
    """The address without its query."""
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict, repr=False)
    fault: OperatorError | None = None
    """Why the action was not carried out, when its page is shown again."""
    done: Done | None = None
    """The action that led here."""

    def command(self, *words: str, **options: object) -> CommandLine:
        """A command line of this environment. An option that is None is left out; True is a flag."""
        environment = {} if self.session.environment == LOCAL else {"env": self.session.environment}
        region = {"region": self.session.region} if self.session.region else {}
        return CommandLine.of(*words, **options, **environment, **region)

    def change(self, command: str, **fields: Any) -> dict[str, Any]:
        """A change by the operator, with the reason of the form."""
        return self.session.change(command, self.form["reason"], **fields)

    def merchant(self) -> str:
        """The merchant that the address names, else the one that this environment means."""
        return self.path.get("merchant") or self.query.get("merchant") or self.session.merchant(None)

    def refuse_if_changed(self, now: object) -> None:
        """Compare what is true now with what the form was made from. The form's field `seen` has its fingerprint.

        Raises `OperatorError` when they differ.
        """
        if self.form.get("seen") != fingerprint(now):
            raise OperatorError(
                "This has changed since the page was made, so nothing was done.",
                Exit.REFUSED,
                hint="The page shows it as it is now. Decide again.",
            )


Answer = Page | Download | Elsewhere


@dataclass(frozen=True, slots=True)
class View:
    """A page. It changes nothing."""

    path: str
    show: Callable[[ScreenRequest], Answer]


@dataclass(frozen=True, slots=True)
class Action:
    """A form's answer. `shown_by` shows the form again when it was refused.

    `is_access`: it changes nothing of the deployment, and is allowed without `--write`; its reason is still recorded.
    """

    path: str
    run: Callable[[ScreenRequest], Done]
    shown_by: Callable[[ScreenRequest], Answer]
    is_access: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One entry of the menu. `key` follows `g` on the keyboard."""

    name: str
    title: str
    path: str
    key: str
    summary: str
    views: tuple[View, ...]
    actions: tuple[Action, ...] = ()
    questions: tuple[View, ...] = ()
    """Views whose question is too long for an address: a form is posted, and nothing changes."""


def fingerprint(value: object) -> str:
    """Of what a page shows, for `refuse_if_changed`."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
