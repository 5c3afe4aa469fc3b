"""The merchants: what they want paid, what they do with it afterwards, and how their software behaves.

Two merchants use the same keys.
"""

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random
from typing import Any, Final

from sandbox.behaviours import BEHAVIOURS
from sandbox.simulators import REAL_PROVIDERS, SIMULATORS
from simulation.checkouts import ALL_PROVIDERS, EVERYWHERE, LAST_CHOICE, as_checkout

MERCHANTS: Final = ("acme", "globex")
PAYMENTS: Final = 24
ARRIVAL_MS: Final = 600_000
_PLAIN: Final = 0.5
"""This part of the payments uses a card that just works; the faults around it are enough."""

_TOKENS: Final = tuple(sorted(BEHAVIOURS))
_REAL_PROVIDERS: Final = tuple(REAL_PROVIDERS)
_REAL: Final = 0.55
"""This part of the payments goes to the connectors and simulators of the four real providers, and nowhere else."""
_MANUAL_AT_REAL: Final = ("stripe", "razorpay")
_NEVER_HELD: Final = frozenset(_REAL_PROVIDERS) - {*_MANUAL_AT_REAL}
_OF_CHECKOUTS: Final = frozenset({"capture", "checkout", "expiresInSeconds"})
_PRESENT: Final = 0.22
"""This part of the payments is a checkout: its payer chooses, and pays on a provider's page."""
_MORE_PRESENT: Final = 0.6
"""And this part of the others where payers hurry."""
_REFUNDED: Final = 0.9
"""This part of what was taken is given back, some or all of it: operations are what this is about."""
_REFUNDS: Final = (2, 4, 5, 7)
"""In so many parts, of which the last ones may find nothing left. So there are three operations for two payments."""
_SHOPS: Final = 0.25
"""In this part of the seeds, several payments are tried for one order of the merchant's."""
_BESIDE: Final = 0.08
"""Of those payments, the part that says that the order is paid in several ones."""
_REOPENED: Final = (0.5, 0.25, 0.15)
"""Of the first, second and third payments of such orders, the part that a provider declines and charges later."""
_GIVEN_BACK: Final = 0.4
"""Of their other first payments, the part that is refunded as a whole, whereupon the payer pays again."""
_TABS_MS: Final = 240_000
"""Within this time of the first payment, mostly much sooner, the payer tries again."""
_BEFORE_REOPENED_MS: Final = 9_000
"""A card whose decline turns into a charge has not been charged yet."""
REFUNDS_BY_ITSELF: Final = "globex"
"""The merchant whose charges beside the holder of an order are refunded without a person."""
_HELD_OF_CANCELLED: Final = 0.6
"""This part of the payments that are cancelled early is held, where the provider can do that."""
_CANCELLED_MS: Final = 15_000
"""They are cancelled within this time: after an answer that was lost, two inquiries follow in it."""
_RECONCILED_MS: Final = (30 * 60_000, 90 * 60_000)
"""After a payment, the time within which operators reconcile, and mostly have not closed the reviews yet."""
_DISPUTED_MS: Final = 20 * 60_000
"""After a charge that banks dispute, the time within which it is refunded in parts."""
_LAPSED: Final = 0.5
"""This part of the payments that are captured too late is captured about when their hold ends."""
_OPENED_MS: Final = (2 * 3_600_000, 8 * 3_600_000)
"""In this time a restored deployment is open again."""
_AT_STRIPE: Final = 0.5
"""This part of what is held over a restore is at Stripe, whose holds may lapse soon."""
HOLD_MS: Final = 600_000
LONG_HOLD_MS: Final = 3 * 3_600_000
"""How long an amount is held where holds are short."""
_BEFORE_LAPSE_MS: Final = 20_000
_AFTER_LAPSE_MS: Final = 60_000
_CAPTURED_AFTER_MS: Final = 90_000
"""The others are captured within this time of their cancellation."""
_MANUAL: Final = 0.7
"""Of the payments whose providers can hold an amount; the others cannot, so half of all payments are held."""

_REFUNDED_LATER: Final = 0.5
"""This part of the payments where much is pending is charged at once, and refunded."""
_MOCKS: Final = ("mock", "cashfree_mock", "razorpay_mock")
_TOKENS_PER_PROVIDER: Final = (
    "tok_reopened_decline",
    "tok_reopened_decline",
    "tok_success",
    "tok_soft_decline",
    "tok_async_success",
)

