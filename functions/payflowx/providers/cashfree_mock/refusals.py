"""The refusals of the cashfree_mock simulator, all made before execution."""

from typing import Final

from payflowx.providers.refusals import Refusal, RefusalTable, RefusedCall

_SOURCE: Final = "docs/providers/cashfree_mock.md"
_CAPTURE_OR_REFUND: Final = frozenset({RefusedCall.CAPTURE, RefusedCall.REFUND})
_CAPTURE_OR_VOID: Final = frozenset({RefusedCall.CAPTURE, RefusedCall.VOID})
_REFUND: Final = frozenset({RefusedCall.REFUND})

REFUSALS: Final = RefusalTable(
    (
        Refusal(code="request_invalid", calls=frozenset(RefusedCall), meaning="a wrong field", source=_SOURCE),
        Refusal(code="order_authorization_invalid", calls=_CAPTURE_OR_VOID, meaning="nothing is held", source=_SOURCE),
        Refusal(code="not_refundable", calls=_REFUND, meaning="the payment was not captured", source=_SOURCE),
        Refusal(code="order_not_paid", calls=_REFUND, meaning="the order was not paid", source=_SOURCE),
        Refusal(code="amount_too_large", calls=_CAPTURE_OR_REFUND, meaning="more than what is left", source=_SOURCE),
    )
)
