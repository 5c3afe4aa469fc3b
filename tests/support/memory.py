"""Ports in memory, for tests of the rules. Contract tests hold them to the same behaviour as the real adapters."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from payflowx.domain.inbound_webhooks.ports import ReceivedEvent, ReferenceOwner, WebhookAccount
from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.outbound_webhooks.endpoints import WebhookEndpoints
from payflowx.domain.outbound_webhooks.merchant_events import MerchantEvent, merchant_event_of
from payflowx.domain.outbound_webhooks.ports import DeliveryJob, MerchantEventPage, MerchantEventQuery
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.events import Event
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.operation_ports import OperationPage
from payflowx.domain.payments.payment import Lease, Payment
from payflowx.domain.payments.ports import (
    AlreadySeen,
    Created,
    Due,
    DueKind,
    EventPage,
    Existing,
    Job,
    OwnerId,
    PaymentPage,
    PaymentQuery,
    ReferenceTaken,
    Stored,
    VersionConflict,
)
from payflowx.domain.payments.state_machine import Change, SeenEvent
from payflowx.domain.routing.routing import RoutingDocument
from payflowx.domain.shared.errors import StorageUnavailableError
from payflowx.domain.shared.identifiers import shard_of
from payflowx.domain.shared.limits import DUE_SHARDS, MAX_ATTEMPTS, SECOND_MS
from payflowx.domain.shared.operation_request import OperationKind
from payflowx.domain.shared.statuses import AttemptState
from payflowx.domain.shared.transport import Credentials

NOW_MS = 1_790_000_000_000


@dataclass(slots=True)
class ManualClock:
    """Time that moves when a test says so."""

    at_ms: int = NOW_MS

    def now_ms(self) -> int:
        return self.at_ms

    def advance(self, seconds: float) -> None:
        self.at_ms += int(seconds * SECOND_MS)


@dataclass(slots=True)
class ManualDeadline:
    """How long the invocation may still run."""

    left_ms: int = 30_000

    def remaining_ms(self) -> int:
        return self.left_ms


@dataclass(slots=True)
class CountingRandomness:
    """owner-1, owner-2, ...; the middle of the jitter."""

    count: int = 0

    def owner(self) -> str:
        self.count += 1
        return f"owner-{self.count}"

    def jitter(self) -> float:
        return 0.5

    def secret_text(self, chars: int) -> str:
        self.count += 1
        return str(self.count).rjust(chars, "A")


@dataclass(slots=True)
class RecordingTelemetry:
    """Keeps what was logged and counted."""

    lines: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    counts: list[tuple[str, int, Mapping[str, str]]] = field(default_factory=list)

    def info(self, message: str, **facts: str | int | bool | None) -> None:
        self.lines.append((message, facts))

    def warn(self, message: str, **facts: str | int | bool | None) -> None:
        self.lines.append((message, facts))

    def about(self, **facts: str | int | bool | None) -> None:
        """Of interest to the adapter only."""

    def count(self, name: str, value: int = 1, **dimensions: str) -> None:
        self.counts.append((name, value, dimensions))

    def milliseconds(self, name: str, value: int, **dimensions: str) -> None:
        self.counts.append((name, value, dimensions))

    def seconds(self, name: str, value: int, **dimensions: str) -> None:
        self.counts.append((name, value, dimensions))

    def total(self, name: str) -> int:
        return sum(value for known, value, _ in self.counts if known == name)


@dataclass(slots=True)
class MemoryJobs:
    """Messages with their delays; `broken` refuses them."""

    sent: list[tuple[Job, int]] = field(default_factory=list)
    broken: bool = False

    def send(self, job: Job, *, delay_seconds: int = 0) -> None:
        if self.broken:
            raise StorageUnavailableError("the queue did not take the message")
        self.sent.append((job, delay_seconds))


@dataclass(slots=True)
class MemoryProviderEvents:
    """Webhooks that were taken in, with their delays."""

    sent: list[tuple[ReceivedEvent, int]] = field(default_factory=list)
    broken: bool = False

    def send(self, inbound: ReceivedEvent, *, delay_seconds: int = 0) -> None:
        if self.broken:
            raise StorageUnavailableError("the queue did not take the webhook")
        self.sent.append((inbound, delay_seconds))


@dataclass(slots=True)
class MemoryDeliveries:
    """Wake-ups of the deliverer with their delays; `broken` refuses them."""

    sent: list[tuple[DeliveryJob, int]] = field(default_factory=list)
    broken: bool = False

    def send(self, job: DeliveryJob, *, delay_seconds: int = 0) -> None:
        if self.broken:
            raise StorageUnavailableError("the queue did not take the message")
        self.sent.append((job, delay_seconds))


@dataclass(slots=True)
class MemoryMerchants:
    """Merchants by id."""

    merchants: dict[str, Merchant] = field(default_factory=dict)

    def get(self, merchant_id: str) -> Merchant | None:
        return self.merchants.get(merchant_id)

    def find(self, provider: str, token: str) -> WebhookAccount | None:
        """Implements `WebhookAccounts`."""
        found = [
            WebhookAccount(merchant_id=merchant.merchant_id, account=account)
            for merchant in self.merchants.values()
            for account in merchant.accounts
            if (account.provider, account.webhook_token) == (provider, token)
        ]
        return found[0] if found else None


@dataclass(slots=True)
class FixedRules:
    """One document."""

    document: RoutingDocument

    def current(self) -> RoutingDocument:
        return self.document


@dataclass(slots=True)
class FixedSecrets:
    """Implements `Secrets`: the same credentials everywhere, and webhook secrets by the account's ARN."""

    by_arn: dict[str, tuple[str, ...]] = field(default_factory=dict)
    key_secret: str = "secret"

    def credentials(self, secret_arn: str) -> Credentials:
        return Credentials(key_id="id", key_secret=self.key_secret)

    def webhook_secrets(self, secret_arn: str) -> Sequence[str]:
        return self.by_arn.get(secret_arn, ("secret",))


