"""Reconciliation: the production wiring over the models, and hands in the simulators' books."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.values import to_attributes
from payflowx.adapters.dynamodb.merchants.configuration import restore_window_to_item
from payflowx.adapters.dynamodb.reconciliation.runs import DynamoDBRuns
from payflowx.application.reconciliation.reconcile import Reconcile
from payflowx.application.reconciliation.start_reconciliations import Asked, StartReconciliations
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Customer, Payment, PaymentMethod
from payflowx.domain.payments.restore_window import RestoreWindow
from payflowx.domain.reconciliation.reports import EntryKind, ReportAnswer, ReportEntry, ReportResult, ReportUnavailable
from payflowx.domain.reconciliation.run import Phase, Run
from payflowx.domain.shared.ambient import Deadline
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import OperationStatus
from payflowx.wiring.reconciliation import ReconcilerWiring
from sandbox.simulator import CHARGE, CHARGED, Simulator
from sandbox.store import Record
from tests.support.memory import FixedRules
from tests.support.providers import ProviderWorld
from tests.support.tables import CONFIGURATION, TRANSACTIONS
from tests.support.world import MERCHANT, fallback

DECISION = OperatorAction(who="local:ada", why="TICKET-1")

REAL_PROVIDERS = ("stripe", "razorpay", "cashfree", "payu")
PAYER = Customer(id="cust_A1b2C3d4E5f6G7", name="Payer Example", email="payer@example.com", phone="+919876543210")


class FunctionDiedError(Exception):
    """The function died."""


@dataclass
class ScriptedFile:
    """Implements `SettlementFiles`: pages of two entries."""

    entries: list[Any] = field(default_factory=list)
    unavailable: ReportUnavailable | None = None

    def page(self, provider: str, file: str, cursor: str | None) -> ReportResult:
        if self.unavailable is not None:
            return self.unavailable
        start = int(cursor or 0)
        page = [replace(e, line=str(start + n + 1)) for n, e in enumerate(self.entries[start : start + 2])]
        more = start + 2 < len(self.entries)
        return ReportAnswer(entries=page, next_cursor=str(start + 2) if more else None)


@dataclass
class OnePage:
    """Implements `Deadline`: enough, not enough, enough, ..."""

    asked: int = 0

    def remaining_ms(self) -> int:
        self.asked += 1
        return 60_000 if self.asked % 2 else 0


@dataclass
class ReconciliationWorld(ProviderWorld):
    """All providers' simulators, our ledger, and reconciliation. `dies_at`: the writes of a run's position that the
    function does not survive, counted from 1.
    """

    provider: str = "stripe"
    file: ScriptedFile = field(default_factory=ScriptedFile)
    dies_at: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.use(FixedRules(fallback(self.provider)))
        self.began_ms = self.clock.now_ms()
        self._saves = 0
        self.dynamodb.before = self._die

    def _die(self, method: str, request: Mapping[str, Any]) -> None:
        is_save = method == "put_item" and request["Item"]["sk"] == {"S": keys.RUN} and "version" in repr(request)
        if is_save and "ExpressionAttributeNames" in request:
            self._saves += 1
            if self._saves in self.dies_at:
                raise FunctionDiedError

    @property
    def simulator(self) -> Simulator:
        return self.http.simulators[self.provider]

    # -- use cases

    @property
    def wiring(self) -> ReconcilerWiring:
        return self.wired(ReconcilerWiring)

    @property
    def runs(self) -> DynamoDBRuns:
        return self.wiring.runs

    @property
    def start(self) -> StartReconciliations:
        return self.wiring.start_reconciliations

    @property
    def reconcile(self) -> Reconcile:
        return replace(self.wiring.reconcile, files=self.file)

    @property
    def lookups(self) -> Any:
        return self.wiring.reconcile.lookups

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

    def asked_run(self) -> Run:
        """A run that is stored, and that no worker has begun."""
        (run,) = self.start.asked_for(self.asked(until_ms=self.clock.now_ms()), DECISION)
        return run

    def run(self, *, deadline: Deadline | None = None, **changes: Any) -> Run:
        """Start it and deliver its messages, whatever happens to the worker."""
        (run,) = self.start.asked_for(self.asked(**changes), DECISION)
        for _ in range(500):
            if not self.run_queue.sent:
                break
            run_id, _ = self.run_queue.sent.pop(0)
            try:
                self.reconcile(run_id, deadline or self.deadline)
            except FunctionDiedError:
                self.run_queue.sent.append((run_id, 0))  # it comes back
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
        del self.simulator.store.kinds[CHARGE][record["id"]]  # type: ignore[attr-defined]

    def disown(self, payment: Payment) -> None:
        """As if it had been made by another program of the merchant: our key is nowhere in the provider's book."""
        kinds: dict[str, Any] = self.simulator.store.kinds  # type: ignore[attr-defined]
        ours, theirs = payment.attempts[-1].provider_key, "theirs-000001"
        changed = json.loads(json.dumps(kinds).replace(ours, theirs))
        kinds.clear()
        kinds.update(changed)

    def refund(self, payment: Payment, amount: int) -> Operation:
        """Asked for, and carried out by the provider."""
        return self.carry_out(self.request(OperationKind.REFUND, payment, amount).operation)

    def carry_out(self, operation: Operation) -> Operation:
        """Work until the operation has succeeded, or for more than three hours."""
        for _ in range(20):
            self.work_until_idle()
            if self.operation_now(operation).status is OperationStatus.SUCCEEDED:
                break
            self.clock.advance(600)
            self.sweep(self.deadline)
        return self.operation_now(operation)

    def copy_of(self, payment: Payment) -> Sequence[Mapping[str, Any]]:
        """The payment's items as DynamoDB holds them, for `restore`."""
        pk = keys.payment_partition(payment.merchant_id, payment.transaction_id)
        found = self.dynamodb.query(
            TableName=TRANSACTIONS,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_attributes({":pk": pk}),
        )
        items: Sequence[Mapping[str, Any]] = found["Items"]
        return items

    def restore(self, payment: Payment, copy: Sequence[Mapping[str, Any]], *, forgetting: Payment | Operation) -> None:
        """Put the copy in the place of the payment's items, and open the deployment again."""
        self.forget_references(forgetting)
        for item in self.copy_of(payment):
            self.dynamodb.delete_item(TableName=TRANSACTIONS, Key={name: item[name] for name in ("pk", "sk")})
        for item in copy:
            self.dynamodb.put_item(TableName=TRANSACTIONS, Item=item)
        now_ms = self.clock.now_ms()
        window = RestoreWindow(
            restored_to_ms=self.began_ms, stopped_at_ms=now_ms, recorded_at_ms=now_ms, opened_at_ms=now_ms
        )
        self.dynamodb.put_item(TableName=CONFIGURATION, Item=to_attributes(restore_window_to_item(window)))
        self.deploy()

    def forget_operation(self, operation: Operation) -> None:
        """As if it had been made in the provider's dashboard, where nobody gives it a key of ours."""
        self.forget(keys.operation_key(operation.merchant_id, operation.transaction_id, operation.operation_id))
        self.forget(keys.locator_key(operation.merchant_id, operation.operation_id))
        self.forget_references(operation)

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
        self.forget(keys.payment_key(payment.merchant_id, payment.transaction_id))
        self.forget_references(payment)

    def forget_references(self, of: Payment | Operation) -> None:
        for attempt in of.attempts:
            if attempt.reference:
                self.forget(keys.reference_key(attempt.provider, attempt.account_id, attempt.reference))

    def own_reference(self, payment: Payment, **owner: Any) -> None:
        """The reference of the payment's first attempt belongs to another one from now on."""
        attempt = payment.attempts[0]
        item = {
            **keys.reference_key(attempt.provider, attempt.account_id, attempt.reference or ""),
            "merchantId": payment.merchant_id,
            "transactionId": payment.transaction_id,
            **owner,
        }
        self.dynamodb.put_item(TableName=TRANSACTIONS, Item=to_attributes(item))
