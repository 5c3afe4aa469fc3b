"""Proposals of operators, each in its merchant's partition of proposals: `pk = M#{merchant}#PROPOSALS`, `sk` its id."""

from dataclasses import dataclass
from typing import Any, Final

from payflowx.adapters.dynamodb.core.expressions import UNKNOWN, Expression
from payflowx.adapters.dynamodb.core.failures import storage_errors
from payflowx.adapters.dynamodb.core.reading import decodes, or_unreadable, readable
from payflowx.adapters.dynamodb.core.values import Item, from_attributes, to_attributes
from payflowx.adapters.dynamodb.merchants.recorded_changes import RecordedChanges, record_item
from payflowx.domain.merchants.approvals import Proposal, ProposalPage, ProposalRefusal, ProposalState
from payflowx.domain.merchants.directory import AuditEntry
from payflowx.domain.merchants.operator_action import OperatorAction

_REFUSAL: Final = ("refusal",)
_APPROVABLE: Final = (ProposalState.OPEN, ProposalState.APPROVED, ProposalState.REFUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamoDBProposals(RecordedChanges):
    """Implements `Proposals`."""

    def add(self, proposal: Proposal, action: OperatorAction) -> bool:
        """One put, and the entry of the audit log."""
        entry = _entry("approval.proposed", proposal, action, proposal.created_at_ms)
        return self.write(self.new(_item(proposal)), self.new(record_item(entry)))

    def get(self, merchant_id: str, proposal_id: str) -> Proposal | None:
        """As stored now."""
        with storage_errors():
            answer = self.client.get_item(
                TableName=self.table, Key=to_attributes(_key(merchant_id, proposal_id)), ConsistentRead=True
            )
        return _proposal(from_attributes(answer["Item"])) if "Item" in answer else None

    def newest(self, merchant_id: str, *, limit: int, before: str | None = None) -> ProposalPage:
        """Ids begin with their time."""
        expression = Expression()
        start: dict[str, Any] = (
            {"ExclusiveStartKey": to_attributes(_key(merchant_id, before))} if before is not None else {}
        )
        with storage_errors():
            answer = self.client.query(
                TableName=self.table,
                KeyConditionExpression=expression.equals("pk", _partition(merchant_id)),
                ScanIndexForward=False,
                ConsistentRead=True,
                Limit=limit,
                **start,
                **expression.arguments(),
            )
        last = answer.get("LastEvaluatedKey")
        found = map(or_unreadable(_proposal), map(from_attributes, answer["Items"]))
        items, unreadable = readable(found)
        return ProposalPage(
            items=items,
            unreadable=[row.item["sk"] for row in unreadable],
            next_before=from_attributes(last)["sk"] if last else None,
        )

    def approve(self, proposal: Proposal, action: OperatorAction, now_ms: int) -> bool:
        """On the condition that it is as it was read, that somebody else proposed it, and that it is not over."""
        if proposal.state not in _APPROVABLE:
            return False
        expression = Expression()
        conditions = [
            *_as_read(expression, proposal),
            f"{expression.name('proposedBy')} <> {expression.value(action.who)}",
            f"{expression.name('expiresAtMs')} > {expression.value(now_ms)}",
        ]
        changed = {"state": ProposalState.APPROVED.value, "decidedBy": action.who, "decidedAt": now_ms}
        entry = _entry("approval.approved", proposal, action, now_ms)
        update = _update(self.table, _key_of(proposal), changed, expression, conditions, removed=_REFUSAL)
        return self.write(update, self.new(record_item(entry)))

    def finish(self, proposal: Proposal, now_ms: int) -> bool:
        """Its change has an audit entry of its own."""
        return self.write(finished_part(self.table, proposal.merchant_id, proposal.proposal_id, now_ms))

    def refuse(self, proposal: Proposal, refusal: ProposalRefusal, action: OperatorAction) -> bool:
        """On the condition that the approval which it answers is the last one."""
        expression = Expression()
        conditions = [
            _is_any_of(expression, (ProposalState.APPROVED,)),
            expression.equals("decidedAt", proposal.decided_at_ms),
        ]
        kept = {"refusal": _refusal_item(refusal)}
        entry = _entry("approval.refused", proposal, action, refusal.at_ms, code=refusal.code)
        return self.write(
            _update(self.table, _key_of(proposal), kept, expression, conditions), self.new(record_item(entry))
        )

    def withdraw(
        self, proposal: Proposal, action: OperatorAction, now_ms: int, *, kept: ProposalRefusal | None
    ) -> bool:
        """On the condition that it is as it was read. `kept` None leaves the refusal that it has."""
        if proposal.state not in _APPROVABLE:
            return False
        expression = Expression()
        conditions = [*_as_read(expression, proposal)]
        if proposal.refusal is None:
            conditions.append(expression.absent("refusal"))
        changed: Item = {"state": ProposalState.WITHDRAWN.value, "decidedBy": action.who, "decidedAt": now_ms}
        if kept is not None:
            changed["refusal"] = _refusal_item(kept)
        entry = _entry("approval.withdrawn", proposal, action, now_ms)
        return self.write(
            _update(self.table, _key_of(proposal), changed, expression, conditions), self.new(record_item(entry))
        )


def finished_part(table: str, merchant_id: str, proposal_id: str, now_ms: int) -> dict[str, Any]:
    """The part of a transaction that marks an approved proposal as done: it fails where it is done already."""
    expression = Expression()
    conditions = [_is_any_of(expression, (ProposalState.APPROVED,))]
    done = {"state": ProposalState.DONE.value, "doneAt": now_ms}
    return _update(table, _key(merchant_id, proposal_id), done, expression, conditions, removed=_REFUSAL)


def _update(
    table: str,
    key: dict[str, str],
    changed: Item,
    expression: Expression,
    conditions: list[str],
    *,
    removed: tuple[str, ...] = (),
) -> dict[str, Any]:
    before = dict.fromkeys(changed) | dict.fromkeys(removed, UNKNOWN)
    return {
        "Update": {
            "TableName": table,
            "Key": to_attributes(key),
            "UpdateExpression": expression.update(before, changed),
            "ConditionExpression": " AND ".join(conditions),
            **expression.arguments(),
        }
    }


def _as_read(expression: Expression, proposal: Proposal) -> tuple[str, str]:
    """Whether an earlier approval may have been carried out is known from what was read."""
    state = ProposalState.OPEN if proposal.state is ProposalState.OPEN else ProposalState.APPROVED
    decided = "decidedAt"
    return _is_any_of(expression, (state,)), (
        expression.absent(decided)
        if proposal.decided_at_ms is None
        else expression.equals(decided, proposal.decided_at_ms)
    )


def _is_any_of(expression: Expression, states: tuple[ProposalState, ...]) -> str:
    name = expression.name("state")
    return f"({' OR '.join(f'{name} = {expression.value(state.value)}' for state in states)})"


def _partition(merchant_id: str) -> str:
    return f"M#{merchant_id}#PROPOSALS"


def _key(merchant_id: str, proposal_id: str) -> dict[str, str]:
    return {"pk": _partition(merchant_id), "sk": proposal_id}


def _key_of(proposal: Proposal) -> dict[str, str]:
    return _key(proposal.merchant_id, proposal.proposal_id)


def _entry(action: str, proposal: Proposal, operator_action: OperatorAction, at_ms: int, **facts: str) -> AuditEntry:
    return AuditEntry(
        action=action,
        at_ms=at_ms,
        operator_action=operator_action,
        merchant_id=proposal.merchant_id,
        facts={"proposal": proposal.proposal_id, "amount": proposal.amount, "currency": proposal.currency, **facts},
    )


def _item(proposal: Proposal) -> Item:
    return {
        **_key(proposal.merchant_id, proposal.proposal_id),
        "merchantId": proposal.merchant_id,
        "content": proposal.content,
        "amount": proposal.amount,
        "currency": proposal.currency,
        "proposedBy": proposal.proposed_by,
        "reason": proposal.why,
        "createdAt": proposal.created_at_ms,
        "expiresAtMs": proposal.expires_at_ms,
        "state": proposal.state.value,
    }


@decodes("proposal")
def _proposal(item: Item) -> Proposal:
    return Proposal(
        proposal_id=item["sk"],
        merchant_id=item["merchantId"],
        content=item["content"],
        amount=item["amount"],
        currency=item["currency"],
        proposed_by=item["proposedBy"],
        why=item["reason"],
        created_at_ms=item["createdAt"],
        expires_at_ms=item["expiresAtMs"],
        state=_state(item),
        decided_by=item.get("decidedBy"),
        decided_at_ms=item.get("decidedAt"),
        refusal=_refusal(item.get("refusal")),
    )


def _state(item: Item) -> ProposalState:
    state = ProposalState(item["state"])
    return ProposalState.REFUSED if state is ProposalState.APPROVED and "refusal" in item else state


def _refusal_item(refusal: ProposalRefusal) -> Item:
    return {"code": refusal.code, "detail": refusal.detail, "at": refusal.at_ms}


def _refusal(kept: Item | None) -> ProposalRefusal | None:
    return ProposalRefusal(code=kept["code"], detail=kept["detail"], at_ms=kept["at"]) if kept else None