_REPORTED: Final = "reported"
"""The route of payments that a provider with reports takes after one without."""

DOCUMENT: Final = json.dumps(
    {
        "version": "simulation",
        "rules": [
            *(
                {"name": f"{name}-on-request", "when": {"metadata": {"gateway": [name]}}, "use": {"providers": [name]}}
                for name in (*_REAL_PROVIDERS, LAST_CHOICE)
            ),
            {
                "name": "checkout",
                "when": {"metadata": {"route": [EVERYWHERE]}},
                "use": {"providers": list(ALL_PROVIDERS)},
            },
            {
                "name": "inr",
                "when": {"currencies": ["INR"]},
                "use": {"providers": ["razorpay_mock", "cashfree_mock", "mock"]},
            },
            {
                "name": "high-value",
                "when": {"currencies": ["USD", "EUR"], "amountAtLeast": 1_000_000},
                "use": {"providers": ["cashfree_mock", "mock", "razorpay_mock"]},
            },
            {
                "name": "split",
                "when": {"metadata": {"route": ["split"]}},
                "use": {
                    "split": [
                        {"percent": 50, "providers": ["cashfree_mock", "mock"]},
                        {"percent": 50, "providers": ["mock", "cashfree_mock"]},
                    ]
                },
            },
            {
                "name": "reported",
                "when": {"metadata": {"route": [_REPORTED]}},
                "use": {"providers": ["mock", "stripe"]},
            },
            {"name": "default", "when": {}, "use": {"providers": ["mock", "cashfree_mock"]}},
        ],
    }
).encode()


class Wish(StrEnum):
    """A later request of a merchant about its payment."""

    CAPTURE = "capture"
    REFUND = "refund"
    CANCEL = "cancel"
    ERASE = "erase"
    """Of the payer's data, by an operator."""


class Manner(StrEnum):
    """How its software asks."""

    ONCE = "once"
    TWICE_AT_ONCE = "twice at once"
    """The same request under the same key, side by side."""
    TWO_AT_ONCE = "two at once"
    """Two requests under two keys, side by side."""
    OTHER_BODY = "other body"
    """Again under the same key, with another amount."""
    TOO_MUCH = "too much"
    """More than there can be."""


@dataclass(frozen=True, slots=True)
class Step:
    """A capture, refund, cancellation or erasure. `share` of the payment's amount; None names no amount.

    `patient`: asked for when the payment allows it; otherwise after `wait_ms`, whatever the payment's state is.
    `keyed`: with an idempotency key; only a cancellation may have none.
    """

    wish: Wish
    share: float | None = None
    manner: Manner = Manner.ONCE
    patient: bool = True
    wait_ms: int = 0
    keyed: bool = True


@dataclass(frozen=True, slots=True)
class Order:
    """One thing that a merchant wants paid once, and when its software asks for it."""

    merchant: str
    key: str
    at_ms: int
    body: dict[str, Any]
    approves: bool
    """Whether the payer does what the provider asks for."""
    payer: dict[str, str]
    """Personal data that no other order has; the body's `customer` where the merchant names one."""
    steps: tuple[Step, ...] = ()
    extras: dict[str, float] = field(default_factory=dict)
    """Draws for what the client does besides; kept with the order, so that a smaller workload behaves alike."""


def orders(random: Random, start_ms: int, *, payments: int = PAYMENTS, hurry: float = 0.0) -> list[Order]:
    """Both merchants use each key, for different things. A merchant's every order draws from numbers of its own.

    `hurry`: how often payers hurry.
    """
    present = _PRESENT + (1 - _PRESENT) * _MORE_PRESENT * hurry
    is_shop = Random(repr(random.getstate()[1][:8])).random() < _SHOPS
    made = [_order(Random(random.getrandbits(64)), number, start_ms, present) for number in range(payments)]
    return tries_of_orders(made) if is_shop else made


def tries_of_orders(made: list[Order]) -> list[Order]:
    """The same, but some payments of a merchant are tries to pay one order. Both merchants use the same names.

    Draws come from the orders themselves, so that a smaller workload behaves alike.
    """
    changed = list(made)
    for merchant in MERCHANTS:
        mine = [number for number, order in enumerate(made) if order.merchant == merchant]
        while mine:
            first = made[mine[0]]
            size = Random(first.payer["id"]).choice((1, 2, 2, 3))
            tries, mine = mine[:size], mine[size:]
            for place, number in enumerate(tries):
                changed[number] = _try(Random(f"try {made[number].payer['id']}"), made[number], first, place)
    return changed


