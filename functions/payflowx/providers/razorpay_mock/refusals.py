"""The refusals of the razorpay_mock simulator, all made before execution."""

from typing import Final

from payflowx.providers.refusals import Refusal, RefusalTable, RefusedCall

_SOURCE: Final = "docs/providers/razorpay_mock.md"
_CAPTURE: Final = frozenset({RefusedCall.CAPTURE})
_CAPTURE_OR_REFUND: Final = frozenset({RefusedCall.CAPTURE, RefusedCall.REFUND})
_CHARGE: Final = frozenset({RefusedCall.CHARGE})
_REFUND: Final = frozenset({RefusedCall.REFUND})

REFUSALS: Final = RefusalTable(
    (
        Refusal(
            code="input_validation_failed",
            calls=frozenset(RefusedCall),
            meaning="a wrong field",
            source=_SOURCE,
        ),
        Refusal(code="not_refundable", calls=_REFUND, meaning="the payment was not captured", source=_SOURCE),
        Refusal(code="not_capturable", calls=_CAPTURE, meaning="nothing is held", source=_SOURCE),
        Refusal(code="amount_too_large", calls=_CAPTURE_OR_REFUND, meaning="more than what is left", source=_SOURCE),
        Refusal(code="order_amount_mismatch", calls=_CHARGE, meaning="another amount than the order", source=_SOURCE),
    )
)
