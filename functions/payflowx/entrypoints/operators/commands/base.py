"""The base of all commands."""

from typing import Annotated

import msgspec
from msgspec import Meta

from payflowx.domain.merchants.caller import VerifiedCaller
from payflowx.domain.merchants.operator_action import OperatorAction, operator_action_of

MerchantId = Annotated[str, Meta(min_length=2, max_length=40)]
TransactionId = Annotated[str, Meta(pattern="^pay_[a-z2-7]{16}$")]
OperationId = Annotated[str, Meta(pattern="^(cap|void|ref)_[a-z2-7]{16}$")]
ProposalId = Annotated[str, Meta(pattern="^prop_[0-9]{13}_[a-z2-7]{16}$")]
Position = Annotated[str, Meta(pattern="^[0-9]{13}(#pay_[a-z2-7]{16})?$")]
"""Where a list of payments goes on."""
Limit = Annotated[int, Meta(ge=1, le=100)]


class Command(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True, tag_field="command"):
    """A question. It changes nothing."""


class MutatingCommand(Command, kw_only=True):
    """A change. Operator and reason go into an audit log that cannot be altered."""

    operator: str
    reason: str
    verified: VerifiedCaller | None = None
    """Never from the wire: no JSON value is one."""

    def operator_action(self) -> OperatorAction:
        """Raises `Refusal` (`reason_invalid`)."""
        return operator_action_of(self.operator, self.reason, self.verified)


class ProposableCommand(MutatingCommand, kw_only=True):
    """A change that becomes a proposal where the merchant's limits ask for a second person."""

    merchant_id: MerchantId
