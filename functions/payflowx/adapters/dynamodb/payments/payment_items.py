"""A payment as a DynamoDB item and back. The only place that knows the attribute names.

Readers take the attributes they know; `core.changes` keeps the others when the payment is written again.
"""

from typing import Any, Final, get_args, get_type_hints

from payflowx.adapters.dynamodb.core import keys
from payflowx.adapters.dynamodb.core.partitions import FIRST, Partitions
from payflowx.adapters.dynamodb.core.reading import decodes, fields_of, known
from payflowx.adapters.dynamodb.core.values import Item
from payflowx.adapters.dynamodb.payments.checkout_items import checkout_from_item, checkout_to_item
from payflowx.adapters.dynamodb.payments.compact_items import compact_attempt, compacted, expanded
from payflowx.adapters.dynamodb.payments.order_link_items import order_link_from_item, order_link_to_item
from payflowx.adapters.dynamodb.payments.review_items import review_keys, review_since_from
from payflowx.domain.payments.acceptance import FIRST_EVENT_FORMAT
from payflowx.domain.payments.attempt import Attempt
from payflowx.domain.payments.dispute import Dispute, DisputeState
from payflowx.domain.payments.event_inquiries import EventInquiries
from payflowx.domain.payments.hosted import ExtraCharge
from payflowx.domain.payments.outcome import NextAction
from payflowx.domain.payments.payment import (
    Address,
    BalanceSource,
    Candidate,
    Customer,
    LastError,
    Layout,
    Lease,
    Payment,
    PaymentMethod,
    Route,
)
from payflowx.domain.shared.statuses import AttemptState, CaptureMode, DeclineKind, Initiator, PaymentStatus

_ACTION_KINDS: Final[frozenset[str]] = frozenset(get_args(get_type_hints(NextAction)["kind"]))


def to_item(payment: Payment, partitions: Partitions = FIRST) -> Item:
    """The whole item with its keys, in the payment's layout; absent values are None and are not stored."""
    item = _full_item(payment, partitions)
    return compacted(item) if payment.layout is Layout.COMPACT else item


def _full_item(payment: Payment, partitions: Partitions) -> Item:
    due = payment.due_at_ms is not None
    day = keys.merchant_day(payment.merchant_id, keys.day_of(payment.created_at_ms))
    return {
        **keys.payment_key(payment.merchant_id, payment.transaction_id),
        "schemaVersion": payment.layout.value,
        "merchantId": payment.merchant_id,
        "transactionId": payment.transaction_id,
        "merchantDay": partitions.of_listed(day, payment.transaction_id),
        "merchantDaySort": keys.merchant_day_sort(payment.created_at_ms, payment.transaction_id),
        "fingerprint": payment.fingerprint,
        "contentFingerprint": payment.content_fingerprint,
        "amount": payment.amount,
        "currency": payment.currency,
        "capture": payment.capture.value,
        "paymentMethod": {
            "type": payment.payment_method.type,
            "token": payment.payment_method.token,
            "tokens": dict(payment.payment_method.tokens) or None,
        },
        "customer": _customer_to_item(payment.customer) if payment.customer else None,
        "customerAddress": _address_to_item(payment.customer),
        "receiptEmail": payment.receipt_email,
        "description": payment.description,
        "metadata": dict(payment.metadata) or None,
        "statementDescriptorSuffix": payment.statement_descriptor_suffix,
        "initiator": payment.initiator.value if payment.initiator is not Initiator.CUSTOMER else None,
        "savePaymentMethod": payment.save_payment_method or None,
        "returnUrl": payment.return_url,
        "route": _route_to_item(payment.route),
        "createdAt": payment.created_at_ms,
        "updatedAt": payment.updated_at_ms,
        "chargeDeadline": payment.charge_deadline_ms,
        "status": payment.status.value,
        "version": payment.version,
        "lease": lease_to_item(payment.lease),
        "attempts": [attempt_to_item(attempt) for attempt in payment.attempts],
        "chargedAttempt": payment.charged_attempt,
        "capturable": payment.capturable,
        "captured": payment.captured or None,
        "refundable": payment.refundable,
        "refunded": payment.refunded or None,
        "reserved": payment.reserved or None,
        "excess": payment.excess or None,
        "balanceVersion": payment.version if _has_current_balance(payment) else None,
        "openSettlement": payment.open_capture_or_void,
        "eventSeq": payment.event_seq,
        "eventHash": payment.event_hash,
        "firstEvent": FIRST_EVENT_FORMAT if payment.holds_first_event else None,
        "announced": payment.announced or None,
        "lastError": fields_of(payment.last_error) if payment.last_error else None,
        "notSentSince": payment.not_sent_since_ms,
        "readyAt": payment.ready_at_ms,
        "dueAt": payment.due_at_ms,
        "dueShard": partitions.due_shard(payment.transaction_id) if due else None,
        "drives": payment.drives,
        "cancelRequested": payment.cancel_requested or None,
        "erased": payment.erased or None,
        "searchedAt": payment.searched_at_ms,
        "disputes": [fields_of(dispute) for dispute in payment.disputes] or None,
        "eventInquiries": event_inquiries_to_item(payment.event_inquiries),
        "extraCharges": [fields_of(charge) for charge in payment.extra_charges] or None,
        "payerPaid": payment.payer_paid,
        "checkout": checkout_to_item(payment.checkout) if payment.checkout else None,
        **order_link_to_item(payment.order),
        **review_keys(payment),
    }


