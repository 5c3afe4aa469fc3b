"""The record of a run as an outsider sees it: requests and answers, writes, messages, money, operators, faults."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from testing.dynamodb.tables import Key
from testing.dynamodb.values import Item


@dataclass(slots=True)
class Call:
    """A client's request and its answer; `status` 0 when no answer came. `answered_ms` 0 likewise.

    `replayed`: whether the answer says that an earlier request with the key was the first one; None if nobody looked.
    `api_key` is what it bore. `admitted_ms` is when the authorizer's answer let it in, for the merchant `acted_for`;
    0 if it did not.
    """

    at_ms: int
    merchant: str
    method: str
    path: str
    key: str | None
    body: str | None
    status: int = 0
    answer: dict[str, Any] = field(default_factory=dict)
    answered_ms: int = 0
    query: Mapping[str, str] = field(default_factory=dict)
    replayed: bool | None = None
    api_key: str = ""
    admitted_ms: int = 0
    acted_for: str = ""


@dataclass(frozen=True, slots=True)
class PageCall:
    """A payer's request at our pages and its answer; `status` 0 when no answer came.

    `act`: `show`, `choose`, `close` or `return`. `owner` is the payment's merchant and key. `process` answered it.
    """

    at_ms: int
    owner: tuple[str, str]
    act: str
    token: str
    status: int
    location: str
    process: int


@dataclass(frozen=True, slots=True)
class Door:
    """A provider's object at the moment when our item said that it opened or ended, and its other objects then.

    `key` is our key of the object. `state` is what the payer sees on its page: `open`, `processing`, `paid` or
    `closed`; `tries` counts those that failed, `amount` is the amount on its page. `others` are the earlier objects of
    the payment, each with its key, state and failed tries.
    """

    at_ms: int
    partition: str
    key: str
    provider: str
    opened: bool
    state: str
    tries: int
    amount: str
    others: tuple[tuple[str, str, str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Write:
    """A change of an item, and the process that made it."""

    at_ms: int
    table: str
    key: Key
    before: Item | None
    after: Item | None
    process: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that a provider got.

    `merchant` owns the account at whose address it arrived; `credentials` is the merchant whose valid key pair it bore,
    None for a key pair that this provider does not accept. `provider_key` is ours: named in the request, else the key
    of the charge that the request is about. `stored`: that key lay in the database when the request arrived; None
    without a key. `function` and `process` made the request. `digest` is a checksum of the body. `is_creation`: it
    creates an object on whose page a payer pays. `release`: whose bytes it has, the tested
    release's (empty) or the newer one's; None for a read.
    """

    at_ms: int
    connector: str
    method: str
    path: str
    provider_key: str | None
    stored: bool | None
    process: int
    merchant: str = ""
    credentials: str | None = ""
    function: str = ""
    digest: int = 0
    is_creation: bool = False
    release: str | None = ""


class Source(StrEnum):
    """The cause of an entry in a provider's books."""

    REQUEST = "request"
    DASHBOARD = "dashboard"
    PAYER = "payer"


@dataclass(frozen=True, slots=True)
class Entry:
    """A charge, capture, void or refund as a provider booked it, at the moment when it began.

    `kind` is `charge`, `capture`, `void` or `refund`. `operation_id` is the provider's id and empty for a charge.
    `provider_key` is the key that the request named, None for one made in the dashboard. The ledger of the result
    says what became of it (`operationId`, `chargeId`).
    """

    at_ms: int
    provider: str
    merchant: str
    kind: str
    charge_id: str
    operation_id: str
    amount: int
    currency: str
    provider_key: str | None
    source: Source
    process: int
    pending_until_ms: int = 0
    """Of a capture, void or refund that its provider takes on now and makes, or refuses, later."""


@dataclass(frozen=True, slots=True)
class PostedWebhook:
    """A provider's webhook as it was posted, once for each delivery.

    `merchant` owns the account that the event is about, `address` the address that got it, `signed_by` the key that
    signed it. Only where the last two are the same is it authentic, and only where all three are is it also true: the
    body may claim a success where there was none. `status` is the answer's, 0 without an answer. `number` counts the
    tries of one delivery from 1.
    """

    at_ms: int
    provider: str
    merchant: str
    address: str
    signed_by: str
    event_id: str
    type: str
    number: int
    status: int
    body: bytes
    pair: int = 0
    """The number of the account's key pair that signed it, from 0."""


@dataclass(frozen=True, slots=True)
class DisputeTurn:
    """A provider's report of a dispute at one moment.

    `at_ms` is the time that it named, `state` what its word means, and `event_id` the id of the webhook that told of
    it. `number` counts the turns of a dispute from 1.
    """

    at_ms: int
    provider: str
    merchant: str
    charge_id: str
    dispute: str
    number: int
    state: str
    amount: int
    currency: str
    due_ms: int | None
    reason: str
    event_id: str


