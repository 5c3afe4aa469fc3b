"""Lists for operators that end before everything was looked at say so."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from payflowx.application.operators.set_provider_status import ListUnwellAccounts
from payflowx.application.reconciliation.list_runs import ListRuns
from payflowx.domain.providers.health import AccountHealth
from payflowx.domain.reconciliation.ports import AccountOwner
from tests.support.memory import ManualClock


@dataclass
class Directory:
    """Merchants with two accounts each. It remembers how many owners were read."""

    merchants: int
    read: int = 0

    def accounts(self) -> Iterator[AccountOwner]:
        for number in range(self.merchants):
            for account_id in ("main", "second"):
                self.read += 1
                yield AccountOwner(merchant_id=f"m{number}", provider="stripe", account_id=account_id)

    def names(self) -> Iterator[str]:
        return (owner.merchant_id for owner in self.accounts())


@dataclass
class Well:
    """Every account is well. It remembers whose were asked for."""

    asked: list[str] = field(default_factory=list)

    def of(self, merchant_id: str) -> Mapping[str, AccountHealth]:
        self.asked.append(merchant_id)
        return {}


class Providers:
    """All have reports."""

    capabilities = cast("Any", type("Able", (), {"reports": object()}))

    def get(self, _provider: str) -> "Providers":
        return self


class NoRuns:
    def all_of(self, _ids: list[str]) -> Mapping[str, Any]:
        return {}


@pytest.mark.parametrize(("merchants", "complete"), [(2, True), (3, True), (4, False), (1_000, False)])
def test_accounts_that_are_not_well(merchants: int, complete: bool) -> None:
    directory, well = Directory(merchants), Well()
    unwell = ListUnwellAccounts(
        merchants_with_accounts=directory.names, health=cast("Any", well), clock=ManualClock(), max_merchants=3
    )
    assert unwell(None).complete is complete
    assert well.asked == [f"m{number}" for number in range(min(merchants, 3))]
    assert directory.read <= 7
    assert unwell("m9").complete


@pytest.mark.parametrize(("merchants", "complete"), [(1, True), (2, True), (3, False)])
def test_days_of_reconciliations(merchants: int, complete: bool) -> None:
    list_runs = ListRuns(
        directory=cast("Any", Directory(merchants)),
        runs=cast("Any", NoRuns()),
        providers=cast("Any", Providers()),
        clock=ManualClock(),
        max_accounts=4,
    )
    found = list_runs(days=2)
    assert found.complete is complete
    assert len(found.items) == min(merchants, 2) * 2 * 2
