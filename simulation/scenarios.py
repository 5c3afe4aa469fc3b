"""Named scenarios: some things about one payment happen together in nearly every seed, and most others not at all.

A defect may need two rare things at once, such as a bank that still processes a try while its object is closed. Among
all the other faults that is met in one of thousands of seeds. A scenario changes what happens, and how often: the code
that runs and the rules that judge it are those of every seed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from simulation.checkouts import ALL_PROVIDERS, as_checkout
from simulation.faults import ALL_KINDS, Faults
from simulation.payers import USUAL_HABITS, Habits
from simulation.workload import (
    MERCHANTS,
    Order,
    at_payu,
    at_several_providers,
    at_the_last_choice,
    beside_ending_keys,
    cancelled_early,
    captured_late,
    charged_at_once,
    charged_otherwise,
    disputed,
    erased_and_refunded,
    held_after_a_decline,
    held_and_refunded,
    held_over_a_restore,
    pending_for_long,
    refunded_late,
    tries_after_a_late_decline,
    tries_of_orders,
    with_tokens_per_provider,
)


@dataclass(frozen=True, slots=True)
class Scenario:
    """`rates`: how often kinds of faults happen; those that are not named never do."""

    rates: Mapping[str, float]
    shaped: Callable[[list[Order]], list[Order]]
    """The payments of the scenario, made of those that a seed draws."""
    habits: Habits = USUAL_HABITS
    absent: frozenset[str] = frozenset()
    """Providers at which no merchant has an account."""
    subscriptions: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """The event types of a merchant's first, second, ... endpoint, where these are not all."""
    lasts_ms: int = 30 * 60_000
    """How long the faults go on."""

    def faults(self, *, without: frozenset[str]) -> Faults:
        """The same rates in each seed."""
        rates = {kind: 0.0 if kind in without else self.rates.get(kind, 0.0) for kind in ALL_KINDS}
        return Faults(Random(), rates, frozenset())


def _checkouts(orders: list[Order]) -> list[Order]:
    """Each payment at one provider or at all, without anything that follows it."""
    return [_checkout(order, Random(f"scenario {order.payer['id']}")) for order in orders]


def _checkout(order: Order, random: Random) -> Order:
    body = {name: value for name, value in order.body.items() if name not in {"capture", "customer"}}
    body |= {"currency": "INR", "metadata": {"gateway": random.choice(ALL_PROVIDERS)}}
    return replace(order, body=as_checkout(random, body, order.payer), steps=())


_DISPUTING: Final = ("stripe", "razorpay", "cashfree", "payu", "razorpay", "payu")
"""Providers that tell of disputes; payers can pay twice in one object at two of them."""


def _disputed_checkout(order: Order) -> Order:
    random = Random(f"disputed checkout {order.payer['id']}")
    kept = _checkout(order, random)
    return replace(kept, body={**kept.body, "metadata": {"gateway": random.choice(_DISPUTING)}})


def _checkouts_of_orders(orders: list[Order]) -> list[Order]:
    return tries_of_orders(_checkouts(orders))


_RUSH: Final = 0.001
"""In this part of the usual time all payments arrive where partitions are small."""


def _hurried(order: Order, orders: list[Order], part: float) -> Order:
    """The payment arrives in this part of the usual time."""
    first_ms = min(other.at_ms for other in orders)
    return replace(order, at_ms=first_ms + int(part * (order.at_ms - first_ms)))


_EARLY: Final = 0.3
"""In this part of the usual time all payments arrive that a restore is to forget."""


def _forgotten(orders: list[Order]) -> list[Order]:
    """Cards that several providers take, before the stop; in half of the seeds several payments for an order."""
    early = [_hurried(at_several_providers(order), orders, _EARLY) for order in orders]
    is_shop = Random(f"shop {orders[0].payer['id']}").random() < 0.5
    return tries_of_orders(early) if is_shop else early


_OPENED_MS: Final = 2 * 3_600_000
"""After so long a restored deployment is open again."""


def _paid_again(orders: list[Order]) -> list[Order]:
    """Two payments for each order: one that a restore is to forget, and one that is asked for after the restore."""
    first_ms, changed = min(order.at_ms for order in orders), list(orders)
    for merchant in MERCHANTS:
        mine = [number for number, order in enumerate(orders) if order.merchant == merchant]
        for first, second in zip(mine[::2], mine[1::2], strict=False):
            one, other = (at_several_providers(orders[number]) for number in (first, second))
            name, random = {"orderId": f"shop-{one.key}"}, Random(f"paid again {other.payer['id']}")
            early_ms = first_ms + int(_EARLY * (one.at_ms - first_ms))
            late_ms = first_ms + _OPENED_MS + random.randrange(_OPENED_MS)
            changed[first] = replace(one, body={**one.body, **name}, at_ms=early_ms)
            changed[second] = replace(other, body={**other.body, **name}, at_ms=late_ms)
    return changed