def _try(random: Random, order: Order, first: Order, place: int) -> Order:
    body = {**order.body, "orderId": f"shop-{first.key}"}
    if random.random() < _BESIDE:
        body["oncePerOrder"] = False
    steps = order.steps
    if random.random() < _REOPENED[place]:
        body = _declined(body)
    elif place == 0 and "capture" not in body and random.random() < _GIVEN_BACK:
        steps = (Step(Wish.REFUND, wait_ms=random.randrange(20_000)),)
    at_ms = first.at_ms + (int(random.random() ** 3 * _TABS_MS) if place else 0)
    return replace(order, body=body, at_ms=at_ms, steps=steps)


def _declined(body: dict[str, Any]) -> dict[str, Any]:
    """The same payment with a card whose decline turns into a charge after 10 s."""
    metadata = {name: text for name, text in body.get("metadata", {}).items() if name == "note"}
    kept = {name: value for name, value in body.items() if name != "expiresInSeconds"}
    method = {"type": "card", "token": "tok_reopened_decline"}
    return kept | {"currency": "INR", "paymentMethod": method, "metadata": metadata}


def _order(random: Random, number: int, start_ms: int, present: float) -> Order:
    merchant = MERCHANTS[number % len(MERCHANTS)]
    payer = _payer(random)
    body = _at_real_provider(random, payer) if random.random() < _REAL else _at_mock(random, payer)
    body = _with_texts(body, payer)
    presence = Random(f"present {payer['id']}")
    if presence.random() < present:
        body = as_checkout(presence, body, payer)
    return Order(
        merchant=merchant,
        key=f"order-{number // len(MERCHANTS)}",
        at_ms=start_ms + random.randrange(ARRIVAL_MS),
        body=body,
        approves=random.random() < 0.6,
        payer=payer,
        steps=_steps(random, is_held=body.get("capture") == "manual"),
        extras={name: random.random() for name in ("concurrent", "later", "other", "cancel", "pause", "erase")},
    )


def held_and_refunded(order: Order) -> Order:
    """The same payment with a card that works, held where its providers can, and with all that may follow a charge."""
    random = Random(f"operations {order.payer['id']}")
    metadata = {name: text for name, text in order.body.get("metadata", {}).items() if text != EVERYWHERE}
    is_held = metadata.get("gateway") not in _NEVER_HELD
    body = {name: value for name, value in order.body.items() if name not in _OF_CHECKOUTS}
    body |= {"paymentMethod": {"type": "card", "token": "tok_success"}, "metadata": metadata, "customer": order.payer}
    body |= {"capture": "manual"} if is_held else {}
    return replace(order, body=body, steps=_steps(random, is_held=is_held))


def charged_at_once(order: Order) -> Order:
    """A card that works at a real provider, and nothing after the charge."""
    random = Random(f"charged {order.payer['id']}")
    body = _at_real_provider(random, order.payer) | {"paymentMethod": {"type": "card", "token": "tok_success"}}
    return replace(order, body={name: value for name, value in body.items() if name != "capture"}, steps=())


def at_payu(order: Order) -> Order:
    """A card at PayU that works, or that PayU declines or charges late, and refunds of the charge."""
    random = Random(f"at payu {order.payer['id']}")
    token = random.choice(("tok_success", "tok_success", "tok_success", "tok_async_success", "tok_soft_decline"))
    body = {**charged_at_once(order).body, "paymentMethod": {"type": "card", "token": token}}
    refunds = [_refund(random) for _ in range(random.choice((0, 1, 1, 2)))]
    return replace(order, body={**body, "metadata": {"gateway": "payu"}}, steps=tuple(refunds))


def disputed(order: Order) -> Order:
    """A card that works at a real provider, and small refunds before, while and after the charge is disputed."""
    kept, random = charged_at_once(order), Random(f"disputed {order.payer['id']}")
    waits_ms = [random.randrange(_DISPUTED_MS) for _ in range(random.choice((0, 1, 1, 2)))]
    refunds = [Step(Wish.REFUND, round(0.05 + random.random() / 5, 2), wait_ms=wait_ms) for wait_ms in waits_ms]
    return replace(kept, steps=tuple(refunds))