@dataclass(slots=True)
class OneByOne:
    """Concurrency without any."""

    def run(self, tasks: Sequence[Callable[[], None]]) -> None:
        for task in tasks:
            task()


@dataclass
class MemoryPayments:
    """Implements `Payments`, `DueItems` and `References`."""

    payments: dict[tuple[str, str], Payment] = field(default_factory=dict)
    audit_logs: dict[tuple[str, str], list[Event]] = field(default_factory=dict)
    idempotency: dict[tuple[str, str], Existing] = field(default_factory=dict)
    references: dict[tuple[str, str, str], ReferenceOwner] = field(default_factory=dict)
    operations: dict[tuple[str, str, str], Operation] = field(default_factory=dict)
    seen: set[tuple[str, str, str]] = field(default_factory=set)
    merchant_events: dict[tuple[str, str, int], MerchantEvent] = field(default_factory=dict)

    def create(self, payment: Payment, event: Event, idempotency_key: str) -> Created[Payment] | Existing:
        known = self.idempotency.get((payment.merchant_id, idempotency_key))
        if known is not None:
            return known
        stored = self.payments.get(_key(payment))
        if stored is not None:
            return Existing(transaction_id=stored.transaction_id, fingerprint=stored.fingerprint)
        self.idempotency[payment.merchant_id, idempotency_key] = Existing(
            transaction_id=payment.transaction_id, fingerprint=payment.fingerprint
        )
        self.payments[_key(payment)] = payment
        self.audit_logs[_key(payment)] = [event]
        return Created(item=payment)

    def find_key(self, merchant_id: str, idempotency_key: str) -> Existing | None:
        return self.idempotency.get((merchant_id, idempotency_key))

    def get(self, merchant_id: str, transaction_id: str) -> Payment | None:
        return self.payments.get((merchant_id, transaction_id))

    def claim(
        self,
        owner_id: OwnerId,
        *,
        version: int,
        lease: Lease,
        now_ms: int,
        append: Attempt | None = None,
        reopen: Attempt | None = None,
    ) -> Stored[Payment] | VersionConflict[Payment]:
        found = self.get(owner_id.merchant_id, owner_id.transaction_id)
        if found is None or found.version != version or found.lease.is_live(now_ms):
            return VersionConflict(item=found)
        attempts = found.attempts
        if append is not None:
            if found.charged_attempt is not None or append.number != len(attempts) + 1 > MAX_ATTEMPTS:
                return VersionConflict(item=found)
            if len(attempts) != append.number - 1:
                return VersionConflict(item=found)
            attempts = (*attempts, append)
        if reopen is not None:
            if found.charged_attempt is not None or not _may_reopen(attempts, reopen):
                return VersionConflict(item=found)
            attempts = tuple(reopen if a.number == reopen.number else a for a in attempts)
        claimed = replace(
            found,
            version=version + 1,
            lease=lease,
            attempts=attempts,
            due_at_ms=lease.expires_at_ms + 15 * SECOND_MS,
            updated_at_ms=now_ms,
        )
        self.payments[_key(found)] = claimed
        return Stored(item=claimed)

    def save_progress(
        self, before: Payment, number: int, progress: Mapping[str, str]
    ) -> Stored[Payment] | VersionConflict[Payment]:
        attempts = tuple(replace(a, progress=progress) if a.number == number else a for a in before.attempts)
        return self.reschedule(before, replace(before, attempts=attempts, version=before.version + 1))

    def reschedule(self, before: Payment, after: Payment) -> Stored[Payment] | VersionConflict[Payment]:
        found = self.payments.get(_key(before))
        if found is None or found.version != before.version or found.lease != before.lease:
            return VersionConflict(item=found)
        self.payments[_key(after)] = after
        return Stored(item=after)

    def commit(self, change: Change) -> Stored[Payment] | VersionConflict[Payment] | ReferenceTaken | AlreadySeen:
        before, after = change.before, change.after
        found = self.payments.get(_key(before))
        if found is None or found.version != before.version or found.lease != before.lease:
            return VersionConflict(item=found)
        operation = change.operation_before
        if operation is not None and not _is_unmoved(self.operations.get(operation_key(operation)), operation):
            return VersionConflict(item=found)
        new = change.operation_after if operation is None else None
        if new is not None and operation_key(new) in self.operations:
            return VersionConflict(item=found)
        if change.seen is not None and _seen_key(change.seen) in self.seen:
            return AlreadySeen()
        if not self._own_reference(change):
            return ReferenceTaken()
        if change.seen is not None:
            self.seen.add(_seen_key(change.seen))
        if change.operation_after is not None:
            self.operations[operation_key(change.operation_after)] = change.operation_after
        self.payments[_key(after)] = after
        self.audit_logs[_key(after)].append(change.event)
        merchant_event = merchant_event_of(change)
        if merchant_event is not None:
            self.merchant_events[*_key(after), merchant_event.seq] = merchant_event
        return Stored(item=after)

    def _own_reference(self, change: Change) -> bool:
        if not change.reference or not change.attempt_number:
            return True
        of: Payment | Operation = change.operation_after or change.after
        attempt = of.attempt(change.attempt_number)
        owner = ReferenceOwner(
            merchant_id=change.after.merchant_id,
            transaction_id=change.after.transaction_id,
            attempt=attempt.number,
            operation_id=change.operation_after.operation_id if change.operation_after else None,
        )
        key = (attempt.provider, attempt.account_id, change.reference)
        return self.references.setdefault(key, owner) == owner

    def expedite(
        self, before: Payment, after: Payment, seen: SeenEvent
    ) -> Stored[Payment] | VersionConflict[Payment] | AlreadySeen:
        if _seen_key(seen) in self.seen:
            return AlreadySeen()
        result = self.reschedule(before, after)
        if isinstance(result, Stored):
            self.seen.add(_seen_key(seen))
        return result

    def find(self, merchant_id: str, provider: str, account_id: str, reference: str) -> ReferenceOwner | None:
        """Implements `References`."""
        return self.references.get((provider, account_id, reference))

    def page(self, query: PaymentQuery) -> PaymentPage:
        rows = sorted(
            (
                (f"{p.created_at_ms:013d}#{p.transaction_id}", p)
                for p in self.payments.values()
                if p.merchant_id == query.merchant_id and query.from_ms <= p.created_at_ms < query.until_ms
            ),
            reverse=True,
        )
        rows = [(k, p) for k, p in rows if query.position is None or k < query.position]
        rows = [(k, p) for k, p in rows if query.status in (None, p.status)]
        page = rows[: query.limit]
        more = len(page) == query.limit
        return PaymentPage(items=[p for _, p in page], next_position=page[-1][0] if more else None)

    def events(self, merchant_id: str, transaction_id: str, *, after_seq: int, limit: int) -> EventPage:
        audit_log = [e for e in self.audit_logs.get((merchant_id, transaction_id), []) if e.seq > after_seq]
        page = audit_log[:limit]
        return EventPage(items=page, next_seq=page[-1].seq if len(audit_log) > limit else None)

    # -- DueItems

    def pages(self, shard: int, until_ms: int) -> Iterator[Sequence[Due]]:
        due = (
            [
                (
                    p.transaction_id,
                    Due(merchant_id=p.merchant_id, transaction_id=p.transaction_id, due_at_ms=p.due_at_ms),
                )
                for p in self.payments.values()
                if p.due_at_ms is not None
            ]
            + [
                (
                    o.operation_id,
                    Due(
                        merchant_id=o.merchant_id,
                        transaction_id=o.transaction_id,
                        due_at_ms=o.due_at_ms,
                        kind=DueKind.OPERATION,
                        item_id=o.operation_id,
                    ),
                )
                for o in self.operations.values()
                if o.due_at_ms is not None
            ]
            + [
                (
                    a.event_id,
                    Due(
                        merchant_id=a.merchant_id,
                        transaction_id=a.transaction_id,
                        due_at_ms=a.due_at_ms,
                        kind=DueKind.EVENT,
                        item_id=f"{a.seq:06d}",
                    ),
                )
                for a in self.merchant_events.values()
                if a.due_at_ms is not None
            ]
        )
        yield [d for name, d in due if d.due_at_ms <= until_ms and shard_of(name, DUE_SHARDS) == shard]

    def postpone(self, due: Due, *, due_at_ms: int, drives: int | None) -> bool:
        if due.kind is DueKind.EVENT:
            place = (due.merchant_id, due.transaction_id, int(due.item_id))
            merchant_event = self.merchant_events[place]
            if merchant_event.due_at_ms != due.due_at_ms:
                return False
            self.merchant_events[place] = replace(
                merchant_event, due_at_ms=due_at_ms, drives=merchant_event.drives if drives is None else drives
            )
            return True
        if due.kind is DueKind.OPERATION:
            of = (due.merchant_id, due.transaction_id, due.item_id)
            operation = self.operations[of]
            if operation.due_at_ms != due.due_at_ms:
                return False
            self.operations[of] = replace(
                operation, due_at_ms=due_at_ms, drives=operation.drives if drives is None else drives
            )
            return True
        key = (due.merchant_id, due.transaction_id)
        found = self.payments[key]
        if found.due_at_ms != due.due_at_ms:
            return False
        self.payments[key] = replace(found, due_at_ms=due_at_ms, drives=found.drives if drives is None else drives)
        return True


