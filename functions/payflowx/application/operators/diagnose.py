"""Health checks of the deployment, each with advice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from payflowx.application.routing.publish_routing import CheckRouting
from payflowx.domain.merchants.directory import AccountSecrets, MerchantDirectory, RoutingPublisher
from payflowx.domain.merchants.ports import Merchant
from payflowx.domain.payments.ports import AnyDue, DueItems
from payflowx.domain.providers.ports import Providers
from payflowx.domain.recovery.ports import DeadLetters
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import ConfigurationError, Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import EVER_DUE_MS, MAX_DUE_SHARDS, MINUTE_MS

_MAX_MERCHANTS: Final = 50
_MAX_WAITING: Final = 1_000
_OVERDUE_MS: Final = 15 * MINUTE_MS


class Health(StrEnum):
    """The result of a health check."""

    OK = "ok"
    WARNING = "warning"
    """Information only; nothing is broken."""
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """The result of one check. `advice` names the next action; empty if there is none."""

    check: str
    health: Health
    words: str
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionSettings:
    """How many partitions a merchant's day and what is due have, and how many of them are written."""

    lists: int
    due_shards: int
    written_lists: int
    written_shards: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnose:
    """Reads only. A check that fails to run is a result, not an error."""

    merchant_directory: MerchantDirectory
    secrets: AccountSecrets
    publisher: RoutingPublisher
    check_routing: CheckRouting
    dead_letters: DeadLetters
    due_items: DueItems
    partitions: PartitionSettings
    providers: Providers
    clock: Clock

    def __call__(self) -> Sequence[HealthCheck]:
        """Return the results in the order in which an operator should read them."""
        findings: list[HealthCheck] = []
        for name, check in (
            ("merchants", self._merchants),
            ("routing", self._routing),
            ("switches", self._switches),
            ("queues", self._queues),
            ("recovery", self._recovery),
            ("partitions", self._partitions),
        ):
            try:
                findings += check()
            except (StorageUnavailableError, ConfigurationError, Refusal) as error:
                findings.append(
                    HealthCheck(
                        check=name, health=Health.ERROR, words=f"The check failed: {error}.", advice="Try again."
                    )
                )
        return findings

    def _merchants(self) -> Iterator[HealthCheck]:
        page = self.merchant_directory.merchants(after=None, limit=_MAX_MERCHANTS)
        if not page.items:
            yield HealthCheck(
                check="merchants",
                health=Health.WARNING,
                words="There is no merchant yet.",
                advice="payflowx merchants create ID --name NAME",
            )
            return
        faults = 0
        for head in page.items:
            merchant = self.merchant_directory.merchant(head.merchant_id)
            if merchant is None:
                continue
            for finding in self._accounts(merchant):
                faults += 1
                yield finding
        if not faults:
            more = " (the first of them)" if page.next_after else ""
            words = f"{len(page.items)} merchants{more}, all accounts with readable credentials."
            yield HealthCheck(check="merchants", health=Health.OK, words=words)

    def _accounts(self, merchant: Merchant) -> Iterator[HealthCheck]:
        name = merchant.merchant_id
        if not merchant.accounts:
            yield HealthCheck(
                check="merchants",
                health=Health.WARNING,
                words=f"{name} has no provider account, so all its payments are refused.",
                advice=f"payflowx credentials set PROVIDER --merchant {name} --endpoint URL",
            )
        for account in merchant.accounts:
            where = f"{name}, {account.provider}/{account.account_id}"
            arguments = f"{account.provider} --merchant {name} --account {account.account_id}"
            if account.provider not in self.providers.capabilities():
                words = f"{where}: this deployment does not have that provider."
                yield HealthCheck(check="merchants", health=Health.WARNING, words=words)
                continue
            try:
                if self.secrets.version(account.secret_arn).is_rotating:
                    yield HealthCheck(
                        check="merchants",
                        health=Health.WARNING,
                        words=f"{where}: a credential rotation is open.",
                        advice=f"payflowx credentials rotate {arguments} --finish",
                    )
            except Refusal as refusal:
                yield HealthCheck(
                    check="merchants",
                    health=Health.ERROR,
                    words=f"{where}: {refusal.detail}",
                    advice=f"payflowx credentials set {arguments}",
                )

    def _routing(self) -> Iterator[HealthCheck]:
        current = self.publisher.current()
        faults = self.check_routing.faults(current.document)
        if faults:
            words = f"The current routing document is invalid: {'; '.join(faults)}."
            yield HealthCheck(
                check="routing", health=Health.ERROR, words=words, advice="payflowx routing publish FILE, or rollback"
            )
            return
        words = f"Version {current.number} is {current.state.lower()} at {current.percent} percent and valid."
        yield HealthCheck(check="routing", health=Health.OK, words=words)

    def _switches(self) -> Iterator[HealthCheck]:
        off = sorted(s.provider for s in self.merchant_directory.provider_statuses(None) if s.disabled)
        if not off:
            yield HealthCheck(check="switches", health=Health.OK, words="No provider is disabled for all merchants.")
        for provider in off:
            yield HealthCheck(
                check="switches",
                health=Health.WARNING,
                words=f"{provider} is disabled for all merchants.",
                advice=f"payflowx providers enable {provider}",
            )

    def _queues(self) -> Iterator[HealthCheck]:
        for depth in self.dead_letters.depths():
            name = depth.queue.value
            if depth.dead or depth.dead_hidden:
                count = depth.dead + depth.dead_hidden
                words = f"{count} dead letter{'' if count == 1 else 's'} in {name}. No payment is lost by them."
                advice = f"payflowx dlq explain {name}"
                yield HealthCheck(check="queues", health=Health.ERROR, words=words, advice=advice)
            elif depth.waiting > _MAX_WAITING:
                words = f"{depth.waiting} messages are waiting in {name}."
                advice = "Check for a throttled function or a slow provider. See the runbook: messages wait too long."
                yield HealthCheck(check="queues", health=Health.ERROR, words=words, advice=advice)
            else:
                words = f"{name}: {depth.waiting} waiting, no dead letters."
                yield HealthCheck(check="queues", health=Health.OK, words=words)

    def _recovery(self) -> Iterator[HealthCheck]:
        now_ms = self.clock.now_ms()
        until_ms = now_ms - _OVERDUE_MS
        overdue = self._due(range(self.partitions.due_shards), until_ms)
        if overdue:
            minutes = (now_ms - min(due.due_at_ms for due in overdue)) // MINUTE_MS
            words = f"At least {len(overdue)} items are overdue, the oldest by {minutes} minutes."
            advice = "Check that the sweeper runs. See the runbook: a payment has been due for long."
            yield HealthCheck(check="recovery", health=Health.ERROR, words=words, advice=advice)
        else:
            words = f"Nothing is overdue by more than {_OVERDUE_MS // MINUTE_MS} minutes."
            yield HealthCheck(check="recovery", health=Health.OK, words=words)

    def _partitions(self) -> Iterator[HealthCheck]:
        found = self.partitions
        left = self._due(range(found.written_shards, MAX_DUE_SHARDS), self.clock.now_ms() + EVER_DUE_MS)
        if left:
            words = f"At least {len(left)} items lie in shards that nothing is written to."
            advice = "The sweeper moves them, within an hour. Wait for that before a roll-back to an older release."
            yield HealthCheck(check="partitions", health=Health.WARNING, words=words, advice=advice)
        many = "" if found.lists == 1 else "s"
        words = f"A merchant's day has {found.lists} partition{many}, and what is due has {found.due_shards} shards"
        if (found.lists, found.due_shards) == (found.written_lists, found.written_shards):
            yield HealthCheck(check="partitions", health=Health.OK, words=f"{words}.")
        else:
            yield HealthCheck(
                check="partitions",
                health=Health.WARNING,
                words=f"{words}; {found.written_lists} and {found.written_shards} of them are written.",
                advice="When every function runs with these numbers, set write_new_partitions in infra/settings.py.",
            )

    def _due(self, shards: range, until_ms: int) -> Sequence[AnyDue]:
        """Return the first page of each of these shards."""
        return [due for shard in shards for due in next(iter(self.due_items.pages(shard, until_ms)), [])]