def pending_for_long(order: Order) -> Order:
    """A card that a mock or PayU charges, or declines, later; or a charge at a real provider with refunds."""
    random = Random(f"pending {order.payer['id']}")
    if random.random() < _REFUNDED_LATER:
        return disputed(order)
    token = random.choice(("tok_async_success", "tok_async_failure"))
    body = _at_real_provider(random, order.payer) | {"paymentMethod": {"type": "card", "token": token}}
    body |= {"metadata": {"gateway": random.choice(("payu", LAST_CHOICE, "any"))}}
    return replace(order, body={name: value for name, value in body.items() if name != "capture"}, steps=())


def charged_otherwise(order: Order) -> Order:
    """A card that is charged with another amount, held or not; its review is closed, and a part is refunded later."""
    kept, random = held_and_refunded(order), Random(f"charged otherwise {order.payer['id']}")
    body = kept.body if random.random() < _HELD_OF_CANCELLED else {n: v for n, v in kept.body.items() if n != "capture"}
    body |= {"paymentMethod": {"type": "card", "token": "tok_wrong_amount"}}
    wait_ms = random.randrange(*_RECONCILED_MS)
    return replace(order, body=body, steps=(Step(Wish.REFUND, 0.05, patient=False, wait_ms=wait_ms),))


def refunded_late(order: Order) -> Order:
    """A card that works at a real provider, and a small refund when operators have reconciled."""
    kept, random = charged_at_once(order), Random(f"refunded late {order.payer['id']}")
    wait_ms = random.randrange(*_RECONCILED_MS)
    return replace(kept, steps=(Step(Wish.REFUND, 0.05, patient=False, wait_ms=wait_ms),))


def with_tokens_per_provider(order: Order) -> Order:
    """The same payment with a card that behaves in another way at each mock, held or not, and what follows it."""
    kept, random = held_and_refunded(order), Random(f"tokens {order.payer['id']}")
    tokens = {name: random.choice(_TOKENS_PER_PROVIDER) for name in _MOCKS}
    body = {name: value for name, value in kept.body.items() if name != "metadata"}
    body |= {"currency": random.choice(("USD", "INR")), "paymentMethod": {"type": "card", "tokens": tokens}}
    return replace(kept, body=body | {"customer": order.payer})


def cancelled_early(order: Order) -> Order:
    """The same payment with a card that works, held or not, which its merchant cancels before the outcome is known."""
    kept, random = held_and_refunded(order), Random(f"cancelled {order.payer['id']}")
    body = kept.body if random.random() < _HELD_OF_CANCELLED else {n: v for n, v in kept.body.items() if n != "capture"}
    wait_ms, keyed = random.randrange(_CANCELLED_MS), random.random() < 0.5
    return replace(kept, body=body, steps=(Step(Wish.CANCEL, patient=False, wait_ms=wait_ms, keyed=keyed),))


def captured_late(order: Order) -> Order:
    """A card that works, held at Stripe or where voids may be refused, whose merchant captures too late: about when the
    hold ends, or after the payment was to be cancelled.
    """
    random = Random(f"captured late {order.payer['id']}")
    kept = held_and_refunded(order)
    lapses = random.random() < _LAPSED
    body = {**kept.body, "amount": 1999, "currency": "INR" if lapses else "USD", "capture": "manual"}
    body["metadata"] = {"gateway": "stripe"} if lapses else {}
    if lapses:
        begins_ms = HOLD_MS + random.randrange(-_BEFORE_LAPSE_MS, _AFTER_LAPSE_MS)
        return replace(kept, body=body, steps=(Step(Wish.CAPTURE, patient=False, wait_ms=begins_ms),))
    cancelled_ms = random.randrange(_CANCELLED_MS)
    captures = [cancelled_ms + random.randrange(_CAPTURED_AFTER_MS) for _ in range(2)]
    steps = [Step(Wish.CANCEL, patient=False, wait_ms=cancelled_ms)]
    steps += [Step(Wish.CAPTURE, patient=False, wait_ms=wait_ms) for wait_ms in captures]
    return replace(kept, body=body, steps=tuple(steps))


def held_over_a_restore(order: Order) -> Order:
    """A card that works, held, whose merchant cancels or captures hours later, when a restore is over, or neither."""
    random = Random(f"held over a restore {order.payer['id']}")
    at_stripe = {**order.body, "currency": "USD", "metadata": {"gateway": "stripe"}}
    kept = held_and_refunded(replace(order, body=at_stripe) if random.random() < _AT_STRIPE else order)
    wait_ms = random.randrange(*_OPENED_MS)
    later = random.choice((Step(Wish.CANCEL), Step(Wish.CANCEL), Step(Wish.CAPTURE), Step(Wish.CAPTURE, 0.5), None))
    return replace(kept, steps=(replace(later, patient=False, wait_ms=wait_ms),) if later else ())