SCENARIOS: Final[Mapping[str, Scenario]] = {
    # Objects are closed, or expire, while a bank processes a try or after one that failed.
    "closings": Scenario(
        {"payer_hurries": 0.7, "payer_gives_up": 0.2, "gateway_slow": 0.3, "event_late": 0.3, "event_lost": 0.3},
        _checkouts,
        Habits(("fail", "late", "slow", "leave"), beside_closing=("late", "slow", "fail")),
    ),
    # Providers create objects with another amount than was asked for.
    "other_objects": Scenario({"gateway_other_object": 0.5, "event_lost": 0.3}, _checkouts),
    # The tables are restored while a third of the connections are refused and answers are lost.
    "restores": Scenario(
        {
            "restore": 1.0,
            "gateway_refused": 0.35,
            "gateway_answer_lost": 0.25,
            "gateway_request_lost": 0.15,
            "gateway_error_after": 0.1,
            "event_lost": 0.5,
            "client_cancels": 0.3,
            "client_repeats_later": 0.4,
            "operator_reconciles": 0.7,
        },
        lambda orders: orders,
    ),
    # A restore forgets payments that several providers can take, and the route is another one when they come again.
    "forgotten_payments": Scenario(
        {"restore": 1.0, "gateway_refused": 0.35, "restore_reroutes": 0.5, "queue_delay": 0.9},
        _forgotten,
    ),
    # A provider holds the amount of a charge that it had declined, while another one holds and captures it; a restore
    # forgets all that.
    "late_holds": Scenario(
        {"restore": 1.0, "gateway_reopens": 1.0, "event_lost": 0.5, "queue_delay": 0.5},
        lambda orders: [held_after_a_decline(_hurried(order, orders, _EARLY)) for order in orders],
    ),
    # The same without a restore: reports have other amounts for what was captured, and operators close the reviews.
    "reviews_beside_late_holds": Scenario(
        {
            "gateway_reopens": 1.0,
            "report_other_amount": 0.6,
            "operator_reconciles": 1.0,
            "operator_closes_reviews": 0.95,
        },
        lambda orders: [held_after_a_decline(order, is_reported=True) for order in orders],
    ),
    # Captures, voids, refunds and cancellations find no connection or an error; people act at the provider, and
    # close reviews.
    "operations": Scenario(
        {
            "gateway_refuses_acts": 0.5,
            "gateway_refuses_repeat": 0.5,
            "gateway_contradicts": 0.2,
            "gateway_answer_lost": 0.2,
            "dashboard_refunds": 0.5,
            "dashboard_refunds_beside": 0.3,
            "operation_turns_out": 0.4,
            "operator_closes_reviews": 0.9,
            "operator_errs": 0.3,
            "event_lost": 0.5,
            "event_late": 0.3,
            "client_cancels": 0.3,
        },
        lambda orders: [held_and_refunded(order) for order in orders],
    ),
    # Merchants cancel at once, while answers are lost and what captures, voids or cancels finds no connection, or an
    # error, or is refused; providers tell late of what they hold.
    "cancellations": Scenario(
        {
            "gateway_answer_lost": 0.5,
            "gateway_slow": 0.3,
            "gateway_late_arrival": 0.1,
            "gateway_refuses_acts": 0.65,
            "gateway_refuses_voids": 0.5,
            "operation_turns_out": 0.9,
            "event_late": 0.7,
            "event_lost": 0.3,
            "operator_closes_reviews": 0.5,
        },
        lambda orders: [cancelled_early(order) for order in orders],
    ),
    # Providers swallow requests and answer late, and workers stand still meanwhile: what waits goes to the slow lane,
    # leases end under their holders, and people close the reviews.
    "slow_providers": Scenario(
        {
            "gateway_request_lost": 0.35,
            "gateway_slow": 0.5,
            "gateway_answer_lost": 0.2,
            "gateway_forgets": 0.4,
            "freeze": 0.03,
            "stall": 0.02,
            "crash": 0.01,
            "event_late": 0.3,
            "event_lost": 0.6,
            "client_cancels": 0.3,
            "operator_closes_reviews": 0.95,
            "operator_errs": 0.35,
        },
        lambda orders: [with_tokens_per_provider(order) for order in orders],
    ),
    # Orders are paid again within seconds of a decline that turns into a charge, and the merchant's automatic refunds
    # are turned on at that time.
    "declined_orders": Scenario(
        {
            "operator_turns_refunds_on": 1.0,
            "gateway_answer_lost": 0.1,
            "gateway_refuses_acts": 0.4,
            "event_late": 0.3,
            "event_lost": 0.6,
        },
        tries_after_a_late_decline,
    ),
    # Providers' reports have other amounts, leave lines out, repeat them, and come in short pages; operators reconcile,
    # and merchants refund what may be in review by then.
    "false_reports": Scenario(
        {
            "report_other_amount": 0.3,
            "report_omits": 0.1,
            "report_repeats": 0.1,
            "report_short_pages": 0.7,
            "operator_reconciles": 1.0,
        },
        lambda orders: [
            (charged_at_once if number % 4 > 1 else refunded_late)(order) for number, order in enumerate(orders)
        ],
    ),
    # Messages are poison to a function until it is mended: they reach the dead letters, and operators replay them.
    "poison": Scenario(
        {
            "queue_poison": 0.5,
            "queue_send_error": 0.1,
            "service_error": 0.3,
            "crash": 0.005,
            "bank_disputes": 0.5,
            "event_late": 0.2,
            "event_lost": 0.1,
            "endpoint_fails": 0.1,
            "dashboard_refunds": 0.5,
            "operator_reconciles": 1.0,
            "restore_beside": 0.1,
        },
        lambda orders: [(held_and_refunded if number % 3 else disputed)(order) for number, order in enumerate(orders)],
        lasts_ms=2 * 3_600_000,
    ),
    # PayU's reads lack what is young, reports list a charge later, and answers are lost: nothing ends as failed by an
    # incomplete read, and nothing that is only late is a difference.
    "late_reads": Scenario(
        {
            "gateway_forgets_posts": 0.7,
            "report_lags": 0.8,
            "report_omits": 0.05,
            "gateway_answer_lost": 0.35,
            "gateway_request_lost": 0.1,
            "gateway_late_arrival": 0.05,
            "gateway_contradicts": 0.2,
            "gateway_refuses_repeat": 0.5,
            "dashboard_refunds": 0.5,
            "event_lost": 0.6,
            "event_late": 0.3,
            "operator_reconciles": 1.0,
            "operator_closes_reviews": 0.5,
            "restore_beside": 0.2,
        },
        lambda orders: [(charged_at_once if number % 3 else at_payu)(order) for number, order in enumerate(orders)],
    ),
    # Charges at real providers are refunded here and in dashboards, of which no event tells; reports are read hours
    # later, with other amounts of both kinds of refunds.
    "refunds_elsewhere": Scenario(
        {"dashboard_refunds": 1.0, "event_lost": 1.0, "report_other_amount": 0.3, "operator_reconciles": 1.0},
        lambda orders: [disputed(order) for order in orders],
        lasts_ms=8 * 3_600_000,
    ),
    # All payments arrive within seconds, and partitions take few writes: those of a merchant's lists, of shards of what
    # is due, and of payments with captures and refunds are throttled, each by its key.
    "hot_partitions": Scenario(
        {"db_hot_partition": 1.0, "event_lost": 0.3, "client_repeats_later": 0.4},
        lambda orders: [_hurried(held_and_refunded(order), orders, _RUSH) for order in orders],
    ),
    # While payments arrive, a merchant's day and what is due get more partitions: first functions read them, then they
    # write them, and in half of the seeds the shards are lowered again. Messages and workers are lost, so that the
    # sweeper finds much of what is due.
    "more_partitions": Scenario(
        {
            "partitions_deployed": 1.0,
            "cold_start": 0.3,
            "crash": 0.01,
            "db_index_lag": 0.2,
            "queue_send_error": 0.5,
            "endpoint_fails": 0.2,
            "event_lost": 0.5,
            "client_repeats_later": 0.4,
        },
        lambda orders: [held_and_refunded(order) for order in orders],
    ),
    # Payments are accepted in the full layout at first, as production does it. A deployment turns the compact one on,
    # and in half of the seeds off again. Messages, answers and workers are lost, and requests are repeated.
    "full_layout": Scenario(
        {
            "compact_deployed": 1.0,
            "cold_start": 0.3,
            "crash": 0.01,
            "db_conflict": 0.05,
            "db_error_before": 0.05,
            "db_lost_answer": 0.1,
            "queue_send_error": 0.3,
            "client_lost_answer": 0.1,
            "client_concurrent": 0.3,
            "client_repeats_later": 0.4,
            "client_other_body": 0.1,
            "client_cancels": 0.2,
            "client_erases": 0.2,
            "gateway_answer_lost": 0.2,
            "gateway_refused": 0.2,
            "event_late": 0.3,
            "event_lost": 0.3,
            "endpoint_fails": 0.2,
        },
        lambda orders: orders,
    ),
    # Merchants' endpoints fail, answer late, send elsewhere, and some are gone.
    "endpoints": Scenario(
        {
            "endpoint_gone": 0.02,
            "endpoint_fails": 0.2,
            "endpoint_refuses": 0.1,
            "endpoint_late": 0.1,
            "endpoint_redirects": 0.05,
            "queue_duplicate": 0.2,
        },
        lambda orders: [held_and_refunded(order) for order in orders],
    ),
    # Providers limit requests and name a time to wait; others cannot be reached.
    "rate_limits": Scenario(
        {"gateway_limits": 0.6, "gateway_refused": 0.3, "gateway_answer_lost": 0.1, "event_lost": 0.3},
        lambda orders: [
            (at_several_providers if number % 3 else held_and_refunded)(order) for number, order in enumerate(orders)
        ],
    ),
    # Merchants capture when a hold ends, and after they have cancelled; voids are refused, and cancellations find no
    # connection, or an error.
    "late_captures": Scenario(
        {
            "gateway_short_holds": 1.0,
            "gateway_answer_lost": 0.2,
            "gateway_refuses_acts": 0.5,
            "gateway_refuses_voids": 0.6,
            "event_late": 0.5,
            "event_lost": 0.3,
        },
        lambda orders: [captured_late(order) for order in orders],
    ),
    # A restore forgets payments for orders, which are paid again after it; each provider proves by a look-up that it
    # got nothing.
    "forgotten_orders": Scenario(
        {"restore": 1.0, "gateway_refused": 0.2, "event_lost": 0.3},
        _paid_again,
        absent=frozenset({"razorpay_mock"}),
    ),
    # A restore forgets authorizations, which merchants cancel, capture or leave to lapse hours after it.
    "forgotten_holds": Scenario(
        {"restore": 1.0, "queue_delay": 0.9, "gateway_refused": 0.1, "gateway_long_holds": 0.7, "event_lost": 0.7},
        lambda orders: [held_over_a_restore(_hurried(order, orders, _EARLY)) for order in orders],
    ),
    # Two providers refuse the connections of one merchant for more than an hour; others can take most payments.
    "sick_provider": Scenario(
        {"gateway_sick": 1.0, "event_lost": 0.3},
        lambda orders: [
            (at_several_providers if number % 6 > 1 else at_the_last_choice)(order)
            for number, order in enumerate(orders)
        ],
        lasts_ms=100 * 60_000,
    ),
    # Payers' data are erased before refunds are refused with a sentence, now or after a repetition, or fail later;
    # people refund at the provider, and that settles or fails later.
    "erasures": Scenario(
        {
            "operation_turns_out": 0.7,
            "gateway_refuses_repeat": 0.9,
            "gateway_answer_lost": 0.3,
            "dashboard_refunds": 1.0,
            "dashboard_refunds_later": 0.7,
            "event_lost": 0.3,
        },
        lambda orders: [erased_and_refunded(order) for order in orders],
    ),
    # Credentials are rotated while payments arrive, and events are signed with those of before for half an hour.
    "rotations": Scenario(
        {"operator_rotates_early": 1.0, "event_late": 0.2, "cold_start": 0.2},
        lambda orders: [held_and_refunded(order) for order in orders],
    ),
    # Endpoints subscribe to some types of events only, and merchants rotate their secrets while payments arrive.
    # They fail so often that some events are posted more than a day after the rotation.
    "subscriptions": Scenario(
        {"merchant_rotates_secrets": 1.0, "endpoint_fails": 0.7, "queue_duplicate": 0.2, "cold_start": 0.2},
        lambda orders: [held_and_refunded(order) for order in orders],
        subscriptions={
            1: ("payment.succeeded", "payment.failed", "refund.succeeded"),
            2: ("payment.authorized", "refund.succeeded"),
        },
        lasts_ms=36 * 3_600_000,
    ),
    # Endpoints fail for more than four days, most of the time: some events are tried ten times and given up.
    "given_up": Scenario(
        {"endpoint_fails": 0.9, "queue_duplicate": 0.1},
        lambda orders: [charged_at_once(order) for order in orders],
        lasts_ms=110 * 3_600_000,
    ),
    # Orders are paid again after a decline that turns into a charge. Automatic refunds, which made that possible, are
    # off again before anybody knows of it: no event comes, and reads hide the charge.
    "refunds_turned_off": Scenario(
        {
            "operator_turns_refunds_off": 1.0,
            "gateway_forgets": 0.85,
            "event_lost": 1.0,
            "client_repeats_later": 0.5,
        },
        tries_after_a_late_decline,
    ),
    # Providers charge and hold other amounts than were asked for, people capture and refund a part there, and others
    # close the reviews with what was kept.
    "kept_in_part": Scenario(
        {
            "dashboard_refunds": 1.0,
            "dashboard_captures": 0.9,
            "operator_closes_reviews": 1.0,
            "operator_reconciles": 1.0,
            "event_lost": 0.5,
            "event_late": 0.3,
            "gateway_answer_lost": 0.2,
        },
        lambda orders: [charged_otherwise(order) for order in orders],
    ),
    # Charges and refunds are pending for two to ten days, while answers, events and workers are lost.
    "slow_banks": Scenario(
        {
            "gateway_pends_for_days": 0.6,
            "operation_turns_out": 0.6,
            "gateway_answer_lost": 0.2,
            "gateway_error_after": 0.1,
            "gateway_forgets": 0.1,
            "event_before_answer": 0.3,
            "event_lost": 0.5,
            "event_late": 0.2,
            "client_cancels": 0.2,
            "crash": 0.005,
        },
        lambda orders: [pending_for_long(order) for order in orders],
    ),
    # Banks dispute charges at real providers while payments arrive and are refunded. What the providers tell of that
    # comes in any order, twice, late, not at all, and to the other merchant's address; payers' data are erased.
    "disputes": Scenario(
        {
            "bank_disputes": 0.8,
            "event_late": 0.15,
            "event_twice": 0.3,
            "event_lost": 0.2,
            "event_before_answer": 0.3,
            "event_misaddressed": 0.2,
            "event_foreign": 0.2,
            "clock_skew": 0.5,
            "cold_start": 0.3,
            "gateway_answer_lost": 0.3,
            "client_erases": 0.2,
        },
        lambda orders: [
            disputed(order) if number % 6 > 1 else _disputed_checkout(order) for number, order in enumerate(orders)
        ],
        Habits(("late", "late", "pay", "pay", "slow", "fail")),
        lasts_ms=90 * 60_000,
    ),
    # A restore forgets disputes, and the charges that they are about.
    "forgotten_disputes": Scenario(
        {"restore": 1.0, "bank_disputes": 0.9, "event_late": 0.3, "event_lost": 0.2, "gateway_answer_lost": 0.2},
        lambda orders: [disputed(order) for order in orders],
        lasts_ms=90 * 60_000,
    ),
    # A merchant cancels when a try fails that may still be charged, and the order is paid by another payment.
    "cancelled_orders": Scenario(
        {"payer_gives_up": 0.9, "event_late": 0.3, "event_lost": 0.3},
        _checkouts_of_orders,
        Habits(("pay", "fail", "fail", "late", "slow", "leave")),
    ),
    # Merchants' API keys are created, rotated and revoked, and end after an hour or a day, while payments, captures and
    # refunds are asked for with keys of all ages. Two people end the same key at once.
    "api_keys": Scenario(
        {
            "operator_ends_keys": 1.0,
            "client_uses_any_key": 0.3,
            "client_repeats_later": 0.4,
            "client_lost_answer": 0.1,
            "client_concurrent": 0.3,
            "db_lost_answer": 0.05,
            "db_error_before": 0.05,
            "db_conflict": 0.05,
            "db_stale_read": 0.3,
            "crash": 0.003,
            "clock_skew": 0.5,
            "cold_start": 0.2,
        },
        beside_ending_keys,
        lasts_ms=25 * 3_600_000,
    ),
    # Above a small amount two people decide: they propose, approve, withdraw, let proposals expire, and get in each
    # other's way, while functions die between two writes and STS gives no answer.
    "approvals": Scenario(
        {
            "operators_decide_by_two": 1.0,
            "identity_unknown": 0.1,
            "restore_beside": 0.25,
            "gateway_refuses_acts": 0.4,
            "gateway_request_lost": 0.05,
            "gateway_answer_lost": 0.2,
            "gateway_forgets": 0.4,
            "freeze": 0.02,
            "stall": 0.01,
            "crash": 0.02,
            "clock_skew": 0.5,
            "db_lost_answer": 0.05,
            "db_conflict": 0.05,
            "event_late": 0.3,
            "event_lost": 0.6,
            "report_other_amount": 0.6,
            "operator_reconciles": 1.0,
        },
        lambda orders: [
            (charged_at_once, with_tokens_per_provider, held_and_refunded)[number // 2 % 3](order)
            for number, order in enumerate(orders)
        ],
        lasts_ms=3 * 3_600_000,
    ),
}
