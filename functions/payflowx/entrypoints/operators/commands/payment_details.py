"""More of one payment: its deliveries, and the personal data that the other commands leave out."""

from typing import Any

from payflowx.domain.outbound_webhooks.merchant_events import Delivery, MerchantEvent
from payflowx.entrypoints.api.payments.presenting import timestamp
from payflowx.entrypoints.operators.commands.base import Command, MerchantId, MutatingCommand, TransactionId
from payflowx.wiring.operators import OperatorsWiring


class ListPaymentDeliveriesCommand(Command, tag="list_payment_deliveries"):
    """A payment's merchant events with the state of each delivery, oldest first."""

    merchant_id: MerchantId
    transaction_id: TransactionId


class ShowPersonalDataCommand(MutatingCommand, tag="show_personal_data"):
    """Show what people entered. It writes an entry into the operators' audit log, so it asks who and why."""

    merchant_id: MerchantId
    transaction_id: TransactionId


COMMANDS = (ListPaymentDeliveriesCommand, ShowPersonalDataCommand)


def run(wired: OperatorsWiring, command: ListPaymentDeliveriesCommand | ShowPersonalDataCommand) -> dict[str, Any]:
    """The answer's fields."""
    names = (command.merchant_id, command.transaction_id)
    match command:
        case ListPaymentDeliveriesCommand():
            events, complete = wired.read_deliveries(*names)
            return {"items": [_event(event) for event in events], "complete": complete}
        case ShowPersonalDataCommand():
            shown = wired.show_personal_data(*names, command.operator_action())
            return {
                "erased": shown.erased,
                "customer": dict(shown.customer),
                "description": shown.description,
                "metadata": dict(shown.metadata),
                "receiptEmail": shown.receipt_email,
            }


def _event(event: MerchantEvent) -> dict[str, Any]:
    return {
        "eventId": event.event_id,
        "seq": event.seq,
        "type": event.event_type,
        "at": timestamp(event.at_ms),
        "planned": event.planned,
        "deliveries": [
            {"endpointId": endpoint_id, **_delivery(delivery)} for endpoint_id, delivery in event.deliveries.items()
        ],
    }


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "state": delivery.state.value,
        "tries": delivery.attempts,
        "nextAt": timestamp(delivery.next_at_ms) if delivery.next_at_ms else None,
        "status": delivery.status,
        "code": delivery.code,
    }
