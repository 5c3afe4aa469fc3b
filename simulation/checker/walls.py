"""I11, I12 and erasure: what may be seen, stored and said of whom."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from simulation.checker.evidence import Evidence, OperationEvidence, PaymentEvidence, Stored, Violation
from simulation.checkouts import is_checkout
from simulation.providers import KEY_ID, SECRET
from simulation.workload import Order
from simulation.world import TRANSACTIONS

_CARD: Final = re.compile(r"\b4[0-9]{15}\b")
_STEM_CHARS: Final = 5
_MIN_CHARS: Final = 6
"""A shorter value (a country, a word of the metadata) may stand somewhere for another reason."""


def i11_nothing_crosses(evidence: Evidence) -> Iterator[Violation]:
    """A merchant sees and changes its own payments only."""
    for name, payment in evidence.payments.items():
        items = [payment.item, *(operation.item for operation in payment.operations.values())]
        for item in items:
            if item is not None and item["merchantId"] != payment.merchant:
                yield Violation("I11", name, f"lies with {payment.merchant} and says {item['merchantId']}")
    owners = {payment.transaction_id: payment.merchant for payment in evidence.payments.values()}
    for call in evidence.result.history.calls:
        shown = [call.answer, *call.answer.get("items", [])] if call.status in {200, 202} else []
        for answer in shown:
            if owners.get(answer.get("transactionId", ""), call.merchant) != call.merchant:
                yield Violation("I11", str(answer["transactionId"]), f"was shown to {call.merchant}")


def i12_no_secrets(evidence: Evidence) -> Iterator[Violation]:
    """Tokens and the payer's data lie on the payment's item only; secrets nowhere."""
    history = evidence.result.history
    secrets = [SECRET, KEY_ID, *evidence.result.api_keys.values()]
    items = {place: repr(item) for place, item in evidence.result.items.items()}
    payers = {value for order in evidence.result.orders for value in payer_values(order)}
    pages = {page for payment in evidence.payments.values() for page in addresses_of(payment)}
    words = _by_stem([*secrets, "tok_", *sorted(payers | pages)])
    places = {
        "a log line": history.lines,
        "a message": history.messages,
        "an answer": [json.dumps(_without_echo(call.answer)) for call in history.calls],
        "an item": [
            text for (table, key), text in items.items() if not (table == TRANSACTIONS and key[1] == "PAYMENT")
        ],
    }
    for place, texts in places.items():
        text = "\n".join(texts)
        leaked = [word for stem, several in words.items() if stem in text for word in several if word in text]
        card = any(_has_check_digit(found) for found in _CARD.findall(text))
        if leaked or card:
            yield Violation("I12", "-", f"{place} holds what it must not: {leaked or 'a card number'}")
    text = "\n".join(items.values())
    for secret in secrets:
        if secret in text:
            yield Violation("I12", "-", "an item holds a secret")


def _has_check_digit(digits: str) -> bool:
    """Whether the last digit fits the others (ISO/IEC 7812-1, Luhn): a hash of sixteen characters may be all digits."""
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return sum(number // 10 + number % 10 for number in doubled) % 10 == 0


def _by_stem(words: Sequence[str]) -> dict[str, list[str]]:
    """Words by how they begin. Most payers' values begin alike, and a long text is searched for each beginning once."""
    found: dict[str, list[str]] = defaultdict(list)
    for word in words:
        found[word[:_STEM_CHARS]].append(word)
    return found