@decodes("payment")
def from_item(item: Item) -> Payment:
    """The payment that `to_item` was given."""
    return _from_full_item(expanded(item))


def _from_full_item(item: Item) -> Payment:
    method = item["paymentMethod"]
    return Payment(
        merchant_id=item["merchantId"],
        transaction_id=item["transactionId"],
        fingerprint=item["fingerprint"],
        content_fingerprint=item.get("contentFingerprint"),
        amount=item["amount"],
        currency=item["currency"],
        capture=CaptureMode(item["capture"]),
        payment_method=PaymentMethod(type=method["type"], token=method.get("token"), tokens=method.get("tokens", {})),
        customer=_customer_from_item(item),
        receipt_email=item.get("receiptEmail"),
        description=item.get("description"),
        metadata=item.get("metadata", {}),
        statement_descriptor_suffix=item.get("statementDescriptorSuffix"),
        initiator=Initiator(item.get("initiator", Initiator.CUSTOMER)),
        save_payment_method=item.get("savePaymentMethod", False),
        return_url=item.get("returnUrl"),
        route=_route_from_item(item["route"]),
        created_at_ms=item["createdAt"],
        updated_at_ms=item["updatedAt"],
        charge_deadline_ms=item["chargeDeadline"],
        status=PaymentStatus(item["status"]),
        version=item["version"],
        lease=lease_from_item(item["lease"]),
        attempts=tuple(attempt_from_item(attempt) for attempt in item["attempts"]),
        charged_attempt=item.get("chargedAttempt"),
        capturable=item["capturable"],
        captured=item.get("captured", 0),
        refundable=item["refundable"],
        refunded=item.get("refunded", 0),
        reserved=item.get("reserved", 0),
        excess=item.get("excess", 0),
        balance_source=_balance_source(item),
        open_capture_or_void=item.get("openSettlement"),
        event_seq=item["eventSeq"],
        event_hash=item["eventHash"],
        holds_first_event=_holds_first_event(item),
        announced=item.get("announced", 0),
        last_error=last_error_from_item(item),
        not_sent_since_ms=item.get("notSentSince"),
        ready_at_ms=item["readyAt"],
        due_at_ms=item.get("dueAt"),
        drives=item["drives"],
        cancel_requested=item.get("cancelRequested", False),
        erased=item.get("erased", False),
        searched_at_ms=item.get("searchedAt"),
        review_since_ms=review_since_from(item),
        disputes=tuple(_dispute_from_item(dispute) for dispute in item.get("disputes", [])),
        event_inquiries=event_inquiries_from_item(item),
        extra_charges=tuple(ExtraCharge(**known(charge, ExtraCharge)) for charge in item.get("extraCharges", [])),
        payer_paid=item.get("payerPaid"),
        checkout=checkout_from_item(item["checkout"]) if "checkout" in item else None,
        order=order_link_from_item(item),
        layout=Layout.COMPACT if item.get("schemaVersion", Layout.FULL) >= Layout.COMPACT else Layout.FULL,
    )


def _dispute_from_item(item: Item) -> Dispute:
    return Dispute(**known(item, Dispute) | {"state": DisputeState(item["state"])})


def _customer_to_item(customer: Customer) -> Item:
    """Without the address: release 0.2.0 fails on an attribute of a customer that it does not know."""
    return {name: value for name, value in fields_of(customer).items() if name != "address"}


def _address_to_item(customer: Customer | None) -> Item | None:
    """Beside the customer, where release 0.2.0 ignores it. An erasure by that release is repeated by this one."""
    return fields_of(customer.address) if customer and customer.address else None


def _customer_from_item(item: Item) -> Customer | None:
    if "customer" not in item:
        return None
    address = item.get("customerAddress")
    return Customer(
        **known(item["customer"], Customer) | {"address": Address(**known(address, Address)) if address else None}
    )