@dataclass
class MemoryMerchantEvents:
    """Implements `MerchantEvents` over the same memory as the payments."""

    store: MemoryPayments

    def get(self, merchant_id: str, transaction_id: str, seq: int) -> MerchantEvent | None:
        return self.store.merchant_events.get((merchant_id, transaction_id, seq))

    def save(self, before: MerchantEvent, after: MerchantEvent) -> bool:
        place = (before.merchant_id, before.transaction_id, before.seq)
        if self.store.merchant_events[place].version != before.version:
            return False
        self.store.merchant_events[place] = replace(after, version=before.version + 1)
        return True

    def page(self, query: MerchantEventQuery) -> MerchantEventPage:
        rows = sorted(
            (
                (f"{a.at_ms:013d}#{a.event_id}", a)
                for a in self.store.merchant_events.values()
                if a.merchant_id == query.merchant_id and query.from_ms <= a.at_ms < query.until_ms
            ),
            reverse=True,
        )
        page = [(k, a) for k, a in rows if query.position is None or k < query.position][: query.limit]
        more = len(page) == query.limit
        return MerchantEventPage(items=[a for _, a in page], next_position=page[-1][0] if more else None)


@dataclass
class MemoryWebhookEndpoints:
    """Implements `WebhookEndpointStore`."""

    endpoint_store: dict[str, WebhookEndpoints] = field(default_factory=dict)

    def get(self, merchant_id: str) -> WebhookEndpoints:
        return self.endpoint_store.get(merchant_id, WebhookEndpoints(merchant_id=merchant_id))

    def save(self, before: WebhookEndpoints, after: WebhookEndpoints) -> bool:
        if self.get(before.merchant_id).version != before.version:
            return False
        self.endpoint_store[before.merchant_id] = after
        return True


