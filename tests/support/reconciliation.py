"""Reconciliation over memory: the ports, the use cases, and hands in the simulators' books."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from payflowx.application.reconciliation.match_entries import MatchEntries
from payflowx.application.reconciliation.reconcile import Reconcile
from payflowx.application.reconciliation.resolve_discrepancy import ResolveDiscrepancy
from payflowx.application.reconciliation.start_reconciliations import Asked, StartReconciliations
from payflowx.domain.inbound_webhooks.ports import ReferenceOwner
from payflowx.domain.merchants.directory import AuditEntry
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Customer, Payment, PaymentMethod
from payflowx.domain.reconciliation.ports import AccountOwner
from payflowx.domain.reconciliation.reports import EntryKind, ReportAnswer, ReportEntry, ReportResult
from payflowx.domain.reconciliation.run import Discrepancy, Phase, Run, Source
from payflowx.domain.shared.ambient import Deadline
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import OperationStatus
from sandbox.simulator import CHARGE, CHARGED, Simulator
from sandbox.store import Record
from tests.support.memory import FixedRules, MemoryOperations, MemoryPayments
from tests.support.providers import ProviderWorld
from tests.support.world import MERCHANT, fallback

DECISION = OperatorAction(who="local:ada", why="TICKET-1")

REAL_PROVIDERS = ("stripe", "razorpay", "cashfree", "payu")
PAYER = Customer(id="cust_A1b2C3d4E5f6G7", name="Payer Example", email="payer@example.com", phone="+919876543210")


class FunctionDiedError(Exception):
    """The function died."""


@dataclass
class MemoryRuns:
    """Implements `Runs`. `dies_at`: the writes that are not survived, counted from 1."""

    runs: dict[str, Run] = field(default_factory=dict)
    found: dict[str, dict[str, Discrepancy]] = field(default_factory=dict)
    saves: int = 0
    dies_at: set[int] = field(default_factory=set)
    looked_up: int = 0

    def start(self, run: Run) -> Run:
        return self.runs.setdefault(run.run_id, run)

    def get(self, run_id: str) -> Run | None:
        return self.runs.get(run_id)

    def all_of(self, run_ids: Sequence[str]) -> Mapping[str, Run]:
        return {run_id: self.runs[run_id] for run_id in run_ids if run_id in self.runs}

    def save(self, before: Run, after: Run) -> bool:
        self.saves += 1
        if self.saves in self.dies_at:
            raise FunctionDiedError
        if self.runs[before.run_id].version != before.version:
            return False
        self.runs[after.run_id] = after
        return True

    def report(self, run_id: str, findings: Sequence[Discrepancy]) -> None:
        for discrepancy in findings:
            self.found.setdefault(run_id, {})[discrepancy.name] = discrepancy

    def known(self, run_id: str, names: Sequence[str]) -> Mapping[str, Discrepancy]:
        self.looked_up += 1
        found = self.found.get(run_id, {})
        return {name: found[name] for name in names if name in found}

    def discrepancies(self, run_id: str, *, limit: int, after: str | None) -> tuple[Sequence[Discrepancy], str | None]:
        names = sorted(name for name in self.found.get(run_id, {}) if after is None or name > after)
        page = [self.found[run_id][name] for name in names[:limit]]
        return page, page[-1].name if len(names) > limit else None


@dataclass
class MemoryLookups:
    """Implements `Lookups` over the memory of payments."""

    payments_: MemoryPayments
    operations_: MemoryOperations
    lines: dict[tuple[str, str, str, str], str] = field(default_factory=dict)

    def owners(
        self, merchant_id: str, provider: str, account_id: str, references: Sequence[str]
    ) -> Mapping[str, ReferenceOwner]:
        found = {name: self.payments_.find(merchant_id, provider, account_id, name) for name in references}
        return {name: owner for name, owner in found.items() if owner}

    def payments(self, merchant_id: str, transaction_ids: Sequence[str]) -> Mapping[str, Payment]:
        found = {name: self.payments_.get(merchant_id, name) for name in transaction_ids}
        return {name: payment for name, payment in found.items() if payment}

    def located(self, merchant_id: str, operation_ids: Sequence[str]) -> Mapping[str, str]:
        found = {name: self.operations_.locate(merchant_id, name) for name in operation_ids}
        return {name: payment for name, payment in found.items() if payment}

    def operations(self, merchant_id: str, of: Sequence[tuple[str, str]]) -> Mapping[str, Operation]:
        found = {name: self.operations_.get(merchant_id, payment, name) for payment, name in of}
        return {name: operation for name, operation in found.items() if operation}

    def listed(
        self, merchant_id: str, source: Source, provider: str, account_id: str, references: Sequence[str]
    ) -> Mapping[str, str]:
        keys = {name: (source.value, provider, account_id, name) for name in references}
        return {name: self.lines[key] for name, key in keys.items() if key in self.lines}

    def note_listed(
        self,
        merchant_id: str,
        source: Source,
        provider: str,
        account_id: str,
        lines: Mapping[str, str],
        *,
        expires_at_ms: int,
    ) -> None:
        for name, line in lines.items():
            self.lines[source.value, provider, account_id, name] = line


@dataclass
class MemoryRunQueue:
    """Implements `RunQueue`."""

    sent: list[str] = field(default_factory=list)

    def send(self, run_id: str, *, delay_seconds: int = 0) -> None:
        self.sent.append(run_id)


@dataclass
class MemoryAuditLog:
    """Implements `AuditLog`."""

    kept: list[AuditEntry] = field(default_factory=list)

    def record(self, record: AuditEntry) -> None:
        self.kept.append(record)

    def records(self, month: str, *, limit: int) -> Sequence[AuditEntry]:
        return self.kept[:-limit:-1]


@dataclass
class ScriptedFile:
    """Implements `SettlementFiles`: pages of two entries."""

    entries: list[Any] = field(default_factory=list)

    def page(self, provider: str, file: str, cursor: str | None) -> ReportResult:
        start = int(cursor or 0)
        page = [replace(e, line=str(start + n + 1)) for n, e in enumerate(self.entries[start : start + 2])]
        more = start + 2 < len(self.entries)
        return ReportAnswer(entries=page, next_cursor=str(start + 2) if more else None)


@dataclass
class Directory:
    """Implements `AccountDirectory`."""

    owners: list[AccountOwner]

    def accounts(self) -> Iterator[AccountOwner]:
        yield from self.owners


@dataclass
class OnePage:
    """Implements `Deadline`: enough, not enough, enough, ..."""

    asked: int = 0

    def remaining_ms(self) -> int:
        self.asked += 1
        return 60_000 if self.asked % 2 else 0


@dataclass
class ReconciliationWorld(ProviderWorld):
    """All providers' simulators, our book over memory, and reconciliation."""

    provider: str = "stripe"
    runs: MemoryRuns = field(default_factory=MemoryRuns)
    run_queue: MemoryRunQueue = field(default_factory=MemoryRunQueue)
    audit_log: MemoryAuditLog = field(default_factory=MemoryAuditLog)
    file: ScriptedFile = field(default_factory=ScriptedFile)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._operations = MemoryOperations(self.payments)
        self.lookups = MemoryLookups(self.payments, self._operations)
        self.use(FixedRules(fallback(self.provider)))
        self.began_ms = self.clock.now_ms()

    @property
    def simulator(self) -> Simulator:
        return self.http.simulators[self.provider]

    # -- use cases

    @property
    def start(self) -> StartReconciliations:
        owners = [
            AccountOwner(merchant_id=MERCHANT, provider=account.provider, account_id=account.account_id)
            for account in self.merchants.merchants[MERCHANT].accounts
        ]
        return StartReconciliations(
            directory=Directory(owners),
            runs=self.runs,
            queue=self.run_queue,
            providers=self.providers,
            audit_log=self.audit_log,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    @property
    def reconcile(self) -> Reconcile:
        action = ResolveDiscrepancy(
            payments=self.payments,
            operations=self.operations,
            merchants=self.merchants,
            providers=self.providers,
            outcome_writer=self.outcome_writer,
            record_provider_refunds=self.record_provider_refunds,
            clock=self.clock,
            policy=self.policy,
        )
        return Reconcile(
            runs=self.runs,
            queue=self.run_queue,
            lookups=self.lookups,
            compare=MatchEntries(lookups=self.lookups, clock=self.clock),
            action=action,
            providers=self.providers,
            files=self.file,
            merchants=self.merchants,
            payments=self.payments,
            clock=self.clock,
            telemetry=self.telemetry,
        )

    # -- driving

    def pay(self, key: str, token: str = "tok_success", *, work: bool = True, **changes: Any) -> Payment:
        able = self.providers.get(self.provider).capabilities
        currency = next(code for code in ("INR", "USD") if able.currencies is None or code in able.currencies)
        method = PaymentMethod(type=min(able.payment_method_types), token=token)
        values: dict[str, Any] = {"amount": 49_900, "currency": currency, "payment_method": method, "customer": PAYER}
        accepted = self.accept(key, **{**values, "return_url": "https://shop.example/return", **changes})
        if work:
            self.work_until_idle()
        return self.now(accepted)

    def a_day_later(self) -> None:
        self.clock.advance(24 * 3_600)

    def asked(self, **changes: Any) -> Asked:
        values: dict[str, Any] = {
            "provider": self.provider,
            "from_ms": self.began_ms - 60_000,
            "until_ms": self.began_ms + 6 * 3_600_000,
            "merchant_id": MERCHANT,
            **changes,
        }
        return Asked(**values)

    def run(self, *, deadline: Deadline | None = None, **changes: Any) -> Run:
        """Start it and deliver its messages, whatever happens to the worker."""
        (run,) = self.start.asked_for(self.asked(**changes), DECISION)
        for _ in range(500):
            if not self.run_queue.sent:
                break
            run_id = self.run_queue.sent.pop(0)
            try:
                self.reconcile(run_id, deadline or self.deadline)
            except FunctionDiedError:
                self.run_queue.sent.append(run_id)  # it comes back
        stored = self.runs.get(run.run_id)
        assert stored is not None
        assert stored.phase is Phase.DONE, stored
        return stored

    def report(self, run: Run) -> list[tuple[str, str, str | None]]:
        """Verdict, resolution and payment of every difference."""
        found, _ = self.runs.discrepancies(run.run_id, limit=1_000, after=None)
        return sorted((f.result.value, f.action.value, f.transaction_id or "") for f in found)

    # -- hands in the provider's book

    def record_of(self, payment: Payment) -> Record:
        key = payment.attempts[-1].provider_key
        return next(r for r in self.simulator.store.all(CHARGE) if key in {r.get("reference"), r.get("key")})

    def alter(self, payment: Payment, **changes: Any) -> None:
        """As if it had always been so."""
        record = self.record_of(payment)
        changed = {**record, **changes}
        if "first" in record:
            changed["first"] = {**record["first"], **changes}
            kept = [{n: v for n, v in reached.items() if n not in changes} for reached in record["steps"]]
            changed["steps"] = kept
        self.simulator.store.put(CHARGE, record["id"], changed)

    def charge_there(self, payment: Payment) -> None:
        """The provider changes its mind."""
        record = self.record_of(payment)
        now = self.clock.now_ms() / 1000
        captured = True if self.provider == "razorpay" else record["amount"]
        facts = {"state": CHARGED, "captured": captured, "taken": record["amount"], "paid_at": now}
        changed = {**record, **facts, "effect": "charge"}
        if "steps" in record:
            changed["steps"] = [*record["steps"], {"when": now, **facts}]
        self.simulator.store.put(CHARGE, record["id"], changed)

    def charge_again(self, payment: Payment) -> None:
        """A second charge under the same key."""
        record = {name: value for name, value in self.record_of(payment).items() if name != "version"}
        second = record["id"][:-1] + ("1" if record["id"][-1] != "1" else "2")
        if "first" in record:
            record["first"] = {**record["first"], "id": second}
        self.simulator.store.put(CHARGE, second, {**record, "id": second})
        order = self.simulator.store.get("order", record.get("order_id", ""))
        if order is not None and "payments" in order:
            self.simulator.store.put("order", record["order_id"], {**order, "payments": [*order["payments"], second]})

    def forget_there(self, payment: Payment) -> None:
        record = self.record_of(payment)
        del self.simulator.store.records[CHARGE, record["id"]]  # type: ignore[attr-defined]

    def disown(self, payment: Payment) -> None:
        """As if it had been made by another program of the merchant: our key is nowhere in the provider's book."""
        records: dict[Any, Any] = self.simulator.store.records  # type: ignore[attr-defined]
        ours, theirs = payment.attempts[-1].provider_key, "theirs-000001"
        text = json.dumps([[*name, record] for name, record in records.items()]).replace(ours, theirs)
        records.clear()
        records.update({(kind, name): record for kind, name, record in json.loads(text)})

    def refund(self, payment: Payment, amount: int) -> Operation:
        """Asked for, and carried out by the provider."""
        acceptance = self.request(OperationKind.REFUND, payment, amount)
        for _ in range(20):
            self.work_until_idle()
            if self.operation_now(acceptance.operation).status is OperationStatus.SUCCEEDED:
                break
            self.clock.advance(600)
            self.sweep(self.deadline)
        return self.operation_now(acceptance.operation)

    def forget_operation(self, operation: Operation) -> None:
        """As if it had been made in the provider's dashboard, where nobody gives it a key of ours."""
        key = (operation.merchant_id, operation.transaction_id, operation.operation_id)
        del self.payments.operations[key]
        self.payments.references = {
            name: owner
            for name, owner in self.payments.references.items()
            if owner.operation_id != operation.operation_id
        }

    def entry(self, payment: Payment) -> ReportEntry:
        """As a settlement file would have it."""
        attempt = payment.attempts[-1]
        return ReportEntry(
            kind=EntryKind.CHARGE,
            reference=attempt.reference or "",
            provider_key=attempt.provider_key,
            amount=payment.amount,
            currency=payment.currency,
            succeeded=True,
            at_ms=attempt.started_at_ms,
        )

    def one_page_at_a_time(self) -> Deadline:
        """Time for one page, again and again."""
        return OnePage()

    def forget_here(self, payment: Payment) -> None:
        del self.payments.payments[payment.merchant_id, payment.transaction_id]
        self.payments.references = {
            name: owner
            for name, owner in self.payments.references.items()
            if owner.transaction_id != payment.transaction_id
        }
