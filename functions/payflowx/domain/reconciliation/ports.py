"""What a reconciliation needs from the outside world."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from payflowx.domain.inbound_webhooks.ports import ReferenceOwner
from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.operation import Operation
from payflowx.domain.payments.outcome import Outcome
from payflowx.domain.payments.payment import Payment
from payflowx.domain.providers.ports import Account, ChargeRequest
from payflowx.domain.reconciliation.reports import ReportPage, ReportResult
from payflowx.domain.reconciliation.run import Discrepancy, Run, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOwner:
    """An account that some merchant has."""

    merchant_id: str
    provider: str
    account_id: str


class AccountDirectory(Protocol):
    """All accounts of all merchants, for what has to be done for each of them."""

    def accounts(self) -> Iterable[AccountOwner]: ...


class ListingProvider(Protocol):
    """A provider whose own book can be read."""

    @property
    def capabilities(self) -> Capabilities: ...

    def report_page(self, page: ReportPage, account: Account) -> ReportResult:
        """One page of its list."""
        ...

    def inquire(self, request: ChargeRequest, account: Account) -> Outcome:
        """As for any attempt: what became of it. Changes nothing at the provider."""
        ...


class ListingProviders(Protocol):
    """The providers of this deployment. Raises `ConfigurationError` for others."""

    def get(self, name: str) -> ListingProvider: ...


class SettlementFiles(Protocol):
    """Settlement files that somebody has put there."""

    def page(self, provider: str, file: str, cursor: str | None) -> ReportResult:
        """Rows from there on, a bounded number; the rows' times do not choose them."""
        ...


class Runs(Protocol):
    """The store of runs and what they found. Raises `StorageUnavailableError`."""

    def start(self, run: Run) -> Run:
        """The run as stored: this one, or the one that was there."""
        ...

    def get(self, run_id: str) -> Run | None: ...

    def all_of(self, run_ids: Sequence[str]) -> Mapping[str, Run]:
        """Many at once; what is not there is not in the answer."""
        ...

    def save(self, before: Run, after: Run) -> bool:
        """False if somebody else works on it."""
        ...

    def report(self, run_id: str, findings: Sequence[Discrepancy]) -> None:
        """Each is stored once, however often it is found."""
        ...

    def known(self, run_id: str, names: Sequence[str]) -> Mapping[str, Discrepancy]:
        """Those that were reported before, by name."""
        ...

    def discrepancies(self, run_id: str, *, limit: int, after: str | None) -> tuple[Sequence[Discrepancy], str | None]:
        """A page of what was found, and where the next one begins."""
        ...


class Lookups(Protocol):
    """Many items at once, by their keys. What is not there is not in the answer."""

    def owners(self, provider: str, account_id: str, references: Sequence[str]) -> Mapping[str, ReferenceOwner]: ...

    def payments(self, merchant_id: str, transaction_ids: Sequence[str]) -> Mapping[str, Payment]: ...

    def located(self, merchant_id: str, operation_ids: Sequence[str]) -> Mapping[str, str]:
        """Operations' ids to their payments'."""
        ...

    def operations(self, merchant_id: str, of: Sequence[tuple[str, str]]) -> Mapping[str, Operation]:
        """By pairs of payment and operation."""
        ...

    def listed(self, source: Source, provider: str, account_id: str, references: Sequence[str]) -> Mapping[str, str]:
        """The charges that a book of the provider was seen to have, each with the line where it was."""
        ...

    def note_listed(
        self, source: Source, provider: str, account_id: str, lines: Mapping[str, str], expires_at_ms: int
    ) -> None: ...


class RunQueue(Protocol):
    """Wakes whoever works on a run. Raises `StorageUnavailableError`."""

    def send(self, run_id: str, *, delay_seconds: int = 0) -> None: ...
