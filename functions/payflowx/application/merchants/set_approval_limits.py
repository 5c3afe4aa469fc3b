"""The amounts up to which one operator decides alone."""

import re
from dataclasses import dataclass
from typing import Final

from payflowx.domain.merchants.approvals import MAX_CURRENCIES, SecondPersonNeeded
from payflowx.domain.merchants.directory import AuditEntry, MerchantDirectory
from payflowx.domain.merchants.operator_action import OperatorAction
from payflowx.domain.merchants.ports import ApprovalLimits
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import MAX_AMOUNT

_CURRENCY: Final = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SetApprovalLimits:
    """Raises `Refusal` (`not_found`, `limits_invalid`, `conflict`) and `SecondPersonNeeded`.

    One person sets the first limits. From then on a change of them needs two, or nobody would be bound by them. An
    approved proposal is done by the write that sets its limits: approved again, it would undo a newer change.
    """

    merchant_directory: MerchantDirectory
    clock: Clock

    def __call__(self, merchant_id: str, limits: ApprovalLimits, action: OperatorAction) -> None:
        """Apply to what is decided from now on."""
        _check(limits)
        merchant = self.merchant_directory.merchant(merchant_id)
        if merchant is None:
            raise Refusal("not_found", "There is no merchant with this id.")
        if merchant.approval_limits.are_set and not action.is_of_two:
            raise SecondPersonNeeded(0, "")
        record = AuditEntry(
            action="merchant.approval_limits_set",
            at_ms=self.clock.now_ms(),
            operator_action=action,
            merchant_id=merchant_id,
            facts={f"limit{name}": amount for name, amount in (limits.by_currency or {}).items()}
            or {"limits": "none" if limits.by_currency is None else "every amount needs two"},
        )
        known = merchant.approval_limits
        if not self.merchant_directory.set_approval_limits(merchant_id, limits, record, before=known):
            raise Refusal(
                "conflict",
                "The limits were changed, or the proposal was carried out, at the same time. This command changed "
                "nothing. Read the limits; if they are not what you want, set or propose them again.",
            )


def _check(limits: ApprovalLimits) -> None:
    named = limits.by_currency or {}
    if len(named) > MAX_CURRENCIES:
        raise Refusal("limits_invalid", f"At most {MAX_CURRENCIES} currencies can have a limit.")
    if not all(_CURRENCY.fullmatch(name) and 0 <= amount <= MAX_AMOUNT for name, amount in named.items()):
        raise Refusal("limits_invalid", "A limit is a currency, such as USD, and an amount in minor units.")
