"""Payments: read, looked at now, verified, erased."""

from typing import Annotated, Any

from msgspec import Meta

from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.payments.ports import PaymentQuery
from payflowx.domain.shared.limits import DAY_MS, MAX_AMOUNT, MAX_LIST_RANGE_DAYS, MAX_REFERENCE_CHARS
from payflowx.domain.shared.statuses import PaymentStatus
from payflowx.entrypoints.operators.commands.base import (
    Command,
    Limit,
    MerchantId,
    MutatingCommand,
    Position,
    ProposableCommand,
    TransactionId,
)
from payflowx.entrypoints.operators.commands.presenting import (
    cost_fields,
    event_fields,
    operation_fields,
    payment_fields,
)
from payflowx.entrypoints.operators.commands.second_person import decided_or_proposed
from payflowx.wiring.operators import OperatorsWiring

_OPERATIONS = 100
_OperationPosition = Annotated[str, Meta(pattern="^[0-9]{13}#(cap|void|ref)_[a-z2-7]{16}$")]
_Milliseconds = Annotated[int, Meta(ge=0, le=9_999_999_999_999)]


class ShowPaymentCommand(Command, tag="show_payment"):
    """With its first hundred captures, voids and refunds; `operationsPosition` continues them in `list_operations`."""

    merchant_id: MerchantId
    transaction_id: TransactionId


class ListOperationsCommand(Command, tag="list_operations"):
    """A payment's captures, voids and refunds, oldest first."""

    merchant_id: MerchantId
    transaction_id: TransactionId
    limit: Limit = _OPERATIONS
    position: _OperationPosition | None = None


class ListPaymentsCommand(Command, tag="list_payments"):
    """Newest first. A page may be empty and still have a position: go on until it is null."""

    merchant_id: MerchantId
    from_ms: _Milliseconds | None = None
    until_ms: _Milliseconds | None = None
    status: PaymentStatus | None = None
    limit: Limit = 20
    position: Position | None = None


class FindPaymentsCommand(Command, tag="find_payments"):
    """The payments that a text names: an id or key of ours, a provider's id, or an order."""

    merchant_id: MerchantId
    text: Annotated[str, Meta(min_length=1, max_length=MAX_REFERENCE_CHARS)]


class ListEventsCommand(Command, tag="list_events"):
    """The audit log, oldest first."""

    merchant_id: MerchantId
    transaction_id: TransactionId
    after_seq: Annotated[int, Meta(ge=0, le=999_999)] = 0
    limit: Limit = 100


class VerifyAuditLogCommand(Command, tag="verify_trail"):
    """Answers with what is wrong with a payment's audit log; `complete` false: it was not verified to its end."""

    merchant_id: MerchantId
    transaction_id: TransactionId


class ShowPaymentCostCommand(Command, tag="show_payment_cost"):
    """Show the cost of a payment at AWS so far, calculated from its records. `complete` false: it cost more."""

    merchant_id: MerchantId
    transaction_id: TransactionId


class ResolvePaymentCommand(MutatingCommand, tag="resolve_payment"):
    """Has a payment looked at now. It charges nothing that would not be charged anyway."""

    merchant_id: MerchantId
    transaction_id: TransactionId


class RecordRefundCommand(ProposableCommand, tag="record_refund"):
    """Books a refund that was made in the dashboard of a provider whose refunds cannot be read."""

    transaction_id: TransactionId
    reference: Annotated[str, Meta(min_length=1, max_length=MAX_REFERENCE_CHARS)]
    amount: Annotated[int, Meta(ge=1, le=MAX_AMOUNT)]
    evidence: str


class ErasePersonalDataCommand(MutatingCommand, tag="erase_personal_data"):
    """Erases a final payment's customer, tokens, texts and URLs, and the texts of its captures, voids and refunds.

    `erased` false: operations are left; repeat the command.
    """

    merchant_id: MerchantId
    transaction_id: TransactionId


