"""The commands of a restore to the functions that go on while everything else is off."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ops.errors import Exit, OperatorError
from ops.session import Session
from payflowx.application.recovery.restore import UsedNumbers
from payflowx.application.recovery.restore_procedure import Progress
from payflowx.domain.reconciliation.run import MAX_SPAN_MS


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
        """Every account at a provider that has a report, merchant by merchant: one request takes a hundred accounts.

        A refusal is said, once for each provider and reason, and the others go on. Without an answer the step is not
        done, and the next run of the command repeats it.
        """
        real = {one["provider"] for one in self.session.ask("list_providers")["items"] if not one["simulated"]}
        runs: list[str] = []
        said: set[str] = set()
        for merchant_id in self.session.merchants(None):
            accounts = self.session.ask("show_merchant", merchantId=merchant_id)["accounts"]
            for provider in sorted({account["provider"] for account in accounts} & real):
                try:
                    runs += self._begun(provider, merchant_id, from_ms, until_ms)
                except OperatorError as refused:
                    if refused.exit_code != int(Exit.REFUSED):
                        raise
                    what = f"{provider} is not reconciled: {refused}"
                    if what not in said:
                        self.session.say(what)
                    said.add(what)
        return runs

    def _begun(self, provider: str, merchant_id: str, from_ms: int, until_ms: int) -> Sequence[str]:
        """One reconciliation spans 31 days, and point-in-time recovery 35."""
        runs: list[str] = []
        for begin_ms in range(from_ms, until_ms, MAX_SPAN_MS):
            answer = self.session.change(
                "reconcile",
                self.reason,
                provider=provider,
                merchantId=merchant_id,
                fromMs=begin_ms,
                untilMs=min(begin_ms + MAX_SPAN_MS, until_ms),
            )
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
