"""Matching of report entries with ledger entries, in batches of bounded size."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from payflowx.domain.inbound_webhooks.ports import ReferenceOwner
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.payment import Payment
from payflowx.domain.reconciliation.matching import Assessment, LedgerEntry, MatchResult, match_entry
from payflowx.domain.reconciliation.ports import Lookups
from payflowx.domain.reconciliation.reports import EntryKind, ReportEntry
from payflowx.domain.reconciliation.run import Run, Source
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.identifiers import OPERATION_PREFIXES, PAYMENT_PREFIX, parse_provider_key
from payflowx.domain.shared.limits import DAY_MS
from payflowx.domain.shared.operation_request import OperationKind

LINES_AT_ONCE: Final = 100
NOTE_LIFETIME_MS: Final = 60 * DAY_MS
"""How long a report's listing of a charge is remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableEntry:
    """The ledger's entry whose payment or operation this release cannot read."""

    transaction_id: str


Held = LedgerEntry | UnreadableEntry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A report entry with its assessment."""

    entry: ReportEntry
    held: Held
    assessment: Assessment


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """All ledger records that a batch of entries may match."""

    payments: Mapping[str, Payment | None]
    operations: Mapping[str, Operation | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchEntries:
    """Reads the ledger; writes only the charges that the report lists."""

    lookups: Lookups
    clock: Clock

    def __call__(self, run: Run, entries: Sequence[ReportEntry]) -> Iterator[Compared]:
        """Yield the results in the entries' order.

        Entries outside the range were fetched only as context.
        """
        for start in range(0, len(entries), LINES_AT_ONCE):
            yield from self._batch(run, entries[start : start + LINES_AT_ONCE])

    def _batch(self, run: Run, entries: Sequence[ReportEntry]) -> Iterator[Compared]:
        owners = self._owners(run, entries)
        found = self._found(run, owners)
        pairs = [(entry, _held(entry, owners.get(_name(entry)), found)) for entry in entries]
        repeated = self._note(run, pairs)
        for entry, held in pairs:
            if run.source is Source.LIST and not run.from_ms <= entry.at_ms < run.until_ms:
                continue
            assessment = self._assess(run, entry, held)
            if entry.line is not None and entry.line in repeated and assessment.result is MatchResult.MATCHED:
                assessment = Assessment(result=MatchResult.DUPLICATE)
            yield Compared(entry=entry, held=held, assessment=assessment)

    def _assess(self, run: Run, entry: ReportEntry, held: Held) -> Assessment:
        if isinstance(held, UnreadableEntry):
            return Assessment(result=MatchResult.UNREADABLE)
        return match_entry(
            entry,
            held,
            has_own_key=parse_provider_key(entry.provider_key or "") is not None,
            provider=run.provider,
            account_id=run.account_id,
            young=run.source is Source.LIST and entry.at_ms + run.lag_ms > self.clock.now_ms(),
        )

    # -- owners

    def _owners(self, run: Run, entries: Sequence[ReportEntry]) -> Mapping[str, ReferenceOwner]:
        """Return the owner of each entry.

        By the provider's id, else by our key, else by the charge that a refund returns.
        """
        references = {name for entry in entries for name in (entry.reference, entry.charge_reference) if name}
        known = {
            reference: owner
            for reference, owner in self.lookups.owners(
                run.merchant_id, run.provider, run.account_id, sorted(references)
            ).items()
            if owner.merchant_id == run.merchant_id
        }
        refunds = self._refunds(run, [entry for entry in entries if entry.reference not in known])
        found: dict[str, ReferenceOwner] = {}
        for entry in entries:
            owner = (
                _of_its_kind(entry, known.get(entry.reference))
                or refunds.get(entry.provider_key or "")
                or _owner_by_key(run, entry)
                or known.get(entry.charge_reference or "")
            )
            if owner is not None:
                found[_name(entry)] = owner
        return found

    def _refunds(self, run: Run, entries: Sequence[ReportEntry]) -> Mapping[str, ReferenceOwner]:
        """Return the refunds' owners by key.

        A refund's key names the operation, and an index item names the operation's payment.
        """
        wanted: dict[str, tuple[str, int]] = {}
        for entry in entries:
            parsed = parse_provider_key(entry.provider_key or "")
            if parsed is not None and entry.kind is EntryKind.REFUND:
                wanted[entry.provider_key or ""] = (OPERATION_PREFIXES[OperationKind.REFUND] + parsed[0], parsed[1])
        located = self.lookups.located(run.merchant_id, sorted({name for name, _ in wanted.values()}))
        return {
            key: ReferenceOwner(
                merchant_id=run.merchant_id, transaction_id=located[name], attempt=number, operation_id=name
            )
            for key, (name, number) in wanted.items()
            if name in located
        }

    def _found(self, run: Run, owners: Mapping[str, ReferenceOwner]) -> _Found:
        payments = sorted({owner.transaction_id for owner in owners.values()})
        operations = sorted({(o.transaction_id, o.operation_id) for o in owners.values() if o.operation_id})
        return _Found(
            payments=self.lookups.payments(run.merchant_id, payments),
            operations=self.lookups.operations(run.merchant_id, operations),
        )

    # -- charges that the report lists

    def _note(self, run: Run, pairs: Sequence[tuple[ReportEntry, Held]]) -> set[str]:
        """Store the listed charges; return the entries of a file that repeat an earlier one."""
        wanted = [
            e
            for e, held in pairs
            if (isinstance(held, UnreadableEntry) or (held and held.attempt))
            and e.succeeded
            and e.kind is EntryKind.CHARGE
        ]
        known = dict(
            self.lookups.listed(
                run.merchant_id, run.source, run.provider, run.account_id, sorted({e.reference for e in wanted})
            )
        )
        new: dict[str, str] = {}
        repeated: set[str] = set()
        for entry in wanted:
            here = f"{run.file}#{entry.line}" if run.source is Source.FILE else run.run_id
            before = known.get(entry.reference)
            if before == here:
                continue
            if entry.line is not None and before is not None and before.startswith(f"{run.file}#"):
                repeated.add(entry.line)
                continue
            known[entry.reference] = new[entry.reference] = here
        if new:
            expires_at_ms = self.clock.now_ms() + NOTE_LIFETIME_MS
            self.lookups.note_listed(
                run.merchant_id, run.source, run.provider, run.account_id, new, expires_at_ms=expires_at_ms
            )
        return repeated


def _name(entry: ReportEntry) -> str:
    return f"{entry.kind}#{entry.reference}#{entry.provider_key or ''}"


def _of_its_kind(entry: ReportEntry, owner: ReferenceOwner | None) -> ReferenceOwner | None:
    """A capture's id names no charge, and a charge's id no refund."""
    is_operation = owner is not None and owner.operation_id is not None
    return owner if is_operation is (entry.kind is EntryKind.REFUND) else None


def _owner_by_key(run: Run, entry: ReportEntry) -> ReferenceOwner | None:
    parsed = parse_provider_key(entry.provider_key or "")
    if parsed is None or entry.kind is not EntryKind.CHARGE:
        return None
    name, number = parsed
    return ReferenceOwner(merchant_id=run.merchant_id, transaction_id=PAYMENT_PREFIX + name, attempt=number)


def _held(entry: ReportEntry, owner: ReferenceOwner | None, found: _Found) -> Held:
    if owner is None or owner.transaction_id not in found.payments:
        return None
    payment = found.payments[owner.transaction_id]
    operation_id = owner.operation_id or ""
    is_unreadable = operation_id in found.operations and found.operations[operation_id] is None
    if payment is None or is_unreadable:
        return UnreadableEntry(transaction_id=owner.transaction_id)
    if entry.kind is EntryKind.REFUND:
        operation = found.operations.get(operation_id)
        # Without an operation it is a refund of our charge that no merchant requested.
        attempt = _numbered(operation.attempts, owner.attempt) if operation else None
        return LedgerEntry(payment=payment, attempt=attempt, operation=operation)
    return LedgerEntry(payment=payment, attempt=_numbered(payment.attempts, owner.attempt))


def _numbered(attempts: Sequence[Attempt], number: int) -> Attempt | None:
    return attempts[number - 1] if 1 <= number <= len(attempts) else None