class PlainCipher:
    """Implements `SecretCipher` without a lock: what is encrypted shows whose it is."""

    def encrypt(self, secret: str, *, merchant_id: str, endpoint_id: str) -> str:
        return f"{merchant_id}|{endpoint_id}|{secret}"

    def open(self, encrypted: str, *, merchant_id: str, endpoint_id: str) -> str:
        assert encrypted.startswith(f"{merchant_id}|{endpoint_id}|")
        return encrypted.rsplit("|", 1)[-1]


@dataclass
class MemoryOperations:
    """Implements `Operations` over the same memory as the payments."""

    store: MemoryPayments
    keys: dict[tuple[str, str, str], Existing] = field(default_factory=dict)

    def accept(
        self, change: Change, idempotency_key: str
    ) -> Created[Operation] | Existing | VersionConflict[Operation]:
        operation = change.operation_after
        assert operation is not None
        key = (operation.merchant_id, operation.kind.value, idempotency_key)
        known = self.keys.get(key)
        if known is not None:
            return known
        stored = self.store.operations.get(operation_key(operation))
        if stored is not None:
            return _known(stored)
        if not isinstance(self.store.commit(change), Stored):
            return VersionConflict(item=None)
        self.keys[key] = _known(operation)
        return Created(item=operation)

    def find_key(self, merchant_id: str, kind: OperationKind, idempotency_key: str) -> Existing | None:
        return self.keys.get((merchant_id, kind.value, idempotency_key))

    def get(self, merchant_id: str, transaction_id: str, operation_id: str) -> Operation | None:
        return self.store.operations.get((merchant_id, transaction_id, operation_id))

    def of_payment(self, merchant_id: str, transaction_id: str) -> Sequence[Operation]:
        wanted = (merchant_id, transaction_id)
        found = [o for o in self.store.operations.values() if (o.merchant_id, o.transaction_id) == wanted]
        return sorted(found, key=lambda o: (o.created_at_ms, o.operation_id))

    def page(self, merchant_id: str, transaction_id: str, *, limit: int, position: str | None) -> OperationPage:
        rows = [(f"{o.created_at_ms:013d}#{o.operation_id}", o) for o in self.of_payment(merchant_id, transaction_id)]
        rest = [(place, o) for place, o in rows if position is None or place > position]
        page = rest[:limit]
        return OperationPage(items=[o for _, o in page], next_position=page[-1][0] if len(rest) > limit else None)

    def locate(self, merchant_id: str, operation_id: str) -> str | None:
        wanted = (merchant_id, operation_id)
        return next(
            (o.transaction_id for o in self.store.operations.values() if (o.merchant_id, o.operation_id) == wanted),
            None,
        )

    def claim(
        self,
        owner_id: OwnerId,
        *,
        version: int,
        lease: Lease,
        now_ms: int,
        append: Attempt | None = None,
        reopen: Attempt | None = None,
    ) -> Stored[Operation] | VersionConflict[Operation]:
        found = self.get(owner_id.merchant_id, owner_id.transaction_id, owner_id.operation_id or "")
        if found is None or found.version != version or found.lease.is_live(now_ms):
            return VersionConflict(item=found)
        attempts = found.attempts
        if append is not None:
            if append.number != len(attempts) + 1 or len(attempts) >= MAX_ATTEMPTS:
                return VersionConflict(item=found)
            attempts = (*attempts, append)
        if reopen is not None:
            if not _may_reopen(attempts, reopen):
                return VersionConflict(item=found)
            attempts = tuple(reopen if a.number == reopen.number else a for a in attempts)
        claimed = replace(
            found,
            version=found.version + 1,
            lease=lease,
            attempts=attempts,
            due_at_ms=lease.expires_at_ms + 15 * SECOND_MS,
            updated_at_ms=now_ms,
        )
        self.store.operations[operation_key(found)] = claimed
        return Stored(item=claimed)

    def save_progress(
        self, before: Operation, number: int, progress: Mapping[str, str]
    ) -> Stored[Operation] | VersionConflict[Operation]:
        attempts = tuple(replace(a, progress=progress) if a.number == number else a for a in before.attempts)
        return self.reschedule(before, replace(before, attempts=attempts, version=before.version + 1))

    def reschedule(self, before: Operation, after: Operation) -> Stored[Operation] | VersionConflict[Operation]:
        found = self.store.operations.get(operation_key(before))
        if not _is_unmoved(found, before):
            return VersionConflict(item=found)
        self.store.operations[operation_key(after)] = after
        return Stored(item=after)

    def expedite(
        self, before: Operation, after: Operation, seen: SeenEvent
    ) -> Stored[Operation] | VersionConflict[Operation] | AlreadySeen:
        if _seen_key(seen) in self.store.seen:
            return AlreadySeen()
        result = self.reschedule(before, after)
        if isinstance(result, Stored):
            self.store.seen.add(_seen_key(seen))
        return result


def _may_reopen(attempts: Sequence[Attempt], reopen: Attempt) -> bool:
    stored = next((a for a in attempts if a.number == reopen.number), None)
    return stored is not None and (stored.state, stored.provider_key) == (AttemptState.NOT_SENT, reopen.provider_key)


def _is_unmoved(found: Operation | None, before: Operation) -> bool:
    return found is not None and found.version == before.version and found.lease == before.lease


def _seen_key(seen: SeenEvent) -> tuple[str, str, str]:
    return seen.provider, seen.account_id, seen.event_id


def _known(operation: Operation) -> Existing:
    return Existing(
        transaction_id=operation.transaction_id,
        operation_id=operation.operation_id,
        fingerprint=operation.fingerprint,
    )


def operation_key(operation: Operation) -> tuple[str, str, str]:
    return operation.merchant_id, operation.transaction_id, operation.operation_id


def _key(payment: Payment) -> tuple[str, str]:
    return payment.merchant_id, payment.transaction_id
