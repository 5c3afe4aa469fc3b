"""Writes the data of the test doubles, in each language's package: the scenarios, and the shapes of the document."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from clients.generator.document import Api, Field, Kind, ObjectType

CLIENTS: Final = Path(__file__).resolve().parents[1]
_SCENARIOS: Final = CLIENTS / "scenarios.json"
_PYTHON: Final = CLIENTS / "python" / "src" / "payflowx_client" / "testing" / "data.json"
_TYPESCRIPT: Final = CLIENTS / "typescript" / "src" / "testing" / "data.ts"
_NOTE: Final = (
    "Generated from `clients/scenarios.json` and `docs/openapi.json` by `python -m clients.generator`. Do not edit."
)


def written(api: Api) -> Mapping[Path, str]:
    """The same data twice."""
    data = _data(api, json.loads(_SCENARIOS.read_text()))
    text = json.dumps({"note": _NOTE, **data}, indent=1)
    script = f"/** {_NOTE} */\n\nexport const DATA = {json.dumps(data, indent=1)};\n"
    return {_PYTHON: text + "\n", _TYPESCRIPT: script}


def _data(api: Api, scenarios: dict[str, Any]) -> dict[str, Any]:
    types = {each.name: each for each in api.types}
    request = types["CreatePaymentRequest"]
    return {
        "requestFields": {each.name: each.default for each in request.fields},
        "requiredFields": [each.name for each in request.fields if each.required],
        "emptyPayment": _empty(types["Payment"]),
        "emptyOperation": _empty(types["Operation"]),
        "eventTypes": api.enums["EventType"],
        "paymentStatuses": api.enums["PaymentStatus"],
        **scenarios,
    }


def _empty(described: ObjectType) -> dict[str, Any]:
    return {each.name: _nothing(each) for each in described.fields}


def _nothing(each: Field) -> Any:
    """None for a nullable member; the double fills in texts, times and enumerations."""
    if each.shape.nullable:
        return None
    empty: dict[Kind, Any] = {Kind.INTEGER: 0, Kind.BOOLEAN: False, Kind.LIST: [], Kind.MAP: {}}
    return empty.get(each.shape.kind)