COMMANDS = (
    ShowPaymentCommand,
    ListOperationsCommand,
    ListPaymentsCommand,
    FindPaymentsCommand,
    ListEventsCommand,
    VerifyAuditLogCommand,
    ShowPaymentCostCommand,
    ResolvePaymentCommand,
    RecordRefundCommand,
    ErasePersonalDataCommand,
)


def run(
    wired: OperatorsWiring,
    command: ShowPaymentCommand
    | ListOperationsCommand
    | ListPaymentsCommand
    | FindPaymentsCommand
    | ListEventsCommand
    | VerifyAuditLogCommand
    | ShowPaymentCostCommand
    | ResolvePaymentCommand
    | RecordRefundCommand
    | ErasePersonalDataCommand,
) -> dict[str, Any]:
    """The answer's fields."""
    if isinstance(command, ListPaymentsCommand):
        return _list(wired, command)
    if isinstance(command, FindPaymentsCommand):
        found = wired.find_payments.by_text(command.merchant_id, command.text)
        return {"items": [payment_fields(payment) for payment in found.items], "unreadable": list(found.unreadable)}
    names = (command.merchant_id, command.transaction_id)
    match command:
        case ShowPaymentCommand():
            payment = payment_fields(wired.read_payments.get(*names))
            page = wired.read_operations.page(*names, limit=_OPERATIONS, position=None)
            operations = [operation_fields(operation) for operation in page.items]
            return {**payment, "operations": operations, "operationsPosition": page.next_position}
        case ListOperationsCommand():
            page = wired.read_operations.page(*names, limit=command.limit, position=command.position)
            return {"items": [operation_fields(o) for o in page.items], "nextPosition": page.next_position}
        case ListEventsCommand():
            events = wired.read_payments.events(*names, after_seq=command.after_seq, limit=command.limit)
            return {"items": [event_fields(event) for event in events.items], "nextSeq": events.next_seq}
        case VerifyAuditLogCommand():
            verified = wired.verify_audit_log(*names)
            return {
                "whole": verified.is_intact,
                "faults": list(verified.faults),
                "events": verified.events,
                "complete": verified.complete,
            }
        case ShowPaymentCostCommand():
            cost = wired.count_payment_cost(*names)
            return cost_fields(cost)
        case ResolvePaymentCommand():
            return payment_fields(wired.resolve_payment(*names, command.operator_action()))
        case RecordRefundCommand():
            return decided_or_proposed(wired, command, lambda action: _record_refund(wired, command, action))
        case ErasePersonalDataCommand():
            complete = wired.erase_personal_data(*names, command.operator_action())
            if complete:
                wired.telemetry.info("personal data erased", transactionId=command.transaction_id)
            return {"erased": complete}


def _record_refund(wired: OperatorsWiring, command: RecordRefundCommand, action: OperatorAction) -> dict[str, Any]:
    refunded = wired.record_refund_by_hand(
        command.merchant_id,
        command.transaction_id,
        action,
        reference=command.reference,
        amount=command.amount,
        evidence=command.evidence,
    )
    return payment_fields(refunded)


def _list(wired: OperatorsWiring, command: ListPaymentsCommand) -> dict[str, Any]:
    until_ms = command.until_ms if command.until_ms is not None else wired.platform.clock.now_ms() + 1
    earliest_ms = until_ms - MAX_LIST_RANGE_DAYS * DAY_MS
    query = PaymentQuery(
        merchant_id=command.merchant_id,
        from_ms=max(command.from_ms if command.from_ms is not None else earliest_ms, earliest_ms, 0),
        until_ms=until_ms,
        status=command.status,
        limit=command.limit,
        position=command.position,
    )
    page = wired.read_payments.page(query)
    return {
        "items": [payment_fields(payment) for payment in page.items],
        "nextPosition": page.next_position,
        "unreadable": list(page.unreadable),
    }
