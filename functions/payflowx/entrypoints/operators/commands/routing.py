"""The routing document: checked, rolled out, rolled back, explained."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from payflowx.adapters.appconfig.document import MAX_DOCUMENT_BYTES
from payflowx.application.routing.explain_route import RouteQuestion
from payflowx.domain.merchants.directory import Publication
from payflowx.domain.payments.ports import PaymentQuery
from payflowx.domain.shared import limits
from payflowx.domain.shared.statuses import CaptureMode
from payflowx.entrypoints.operators.commands.base import (
    Command,
    MerchantId,
    MutatingCommand,
    Position,
    TransactionId,
)
from payflowx.wiring.operators import OperatorsWiring

_Document = Annotated[str, Meta(min_length=2, max_length=MAX_DOCUMENT_BYTES)]


class ShowRoutingCommand(Command, tag="show_routing"):
    """Show the document that is served."""


class CheckRoutingCommand(Command, tag="check_routing"):
    """The faults of a document."""

    document: _Document


class ExplainRouteCommand(Command, tag="explain_route"):
    """Which provider would take such a payment: by this document, or by the one that is served."""

    merchant_id: MerchantId
    amount: Annotated[int, Meta(ge=1, le=limits.MAX_AMOUNT)]
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    payment_method_type: Annotated[str, Meta(pattern="^[a-z][a-z_]{1,29}$")] = "card"
    capture: Literal["automatic", "manual"] = "automatic"
    country: Annotated[str, Meta(pattern="^[A-Z]{2}$")] | None = None
    metadata: Annotated[dict[str, str], Meta(max_length=limits.MAX_METADATA_KEYS)] = msgspec.field(default_factory=dict)
    transaction_id: TransactionId = "pay_aaaaaaaaaaaaaaaa"
    document: _Document | None = None


class BackTestRoutingCommand(Command, tag="back_test_routing"):
    """The document over some hundred stored decisions, the newest first: go on until the position is null."""

    merchant_id: MerchantId
    document: _Document
    position: Position | None = None


class PublishRoutingCommand(MutatingCommand, tag="publish_routing"):
    """Rolled out by the environment's strategy."""

    document: _Document


class RollBackRoutingCommand(MutatingCommand, tag="roll_back_routing"):
    """Stops a roll-out under way, or puts the version of before back, or the one that is named."""

    to_version: Annotated[int, Meta(ge=1)] | None = None


COMMANDS = (
    ShowRoutingCommand,
    CheckRoutingCommand,
    ExplainRouteCommand,
    BackTestRoutingCommand,
    PublishRoutingCommand,
    RollBackRoutingCommand,
)


def run(
    wired: OperatorsWiring,
    command: ShowRoutingCommand
    | CheckRoutingCommand
    | ExplainRouteCommand
    | BackTestRoutingCommand
    | PublishRoutingCommand
    | RollBackRoutingCommand,
) -> dict[str, Any]:
    """The answer's fields."""
    match command:
        case ShowRoutingCommand():
            return _present(wired.routing_publisher.current())
        case CheckRoutingCommand():
            return {"faults": list(wired.check_routing.faults(command.document.encode()))}
        case ExplainRouteCommand():
            return _explain(wired, command)
        case BackTestRoutingCommand():
            return _back_test(wired, command)
        case PublishRoutingCommand():
            return _present(wired.publish_routing(command.document.encode(), command.operator_action()))
        case RollBackRoutingCommand():
            return _present(wired.roll_back_routing(command.operator_action(), command.to_version))


def _explain(wired: OperatorsWiring, command: ExplainRouteCommand) -> dict[str, Any]:
    question = RouteQuestion(
        merchant_id=command.merchant_id,
        amount=command.amount,
        currency=command.currency,
        payment_method_type=command.payment_method_type,
        capture=CaptureMode(command.capture),
        country=command.country,
        metadata=command.metadata,
        transaction_id=command.transaction_id,
    )
    route = wired.explain_route(question, command.document.encode() if command.document is not None else None)
    return {
        "document": route.document,
        "rule": route.rule,
        "reasons": list(route.reasons),
        "providers": [{"provider": c.provider, "accountId": c.account_id} for c in route.candidates],
    }


def _back_test(wired: OperatorsWiring, command: BackTestRoutingCommand) -> dict[str, Any]:
    until_ms = wired.platform.clock.now_ms() + 1
    query = PaymentQuery(
        merchant_id=command.merchant_id,
        from_ms=max(until_ms - limits.MAX_LIST_RANGE_DAYS * limits.DAY_MS, 0),
        until_ms=until_ms,
        status=None,
        limit=1,
        position=command.position,
    )
    tested = wired.back_test_routing(command.document.encode(), query)
    return {
        "compared": tested.compared,
        "erased": tested.erased,
        "moves": [
            {"from": m.before, "to": m.after, "code": m.code, "count": m.count, "examples": list(m.examples)}
            for m in tested.moves
        ],
        "rules": [{"rule": name, "count": count} for name, count in tested.matched.items()],
        "nextPosition": tested.next_position,
    }


def _present(publication: Publication) -> dict[str, Any]:
    return {
        "number": publication.number,
        "state": publication.state,
        "percent": publication.percent,
        "document": publication.document.decode(errors="replace"),
    }