def held_after_a_decline(order: Order, *, is_reported: bool = False) -> Order:
    """A card that one provider declines and another one holds, and a capture within seconds.

    `is_reported`: the other one has a report.
    """
    kept, random = at_several_providers(order), Random(f"held after a decline {order.payer['id']}")
    tokens = {"mock": "tok_reopened_decline", "stripe" if is_reported else "cashfree_mock": "tok_success"}
    if is_reported:
        kept = replace(kept, body={**kept.body, "metadata": {"route": _REPORTED}})
    body = {**kept.body, "amount": 1999, "capture": "manual", "paymentMethod": {"type": "card", "tokens": tokens}}
    return replace(kept, body=body, steps=(Step(Wish.CAPTURE, wait_ms=random.randrange(_CANCELLED_MS)),))


def at_several_providers(order: Order) -> Order:
    """The same payment with a card that works at several providers, and nothing after it."""
    body = {name: value for name, value in order.body.items() if name not in {*_OF_CHECKOUTS, "metadata"}}
    body |= {"currency": "USD", "paymentMethod": {"type": "card", "token": "tok_success"}, "customer": order.payer}
    return replace(order, body=body, steps=())


def erased_and_refunded(order: Order) -> Order:
    """A card that is charged at once, whose payer's data are erased, and refunds after that."""
    random, kept = Random(f"erased {order.payer['id']}"), charged_at_once(order)
    refunds = [_refund(random) for _ in range(3)]
    hurried = [replace(refund, wait_ms=refund.wait_ms // 4) for refund in refunds]
    return replace(kept, steps=(Step(Wish.ERASE, wait_ms=random.randrange(20_000)), *hurried))


def at_the_last_choice(order: Order) -> Order:
    """The same payment with a card that works, which only one provider can take, and nothing after it."""
    kept = at_several_providers(order)
    return replace(kept, body={**kept.body, "metadata": {"gateway": LAST_CHOICE}})


def tries_after_a_late_decline(made: list[Order]) -> list[Order]:
    """Orders of three payments each within seconds: the first is declined, and charged 10 s later.

    Of the others a part says once, and a part is held and captured. All orders begin with the first payment of the run.
    """
    changed, begins_ms = list(made), min(order.at_ms for order in made)
    for merchant in MERCHANTS:
        mine = [number for number, order in enumerate(made) if order.merchant == merchant]
        for place, number in enumerate(mine):
            first = replace(made[mine[place - place % 3]], at_ms=begins_ms)
            random = Random(f"after a decline {made[number].payer['id']}")
            changed[number] = _after_a_decline(random, at_several_providers(made[number]), first, place % 3)
    return changed


def _after_a_decline(random: Random, order: Order, first: Order, place: int) -> Order:
    body = {**order.body, "orderId": f"shop-{first.key}"}
    if place == 0:
        return replace(order, body=_declined(body), at_ms=first.at_ms)
    if random.random() < 0.5:
        body["oncePerOrder"] = False
    at_ms = first.at_ms + random.randrange(_BEFORE_REOPENED_MS)
    steps: tuple[Step, ...] = ()
    if random.random() < 0.5:
        body["capture"] = "manual"
        steps = (Step(Wish.CAPTURE, wait_ms=random.randrange(_BEFORE_REOPENED_MS)),)
    return replace(order, body=body, at_ms=at_ms, steps=steps)


_BEFORE_MS: Final = 60_000
_KEYS_END_MS: Final = (0, 3_600_000, 24 * 3_600_000)
"""From the first payment on, when API keys are rotated and revoked, and those end that were given an hour or a day."""


def beside_ending_keys(made: list[Order]) -> list[Order]:
    """Cards that work, with all that may follow, in the times in which API keys end."""
    changed: list[Order] = []
    for number, order in enumerate(made):
        later_ms = _KEYS_END_MS[number // len(MERCHANTS) % len(_KEYS_END_MS)]
        at_ms = order.at_ms + later_ms - (_BEFORE_MS if later_ms else 0)
        changed.append(replace(held_and_refunded(order), at_ms=at_ms))
    return changed


def rerouted(document: bytes) -> bytes:
    """The document in which each rule and share leaves out its first provider, where there are others."""
    return json.dumps(_without_first(json.loads(document))).encode()


def _without_first(part: Any) -> Any:
    if isinstance(part, list):
        return [_without_first(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {name: value[1:] or value if name == "providers" else _without_first(value) for name, value in part.items()}


def _payer(random: Random) -> dict[str, str]:
    number = random.randrange(10**9)
    return {
        "id": f"cust_{number:09d}",
        "name": f"Payer {number:09d} Example",
        "email": f"payer.{number:09d}@example.com",
        "phone": f"+91{9_000_000_000 + number}",
    }


# --- what is to be paid


def _at_mock(random: Random, payer: dict[str, str]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "amount": random.choice((100, 1999, 50_000, 999_999, 1_000_000, 2_500_000)),
        "currency": random.choice(("USD", "USD", "EUR", "INR", "INR")),
        "paymentMethod": {"type": "card", "token": _token(random)},
    }
    if random.random() < 0.3:
        body["metadata"] = {"route": "split"}
    if random.random() < 0.4:
        body["customer"] = {name: payer[name] for name in ("email", "name")}
    return _held(random, body)


def _at_real_provider(random: Random, payer: dict[str, str]) -> dict[str, Any]:
    name = random.choice(_REAL_PROVIDERS)
    body = {
        "amount": random.choice((100, 1999, 50_000, 999_999, 1_000_000, 2_500_000)),
        "currency": "INR",
        "paymentMethod": {"type": "card", "token": _token(random).split("@")[0]},
        "customer": payer,
        "returnUrl": "https://shop.example.com/return",
        "metadata": {"gateway": name},
    }
    return _held(random, body) if name in _MANUAL_AT_REAL else body


def _with_texts(body: dict[str, Any], payer: dict[str, str]) -> dict[str, Any]:
    """Many merchants write the payer's name into the free texts of a payment."""
    metadata, number = body.get("metadata", {}), int(payer["id"].removeprefix("cust_"))
    if number % 3 == 0:
        body = {**body, "description": f"Order of {payer['name']}"}
    if number % 4 == 0:
        body = {**body, "metadata": {**metadata, "note": f"A present from {payer['name']}"}}
    return {**body, "receiptEmail": f"receipts.{payer['email']}"} if number % 5 == 0 else body


def _held(random: Random, body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "capture": "manual"} if random.random() < _MANUAL else body


def _token(random: Random) -> str:
    if random.random() < _PLAIN:
        return "tok_success"
    token = random.choice(_TOKENS)
    if random.random() < 0.5:
        return f"{token}@{random.choice(tuple(SIMULATORS))}"
    return token


# --- what follows


def _steps(random: Random, *, is_held: bool) -> tuple[Step, ...]:
    steps: list[Step] = []
    if random.random() < 0.1:  # before anybody can know the outcome
        wish = random.choice((Wish.CAPTURE, Wish.REFUND, Wish.CANCEL))
        steps.append(Step(wish, manner=_manner(random, 0.8), patient=False, wait_ms=random.randrange(20_000)))
    ends = _ends_of_hold(random) if is_held else []
    is_captured = not is_held or any(step.wish is Wish.CAPTURE for step in ends)
    if is_captured and random.random() < _REFUNDED:
        ends += [_refund(random) for _ in range(random.choice(_REFUNDS))]
    return (*steps, *ends)


def _ends_of_hold(random: Random) -> list[Step]:
    """Most are captured, some released, and some left to lapse."""
    capture = Step(Wish.CAPTURE, _share(random, 0.6), _manner(random, 0.7), wait_ms=random.randrange(60_000))
    cancel = Step(Wish.CANCEL, wait_ms=random.randrange(60_000))
    draw = random.random()
    if draw < 0.75:
        return [capture]
    if draw < 0.85:
        return [cancel]
    return [capture, cancel] if draw < 0.97 else []


def _refund(random: Random) -> Step:
    """Most are a small part, so that several find something left."""
    share = _share(random, 0.15) if random.random() < 0.3 else round(0.02 + 0.2 * random.random(), 2)
    return Step(Wish.REFUND, share, _manner(random, 0.6), wait_ms=random.randrange(120_000))


def _share(random: Random, whole: float) -> float | None:
    """Of the payment's amount: with this probability all of it, named or not."""
    if random.random() < whole:
        return 1.0 if random.random() < 0.5 else None
    return round(0.05 + 0.75 * random.random(), 2)


def _manner(random: Random, plain: float) -> Manner:
    return Manner.ONCE if random.random() < plain else random.choice(tuple(Manner))