@dataclass(frozen=True, slots=True)
class Warned:
    """An hourly warning of deadlines: how many the function counted, None when it died, and what its log named."""

    at_ms: int
    answered_ms: int
    near: int | None
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Delivered:
    """A post to a merchant's endpoint, and the answer that the endpoint gave; `status` 0 for none."""

    at_ms: int
    merchant: str
    url: str
    body: dict[str, Any]
    headers: dict[str, str]
    status: int
    process: int


@dataclass(slots=True)
class Commanded:
    """An operator's command and its answer, None when the function died.

    `is_right`: for a verdict or a reference, whether it agreed with the provider's books; None where nothing can be
    wrong. `books` is the evidence as the operator read it. `by`: the person who proved who they are.
    """

    at_ms: int
    function: str
    command: dict[str, Any]
    answer: dict[str, Any] | None = None
    answered_ms: int = 0
    is_right: bool | None = None
    books: Any = None
    by: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the command was answered and not refused, and not only proposed."""
        return bool(self.answer and self.answer.get("ok")) and not self.is_proposed

    @property
    def is_proposed(self) -> bool:
        """Whether it waits for a second person."""
        return "proposal" in (self.answer or {}) and self.command["command"] != "withdraw_proposal"


@dataclass(frozen=True, slots=True)
class ReportChange:
    """A line of a provider's list that was not as in its books: `omitted`, `repeated` or `other amount`."""

    at_ms: int
    provider: str
    merchant: str
    change: str
    line: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that happened; `process` 0 outside of all functions. `until_ms` for one that lasts."""

    at_ms: int
    kind: str
    process: int
    until_ms: int = 0
    about: str = ""
    """The provider, account or item that it concerns, where it concerns one."""


@dataclass(frozen=True, slots=True)
class Started:
    """An invocation: its function, when it began, and whether its instance ran the newer version of the code."""

    at_ms: int
    function: str
    is_newer: bool


@dataclass(frozen=True, slots=True)
class Lettered:
    """A message that a process sent to a queue (`is_sent`), or a dead letter of the queue that it removed."""

    at_ms: int
    process: int
    consumer: str
    body: str
    is_sent: bool


@dataclass(slots=True)
class History:
    """Everything of one run. `steps` tells the story; its hash tells whether two runs were the same."""

    calls: list[Call] = field(default_factory=list)
    page_calls: list[PageCall] = field(default_factory=list)
    doors: list[Door] = field(default_factory=list)
    writes: list[Write] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    webhooks: list[PostedWebhook] = field(default_factory=list)
    dispute_turns: list[DisputeTurn] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)
    deliveries: list[Delivered] = field(default_factory=list)
    commands: list[Commanded] = field(default_factory=list)
    report_changes: list[ReportChange] = field(default_factory=list)
    strikes: list[Strike] = field(default_factory=list)
    invocations: dict[int, Started] = field(default_factory=dict)
    """By the number of the process, as writes and requests name it."""
    messages: list[str] = field(default_factory=list)
    letters: list[Lettered] = field(default_factory=list)
    """What operators' functions sent to queues, and what they removed from the dead letters, in order."""
    lines: list[str] = field(default_factory=list)
    steps: list[tuple[int, str, str, str]] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    sometimes: Counter[str] = field(default_factory=Counter)
    counted: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Metrics that count, each with the status that is its dimension; the status is empty without one."""
    conflicted: dict[tuple[str, object], None] = field(default_factory=dict)
    """Hashes of events, and the tasks that could not write them because of another transaction."""

    def measure(self, name: str, unit: str, value: int, dimensions: Mapping[str, str]) -> None:
        """A value of a metric: no business of the checker. `payflowx demo-data` keeps them for charts."""

    def forget(self) -> None:
        """Free what was recorded, but for what is only counted."""
        recorded: tuple[list[Any] | dict[int, Started], ...] = (
            self.calls,
            self.page_calls,
            self.doors,
            self.writes,
            self.sent,
            self.entries,
            self.webhooks,
            self.dispute_turns,
            self.warnings,
            self.deliveries,
            self.commands,
            self.report_changes,
            self.strikes,
            self.invocations,
            self.messages,
            self.letters,
            self.lines,
            self.steps,
            self.defects,
        )
        for several in recorded:
            several.clear()

    def hash(self) -> str:
        """The same for the same seed, on any machine."""
        return hashlib.sha256(repr(self.steps).encode()).hexdigest()[:16]
