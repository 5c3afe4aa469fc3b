"""The commands of a restore to the functions that go on while everything else is off."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ops.errors import OperatorError
from ops.session import Session
from payflowx.application.recovery.restore import UsedNumbers
from payflowx.application.recovery.restore_procedure import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandedDeployment:
    """Implements `Deployment`."""

    session: Session
    reason: str
    orders_known: bool
    not_erased: list[UsedNumbers] = field(default_factory=list)
    """Payments whose personal data an operator must erase later."""
    unreached: list[str] = field(default_factory=list)
    """Merchants that an operator must tell of the restore: they have no endpoint for it."""

    def record(self, progress: Progress, /) -> None:
        self.session.change(
            "record_restore",
            self.reason,
            restoredToMs=progress.restored_to_ms,
            stoppedAtMs=progress.stopped_at_ms,
            ordersKnown=self.orders_known,
        )

    def raise_numbers(self, payments: Sequence[UsedNumbers], /) -> None:
        fields = [
            {
                "merchantId": used.merchant_id,
                "transactionId": used.transaction_id,
                "seq": used.seq,
                "number": used.number,
            }
            for used in payments
        ]
        self.session.change("raise_event_numbers", self.reason, payments=fields)

    def notify(self) -> None:
        """Page by page; who cannot be reached is kept for the operator."""
        after = None
        while True:
            answer = self.session.change("notify_restore", self.reason, after=after)
            self.unreached.extend(answer["unreached"])
            after = answer["nextAfter"]
            if after is None:
                return

    def reconcile(self, from_ms: int, until_ms: int, /) -> Sequence[str]:
        """Every provider of the deployment that has a report."""
        runs: list[str] = []
        for provider in self.session.ask("list_providers")["items"]:
            if provider["simulated"]:
                continue
            try:
                answer = self.session.change(
                    "reconcile", self.reason, provider=provider["provider"], fromMs=from_ms, untilMs=until_ms
                )
            except OperatorError as refused:
                self.session.say(f"{provider['provider']} is not reconciled: {refused}")
                continue
            runs += [str(run["runId"]) for run in answer["runs"]]
        return runs

    def open(self) -> None:
        self.session.change("open_restore", self.reason)

    def erase(self, payments: Sequence[UsedNumbers], /) -> None:
        for used in payments:
            try:
                self.session.change(
                    "erase_personal_data",
                    self.reason,
                    merchantId=used.merchant_id,
                    transactionId=used.transaction_id,
                )
            except OperatorError:
                self.not_erased.append(used)
