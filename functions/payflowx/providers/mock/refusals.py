"""The refusals of the mock simulator, all made before execution."""

from typing import Final

from payflowx.providers.refusals import Refusal, RefusalTable, RefusedCall

_SOURCE: Final = "docs/providers/mock.md"
_CAPTURE: Final = frozenset({RefusedCall.CAPTURE})
_CAPTURE_OR_REFUND: Final = frozenset({RefusedCall.CAPTURE, RefusedCall.REFUND})
_REFUND: Final = frozenset({RefusedCall.REFUND})
_VOID: Final = frozenset({RefusedCall.VOID})

REFUSALS: Final = RefusalTable(
    (
        Refusal(
            code="parameter_invalid",
            calls=frozenset(RefusedCall),
            meaning="a wrong field",
            source=_SOURCE,
        ),
        Refusal(code="not_refundable", calls=_REFUND, meaning="the charge was not captured", source=_SOURCE),
        Refusal(code="not_capturable", calls=_CAPTURE, meaning="nothing is held", source=_SOURCE),
        Refusal(code="not_voidable", calls=_VOID, meaning="nothing is held", source=_SOURCE),
        Refusal(code="amount_too_large", calls=_CAPTURE_OR_REFUND, meaning="more than what is left", source=_SOURCE),
    )
)
