"""Ports of reconciliation: accounts, provider reports, runs and look-ups."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from payflowx.domain.inbound_webhooks.ports import ReferenceOwner
from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.outcome import Outcome
from payflowx.domain.payments.payment import Payment
from payflowx.domain.payments.refund_list import RefundsRead
from payflowx.domain.providers.ports import Account, ChargeRequest
from payflowx.domain.reconciliation.reports import ReportPage, ReportResult
from payflowx.domain.reconciliation.run import Discrepancy, Run, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOwner:
    """An account and the merchant that owns it."""

    merchant_id: str
    provider: str
    account_id: str


class AccountDirectory(Protocol):
    """All accounts of all merchants."""

    def accounts(self) -> Iterable[AccountOwner]: ...


class ListingProvider(Protocol):
    """A provider whose own report can be read."""

    @property
    def capabilities(self) -> Capabilities: ...

    def report_page(self, page: ReportPage, account: Account) -> ReportResult:
        """Return one page of the provider's report."""
        ...

    @property
    def lists_refunds(self) -> bool: ...

    def refunds_of(self, request: ChargeRequest, account: Account) -> RefundsRead:
        """Read all refunds of a charge. Changes nothing at the provider."""
        ...

    def inquire(self, request: ChargeRequest, account: Account) -> Outcome:
        """Inquire about an attempt. Changes nothing at the provider."""
        ...


class ListingProviders(Protocol):
    """The providers of this deployment. Raises `ConfigurationError` for others."""

    def get(self, name: str) -> ListingProvider: ...


class SettlementFiles(Protocol):
    """Settlement files that an operator uploaded."""

    def page(self, provider: str, file: str, cursor: str | None) -> ReportResult:
        """Return a bounded number of rows from `cursor` on; the rows' times do not filter them."""
        ...


class Runs(Protocol):
    """The store of runs and their discrepancies. Raises `StorageUnavailableError`."""

    def start(self, run: Run) -> Run:
        """Store a new run; return the stored one if its id exists already."""
        ...

    def get(self, run_id: str) -> Run | None: ...

    def all_of(self, run_ids: Sequence[str]) -> Mapping[str, Run | None]:
        """Return the runs with these ids; an unknown id is absent. None: this release cannot read the item."""
        ...

    def save(self, before: Run, after: Run) -> bool:
        """Store a run; False if another worker changed it since `before` was read."""
        ...

    def report(self, run_id: str, findings: Sequence[Discrepancy]) -> None:
        """Store each discrepancy once, however often it is found."""
        ...

    def known(self, run_id: str, names: Sequence[str]) -> Mapping[str, Discrepancy]:
        """Return the discrepancies that were reported before, by name. One that cannot be read is absent."""
        ...

    def discrepancies(self, run_id: str, *, limit: int, after: str | None) -> tuple[Sequence[Discrepancy], str | None]:
        """Return a page of discrepancies and the position of the next page.

        One that this release cannot read is shown as `UNREADABLE`.
        """
        ...


class Lookups(Protocol):
    """Batch reads by key. A missing item is absent from the result."""

    def owners(
        self, merchant_id: str, provider: str, account_id: str, references: Sequence[str]
    ) -> Mapping[str, ReferenceOwner]:
        """Return the owners among the merchant's attempts; where there is none, another merchant's."""
        ...

    def payments(self, merchant_id: str, transaction_ids: Sequence[str]) -> Mapping[str, Payment | None]:
        """Return payments by id. None: this release cannot read the item."""
        ...

    def located(self, merchant_id: str, operation_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the payment's id for each operation's id."""
        ...

    def operations(self, merchant_id: str, of: Sequence[tuple[str, str]]) -> Mapping[str, Operation | None]:
        """Return operations by pairs of payment id and operation id. None: this release cannot read the item."""
        ...

    def listed(
        self, merchant_id: str, source: Source, provider: str, account_id: str, references: Sequence[str]
    ) -> Mapping[str, str]:
        """Return the charges that a report listed, each with the line of the entry."""
        ...

    def note_listed(
        self,
        merchant_id: str,
        source: Source,
        provider: str,
        account_id: str,
        lines: Mapping[str, str],
        *,
        expires_at_ms: int,
    ) -> None: ...


class RunQueue(Protocol):
    """Wakes a worker for a run. Raises `StorageUnavailableError`."""

    def send(self, run_id: str, *, delay_seconds: int = 0) -> None: ...
