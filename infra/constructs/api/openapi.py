"""The routes of the API, read from `docs/openapi.json`, which is generated from the handler's own table of routes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from infra.settings import ROOT

DOCUMENT: Final = ROOT / "docs" / "openapi.json"
_JSON: Final = "application/json"
_REFERENCE: Final = "#/components/schemas/"
_KEYWORDS: Final = frozenset(
    {
        *("type", "enum", "anyOf", "title", "description", "format"),
        *("properties", "required", "additionalProperties", "minProperties", "maxProperties"),
        *("items", "minItems", "maxItems", "minimum", "maximum", "minLength", "maxLength", "pattern"),
    }
)
"""What draft 4, the JSON Schema of API Gateway's models, has in common with OpenAPI 3.1 in name and meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The JSON Schema of a request's body, in draft 4."""

    name: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation of the API."""

    path: str
    method: str
    operation_id: str
    needs_api_key: bool
    body: Model | None


def routes() -> Iterator[Route]:
    """Every operation, in the document's order."""
    document = json.loads(DOCUMENT.read_text())
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield Route(
                path=path,
                method=method.upper(),
                operation_id=operation["operationId"],
                needs_api_key=bool(operation.get("security", document["security"])),
                body=_body(operation, document["components"]["schemas"]),
            )


def _body(operation: Mapping[str, Any], components: Mapping[str, Any]) -> Model | None:
    """Returns None when the operation takes no body, or one without a named schema."""
    content = operation.get("requestBody", {}).get("content", {})
    reference = content.get(_JSON, {}).get("schema", {}).get("$ref")
    if reference is None:
        return None
    name = reference.removeprefix(_REFERENCE)
    schema = {"$schema": "http://json-schema.org/draft-04/schema#", **_draft_4(components[name], components)}
    return Model(name=name, schema=schema)


def _draft_4(schema: Mapping[str, Any], components: Mapping[str, Any]) -> dict[str, Any]:
    """Insert the schemas that are referred to, and leave out keywords that draft 4 does not have."""
    if "$ref" in schema:
        return _draft_4(components[schema["$ref"].removeprefix(_REFERENCE)], components)
    found = {keyword: value for keyword, value in schema.items() if keyword in _KEYWORDS}
    if "properties" in found:
        found["properties"] = {name: _draft_4(part, components) for name, part in found["properties"].items()}
    if "anyOf" in found:
        found["anyOf"] = [_draft_4(part, components) for part in found["anyOf"]]
    for keyword in ("items", "additionalProperties"):
        if isinstance(found.get(keyword), Mapping):
            found[keyword] = _draft_4(found[keyword], components)
    if not found.get("required", True):
        del found["required"]  # Draft 4 has no empty list here.
    return found