def erasure(evidence: Evidence) -> Iterator[Violation]:
    """After erasure no item of the payment holds what the client sent about the payer, or what can pay its order.

    Nor do attempts hold the providers' sentences, which may name the payer: not even for a while.
    """
    orders = {(order.merchant, order.key): order for order in evidence.result.orders}
    values = {
        f"{call.answer['transactionId']}@{merchant}": payer_values(orders[merchant, key])
        for (merchant, key), calls in evidence.created.items()
        for call in calls
        if call.status == 202 and (merchant, key) in orders
    }
    erased = {name for name, payment in evidence.payments.items() if payment.item and payment.item.get("erased")}
    for command in evidence.result.history.commands:
        name = f"{command.command.get('transactionId')}@{command.command.get('merchantId')}"
        done = command.ok and (command.answer or {}).get("erased") is True
        if command.command["command"] == "erase_personal_data" and done and name not in erased:
            yield Violation("ERASURE", name, "an operator was told that it is erased, and it is not")
    if not erased:
        return
    texts: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for (_, (partition, sort)), item in evidence.result.items.items():
        owner = _owner(partition, item)
        if owner in erased:
            texts[owner].append((sort, repr(item)))
    for name in sorted(erased):
        payment = evidence.payments[name]
        for sort, text in texts[name]:
            wanted = [*values.get(name, ()), *_sessions(payment), *addresses_of(payment)]
            left = [value for value in wanted if value in text]
            if left:
                yield Violation("ERASURE", name, f"was erased, and its item {sort} holds {left}")
        told = [attempt["message"] for attempt in _attempts_since(payment) if attempt.get("message")]
        if told:
            yield Violation("ERASURE", name, f"was erased, and an attempt holds its provider's words: {told[:3]}")


def _attempts_since(payment: PaymentEvidence) -> Iterator[Stored]:
    """The attempts of the payment and its operations in every version that is stored since the erasure."""
    erased_ms = next((write.at_ms for write, _, after in payment.versions if after and after.get("erased")), 0)
    owners: list[PaymentEvidence | OperationEvidence] = [payment, *payment.operations.values()]
    for owner in owners:
        later = [after for write, _, after in owner.versions if after is not None and write.at_ms >= erased_ms]
        for stored in (*later, *([owner.item] if owner.item is not None else [])):
            yield from stored["attempts"]


def _sessions(payment: PaymentEvidence) -> list[str]:
    """The sessions with which anybody can pay an order of Cashfree."""
    progress = [a.get("progress", {}) for _, _, after in payment.versions if after for a in after["attempts"]]
    found = {str(facts["payment_session_id"]) for facts in progress if "payment_session_id" in facts}
    return sorted(found - {"erased"})


def addresses_of(payment: PaymentEvidence) -> list[str]:
    """Where the payer of a checkout pays or sees the page. What follows the last / of our address bears a token."""
    if not payment.is_checkout:
        return []
    found: set[str] = set()
    for _, _, after in payment.versions:
        checkout = (after or {}).get("checkout", {})
        pages = [checkout.get("address", ""), checkout.get("choice", {}).get("return_url", "").removesuffix("/return")]
        found |= {page.rpartition("/")[2] for page in pages}
        actions = [attempt["next_action"] for attempt in (after or {}).get("attempts", []) if "next_action" in attempt]
        for action in actions:
            found |= set(action["fields"].values()) if action.get("fields") else {action["url"]}
    return sorted(found - {""})


def payer_values(order: Order) -> list[str]:
    """The values that the client sent about the payer: the customer, tokens, free texts and addresses."""
    body = order.body
    customer = {name: value for name, value in body.get("customer", {}).items() if name != "country"}
    method = body["paymentMethod"]
    texts = [
        *customer.values(),
        *(order.payer.values() if is_checkout(body) else ()),
        *([method["token"]] if "token" in method else []),
        *method.get("tokens", {}).values(),
        body.get("description", ""),
        body.get("returnUrl", ""),
        body.get("receiptEmail", ""),
        body.get("orderId", ""),
        *(value for value in body.get("metadata", {}).values() if " " in value),
    ]
    return [text for text in texts if len(text) >= _MIN_CHARS]


def _owner(partition: str, item: Mapping[str, Any]) -> str:
    """The payment of an item. Its key says it: the payment's own item of the compact layout names none."""
    merchant, of_payment, transaction_id = partition.removeprefix("M#").partition("#P#")
    if of_payment:
        return f"{transaction_id}@{merchant}"
    named = {name: item.get(name, {}).get("S") for name in ("transactionId", "merchantId")}
    return f"{named['transactionId']}@{named['merchantId'] or merchant.split('#')[0]}"


def _without_echo(answer: Mapping[str, Any]) -> Any:
    """A merchant gets its own description, metadata and order back, and its payer's address, also that of the payment
    that holds the order.
    """
    if "items" in answer:
        return [_without_echo(each) for each in answer["items"]]
    echoed = {"description", "metadata", "orderId", "nextAction"}
    kept = {name: value for name, value in answer.items() if name not in echoed}
    return {name: _without_echo(value) if isinstance(value, Mapping) else value for name, value in kept.items()}