def _holds_first_event(item: Item) -> bool:
    """Raises `ValueError` for a first event that this release cannot make again."""
    found = item.get("firstEvent")
    if found not in {None, FIRST_EVENT_FORMAT}:
        raise ValueError(f"{found!r} is not a format of the first event")
    return found is not None


_BALANCE = ("captured", "refundable", "refunded", "reserved", "excess")


def _has_current_balance(payment: Payment) -> bool:
    """Whether `balanceVersion` is written: it says nothing on a payment of which nothing was captured."""
    has_amounts = any(getattr(payment, name) for name in _BALANCE)
    return has_amounts and payment.balance_source is not BalanceSource.OUTDATED


def _balance_source(item: Item) -> BalanceSource:
    """Release 0.2.0 stores neither `reserved`, `excess` nor `balanceVersion`, and raises `version` beside them."""
    current = item.get("balanceVersion") == item["version"] or not any(item.get(name) for name in _BALANCE)
    return BalanceSource.STORED if current else BalanceSource.OUTDATED


def lease_to_item(lease: Lease) -> Item:
    """The lease, in the shape that conditions refer to."""
    return {"owner": lease.owner, "epoch": lease.epoch, "expiresAt": lease.expires_at_ms}


def lease_assignments(lease: Lease) -> Item:
    """The lease as assignments to its attributes, for a claim of an item that was not read."""
    return {f"lease.{name}": value for name, value in lease_to_item(lease).items()}


def lease_from_item(item: Item) -> Lease:
    """The lease that `lease_to_item` was given."""
    return Lease(owner=item["owner"], epoch=item["epoch"], expires_at_ms=item["expiresAt"])


def _route_to_item(route: Route) -> Item:
    return {
        "document": route.document,
        "rule": route.rule,
        "reasons": list(route.reasons),
        "candidates": [{"provider": c.provider, "account_id": c.account_id} for c in route.candidates],
    }


def _route_from_item(item: Item) -> Route:
    return Route(
        document=item["document"],
        rule=item["rule"],
        reasons=tuple(item["reasons"]),
        candidates=tuple(Candidate(**known(candidate, Candidate)) for candidate in item["candidates"]),
    )


def attempt_to_item(attempt: Attempt) -> Item:
    """Defaults are left out: an attempt costs bytes in every later write of its payment."""
    values: dict[str, Any] = {name: getattr(attempt, name) for name in attempt.__slots__}
    if attempt.next_action is not None:
        action = attempt.next_action
        values["next_action"] = {"kind": action.kind, "url": action.url, "fields": dict(action.fields) or None}
    optional = ("progress", "retry_after_seconds", "inquiries")
    return {name: value for name, value in values.items() if value is not None and not (name in optional and not value)}


def attempt_item_of(attempt: Attempt, transaction_id: str, layout: Layout) -> Item:
    """The attempt as it lies in an item of this layout."""
    item = attempt_to_item(attempt)
    return compact_attempt(item, transaction_id) if layout is Layout.COMPACT else item


def attempt_from_item(item: Item) -> Attempt:
    """The attempt that `attempt_to_item` was given."""
    fields = known(item, Attempt)
    fields["state"] = AttemptState(fields["state"])
    if "decline_kind" in fields:
        fields["decline_kind"] = DeclineKind(fields["decline_kind"])
    if "next_action" in fields:
        fields["next_action"] = _action_from_item(fields["next_action"])
    return Attempt(**fields)


def _action_from_item(item: Item) -> NextAction:
    if item["kind"] not in _ACTION_KINDS:
        raise ValueError(f"{item['kind']!r} is not a kind of action")
    return NextAction(**known(item, NextAction))


def last_error_from_item(item: Item) -> LastError | None:
    """The last error of a payment's or an operation's item."""
    return LastError(**known(item["lastError"], LastError)) if "lastError" in item else None


def event_inquiries_from_item(item: Item) -> EventInquiries | None:
    """The counted and waiting inquiries of a payment's or an operation's item; none on an item of release 0.2.0."""
    if "eventInquiries" not in item:
        return None
    fields = known(item["eventInquiries"], EventInquiries)
    return EventInquiries(**fields | {"waiting": tuple(fields.get("waiting", ()))})


def event_inquiries_to_item(inquiries: EventInquiries | None) -> Item | None:
    """The inquiries as stored; what waits for nothing is left out."""
    if inquiries is None:
        return None
    return {
        "since_ms": inquiries.since_ms,
        "count": inquiries.count,
        "waiting": list(inquiries.waiting) or None,
        "ready_at_ms": inquiries.ready_at_ms or None,
        "tries": inquiries.tries or None,
    }
