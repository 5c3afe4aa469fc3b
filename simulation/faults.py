"""The kinds of faults, their highest rates, and how often each occurred.

Each seed draws its own rates, and leaves each kind out in two of five seeds: what always happens hides the rest.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

MAX_RATES: Final[dict[str, float]] = {
    # DynamoDB and the other services, a try of a call. The SDK's own repeats are part of the model.
    "db_error_before": 0.10,
    "db_lost_answer": 0.10,
    "db_conflict": 0.12,
    "db_stale_read": 0.30,
    "db_index_lag": 0.40,
    "db_key_row_lost": 0.02,
    "service_error": 0.05,
    # SQS and its poller
    "queue_send_error": 0.12,
    "queue_send_lost_answer": 0.08,
    "queue_duplicate": 0.25,
    "queue_delay": 0.25,
    "queue_lost_delete": 0.12,
    "queue_redrive": 0.50,
    # Functions, each time a call leaves or an answer comes back
    "crash": 0.015,
    "stall": 0.02,
    "freeze": 0.004,
    "clock_skew": 0.50,
    "cold_start": 0.20,
    # Providers, a request
    "gateway_refused": 0.12,
    "gateway_request_lost": 0.10,
    "gateway_late_arrival": 0.10,
    "gateway_answer_lost": 0.12,
    "gateway_error_before": 0.10,
    "gateway_error_after": 0.10,
    "gateway_garbage": 0.08,
    "gateway_slow": 0.25,
    "gateway_forgets": 0.40,
    "gateway_rejects_credentials": 0.03,
    # Providers' webhooks, an event
    "event_before_answer": 0.50,
    "event_late": 0.40,
    "event_twice": 0.30,
    "event_lost": 0.60,
    "event_forged": 0.25,
    "event_misaddressed": 0.15,
    "event_foreign": 0.25,
    # Merchants' webhook endpoints, a post
    "endpoint_refuses": 0.15,
    "endpoint_fails": 0.20,
    "endpoint_late": 0.10,
    "endpoint_gone": 0.01,
    # Operators
    "operator_rotates_key": 0.30,
    "operator_rotates_credentials": 0.40,
    "operator_replays": 0.60,
    "operator_closes_reviews": 0.60,
    "operator_errs": 0.35,
    "operator_reconciles": 0.70,
    # Providers' reports, a line
    "report_omits": 0.30,
    "report_repeats": 0.20,
    "report_other_amount": 0.20,
    # Merchants' people at their providers, several chances a run each
    "dashboard_refunds": 0.90,
    "dashboard_captures": 0.25,
    "dashboard_voids": 0.25,
    # Captures, voids and refunds at providers
    "operation_turns_out": 0.60,
    # Clients, a payment
    "client_concurrent": 0.50,
    "client_repeats_later": 0.40,
    "client_other_body": 0.30,
    "client_cancels": 0.30,
    "client_erases": 0.40,
    "client_lost_answer": 0.25,
    # Merchants' endpoints again: they send the deliverer elsewhere
    "endpoint_redirects": 0.10,
    # Reports again: a failed charge that is listed as a success
    "report_claims": 0.50,
}
APART: Final[dict[str, float]] = {
    # Real providers, a request that charges, captures, voids or refunds: an error although it was executed
    "gateway_contradicts": 0.5,
    # Real providers, a refund that is sent again: a refusal although it was executed before
    "gateway_refuses_repeat": 0.9,
    # All providers whose request has the amount in plain text, a hosted object: created with another amount
    "gateway_other_object": 0.3,
    # A connection that is used again is reset, or swallows the request, before the provider sees it
    "gateway_idle_lost": 0.15,
    # The tables are restored to an earlier time, once in a run that has it
    "restore": 1.0,
    # Payers, of whom there are more then: a try just before an object ends, which may fail or whose bank is slow
    "payer_hurries": 1.0,
    # Payers, a try on a provider's page that fails or does not end: the merchant cancels the payment at once
    "payer_gives_up": 1.0,
    # Merchants' people at their providers, a refund of ours that leaves: they refund what they see, too
    "dashboard_refunds_beside": 0.5,
    # Providers, a request that captures, voids, refunds or cancels: no connection, or an error instead
    "gateway_refuses_acts": 0.7,
}
"""Drawn last and from numbers of their own: a seed without them runs as it did before they were known."""
IN_SCENARIOS: Final = (
    # While the tables are restored, operators publish another routing document
    "restore_reroutes",
    # The provider "mock", a request that voids: refused although the amount is held
    "gateway_refuses_voids",
    # The provider "mock", a charge that it declines: it takes the amount later, although it says that it never does
    "gateway_reopens",
    # Operators turn a merchant's automatic refunds on while payments arrive, and not before the first one
    "operator_turns_refunds_on",
    # DynamoDB's partitions take few writes a second, each by its key: what is beyond is throttled
    "db_hot_partition",
    # A merchant's day and what is due get more partitions, by the deployments that docs/upgrading.md asks for
    "partitions_deployed",
    # Payments are accepted in the full layout, as production does it first, until a deployment turns the compact one on
    "compact_deployed",
    # Providers, a request that charges or acts: too many requests, with a time to wait
    "gateway_limits",
    # The providers "mock" and "razorpay_mock" refuse the connections of one of the merchants
    "gateway_sick",
    # Stripe, a request: what it authorizes is held for ten minutes
    "gateway_short_holds",
    # Stripe, a request: what it authorizes is held for three hours, longer than a restore takes
    "gateway_long_holds",
    # They turn them off again, soon after the first payment
    "operator_turns_refunds_off",
    # Operators rotate all credentials while payments arrive, and events are signed with the old ones for half an hour
    "operator_rotates_early",
    # Merchants ask for new secrets of their endpoints while payments arrive
    "merchant_rotates_secrets",
    # Merchants' people at their providers, a refund: it settles later, or fails later
    "dashboard_refunds_later",
    # Stripe's report, a page: of two lines, although more may stand on one
    "report_short_pages",
    # Operators create, rotate and revoke merchants' API keys, two of them now and then the same one
    "operator_ends_keys",
    # Merchants, a request: it bears any key that they ever had
    "client_uses_any_key",
    # One of them proposes what is above a merchant's limit, and another one approves it
    "operators_decide_by_two",
    # STS, a request: no answer, or an error
    "identity_unknown",
    # The tables are restored, as above, in this part of the seeds
    "restore_beside",
    # Providers, a request that charges or refunds: what is pending after it settles days later, and not within seconds
    "gateway_pends_for_days",
    # Payers' banks, a charge at a real provider: disputed
    "bank_disputes",
    # A message: the function that gets it crashes, or reports it as failed, each time until it is mended
    "queue_poison",
    # PayU, an inquiry by our key or about a payment's actions, which is a post: what is younger than a part of the
    # documented lag is missing
    "gateway_forgets_posts",
    # Real providers, a page of a report: lines that are younger than a part of the report's lag are missing
    "report_lags",
)
"""Only scenarios have them."""
ALL_KINDS: Final = (*MAX_RATES, *APART, *IN_SCENARIOS)
_APART: Final = 0.2
"""This part of the seeds has a kind that is apart."""
EPISODES: Final[dict[str, float]] = {
    "sweeper_off": 0.25,
    "gateway_outage": 0.35,
    "gateway_switched_off": 0.25,
    "workers_off": 0.25,
    "account_removed": 0.15,
    "deployment": 0.25,
    "unreadable_items": 0.30,
}
"""Whole stretches of time, in this part of the seeds."""

_OFF: Final = 0.4


@dataclass(slots=True)
class Faults:
    """`strikes` draws, counts and records. After `stop` nothing goes wrong any more."""

    random: Random
    rates: dict[str, float]
    episodes: frozenset[str]
    record: Callable[[str], None] = lambda _kind: None
    apart: Random = field(default_factory=lambda: Random(0))
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """A kind without a rate would end a run only at the first time that it is asked about."""
        if odd := self.rates.keys() ^ set(ALL_KINDS):
            raise ValueError(f"these kinds have no rate, or nothing asks about them: {', '.join(sorted(odd))}")

    @staticmethod
    def none(random: Random) -> "Faults":
        """Every rate is 0: a world where nothing goes wrong, until its owner raises a rate."""
        return Faults(random, dict.fromkeys(ALL_KINDS, 0.0), frozenset())

    @property
    def is_hazardous(self) -> bool:
        """Whether anything can happen to a process while it waits."""
        rates = self.rates
        return bool(rates["crash"] or rates["stall"] or rates["freeze"])

    @staticmethod
    def drawn(random: Random, *, without: frozenset[str] = frozenset()) -> "Faults":
        """The rates of one seed. What is left out later must not change what else is drawn."""
        rates = {}
        for kind, most in MAX_RATES.items():
            off, share = random.random() < _OFF, random.random()
            rates[kind] = 0.0 if off or kind in without else most * share
        episodes = {kind: random.random() < share for kind, share in EPISODES.items()}
        for kind, most in APART.items():
            on, share = random.random() < _APART, random.random()
            rates[kind] = most * share if on and kind not in without else 0.0
        rates |= dict.fromkeys(IN_SCENARIOS, 0.0)
        return Faults(random, rates, frozenset(kind for kind, on in episodes.items() if on and kind not in without))

    def strikes(self, kind: str) -> bool:
        """Whether it happens now."""
        rate = self.rates[kind]
        random = self.apart if kind in APART or kind in IN_SCENARIOS else self.random
        if rate and random.random() < rate:
            self.count(kind)
            return True
        return False

    def count(self, kind: str) -> None:
        """It happens now."""
        self.counts[kind] += 1
        self.record(kind)

    def stop(self) -> None:
        """From now on everything works, but reports still lie: those that matter are read an hour later."""
        self.rates = {kind: rate if kind.startswith("report_") else 0.0 for kind, rate in self.rates.items()}
        self.episodes = frozenset()
