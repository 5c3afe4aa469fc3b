"""A review as text: the provider's side, and the amounts now and after each verdict."""

from collections.abc import Mapping
from typing import Any, Final

from ops.output import key_values, table

AMOUNT_ROWS: Final = (
    "operationStatus",
    "held",
    "paymentStatus",
    "captured",
    "refundable",
    "reserved",
    "refunded",
    "excess",
    "capturable",
)
_COLUMNS: Final = {"": "name", "now": "now", "if --charged": "charged", "if --not-charged": "not_charged"}
_REFUSED: Final = "refused"


def review_text(shown: Mapping[str, Any]) -> str:
    """Amounts are in the minor unit of the currency."""
    reported = {f"provider's {name}": value for name, value in shown["theirs"].items()}
    head = {"requested": f"{shown['requested']} {shown['currency']}", "reason": shown["reason"], **reported}
    return "\n\n".join([key_values(head), _amounts(shown), *_refusals(shown)])


def _amounts(shown: Mapping[str, Any]) -> str:
    ours, verdicts = shown["ours"], shown["verdicts"]
    rows = [
        {"name": name, "now": ours[name], **{verdict: _cell(effect, name) for verdict, effect in verdicts.items()}}
        for name in AMOUNT_ROWS
        if name in ours
    ]
    return table(rows, _COLUMNS)


def _cell(effect: Mapping[str, Any], name: str) -> Any:
    return _REFUSED if _REFUSED in effect else effect[name]


def _refusals(shown: Mapping[str, Any]) -> list[str]:
    flags = {"charged": "--charged", "not_charged": "--not-charged"}
    return [
        f"{flags[verdict]} is refused: {effect['why']}"
        for verdict, effect in shown["verdicts"].items()
        if _REFUSED in effect
    ]
