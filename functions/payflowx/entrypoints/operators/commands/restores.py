"""A restore of the tables, as `payflowx restore` records it."""

from typing import Annotated, Any, Final, get_args

import msgspec
from msgspec import Meta

from payflowx.application.recovery.restore import UsedNumbers
from payflowx.domain.payments.restore_window import RestoreWindow
from payflowx.entrypoints.operators.commands.base import Command, MerchantId, MutatingCommand, TransactionId
from payflowx.wiring.operators import OperatorsWiring

_MAX_PAYMENTS: Final = 50


class ShowRestoreCommand(Command, tag="show_restore"):
    """The last restore that was recorded, if there was one."""


class RecordRestoreCommand(MutatingCommand, tag="record_restore"):
    """Milliseconds since 1970. Sent while everything is off, after the tables were restored."""

    restored_to_ms: int
    stopped_at_ms: int
    orders_known: bool = False


class OpenRestoreCommand(MutatingCommand, tag="open_restore"):
    """Sent right before everything is switched on."""


class Used(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    """A payment, and the last numbers of its events that were used."""

    merchant_id: MerchantId
    transaction_id: TransactionId
    seq: Annotated[int, Meta(ge=1)]
    number: Annotated[int, Meta(ge=0)]


class RaiseEventNumbersCommand(MutatingCommand, tag="raise_event_numbers"):
    """Payments of which something was forgotten."""

    payments: Annotated[list[Used], Meta(min_length=1, max_length=_MAX_PAYMENTS)]


class NotifyRestoreCommand(MutatingCommand, tag="notify_restore"):
    """One event for each of the next merchants after this id that have endpoints."""

    after: MerchantId | None = None


RestoreCommand = (
    ShowRestoreCommand | RecordRestoreCommand | OpenRestoreCommand | RaiseEventNumbersCommand | NotifyRestoreCommand
)
COMMANDS = get_args(RestoreCommand)


def run(
    wired: OperatorsWiring,
    command: RestoreCommand,
) -> dict[str, Any]:
    """The answer's fields."""
    match command:
        case ShowRestoreCommand():
            window = wired.merchant_directory.restore_window()
            return {"restore": _present(window) if window else None}
        case RecordRestoreCommand():
            recorded = wired.record_restore(
                command.restored_to_ms,
                command.stopped_at_ms,
                command.operator_action(),
                orders_known=command.orders_known,
            )
            return {"restore": _present(recorded)}
        case OpenRestoreCommand():
            return {"restore": _present(wired.record_restore.open(command.operator_action()))}
        case RaiseEventNumbersCommand():
            action = command.operator_action()
            known = [used for used in command.payments if wired.raise_event_numbers(_used(used), action)]
            return {"raised": len(known), "missing": len(command.payments) - len(known)}
        case NotifyRestoreCommand():
            told = wired.notify_restore(command.after, command.operator_action())
            return {"notified": told.notified, "unreached": list(told.unreached), "nextAfter": told.next_after}


def _used(used: Used) -> UsedNumbers:
    return UsedNumbers(
        merchant_id=used.merchant_id, transaction_id=used.transaction_id, seq=used.seq, number=used.number
    )


def _present(window: RestoreWindow) -> dict[str, Any]:
    return {
        "restoredToMs": window.restored_to_ms,
        "stoppedAtMs": window.stopped_at_ms,
        "recordedAtMs": window.recorded_at_ms,
        "openedAtMs": window.opened_at_ms,
        "inquiredUntilMs": window.inquired_until_ms,
        "ordersKnown": window.orders_known,
    }
