"""Answers made from the schemas of `docs/openapi.json`, so that no test has its own idea of them."""

import json
from pathlib import Path
from typing import Any

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).resolve().parents[3] / "docs" / "openapi.json").read_text())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
TIME = "2026-09-21T14:13:20.000Z"


def sample(schema: Any) -> Any:
    """Every member, none null, one element a list."""
    if "$ref" in schema:
        return sample(SCHEMAS[schema["$ref"].rsplit("/", 1)[1]])
    if "anyOf" in schema:
        return sample(schema["anyOf"][0])
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("format") == "date-time":
        return TIME
    match schema.get("type"):
        case "object" if "properties" in schema:
            return {name: sample(member) for name, member in schema["properties"].items()}
        case "object":
            return {"name": sample(schema.get("additionalProperties") or {"type": "string"})}
        case "array":
            return [sample(schema["items"])]
        case "integer":
            return schema.get("minimum", 7)
        case "boolean":
            return True
    return "text"


def named(name: str, **changed: Any) -> dict[str, Any]:
    return {**sample(SCHEMAS[name]), **changed}


def page(name: str, items: list[Any], cursor: str | None, **more: Any) -> dict[str, Any]:
    return {"items": items, "nextCursor": cursor, "unreadable": [], **more}


def payment(**changed: Any) -> dict[str, Any]:
    return named("PaymentAnswer", **changed)
