"""The API reference as a Markdown page, from docs/openapi.json. The site's build makes it; it is not checked in."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

DOCUMENT: Final = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_HEAD: Final = """# API reference

Every call and every type of [openapi.json](openapi.json). [The API page](api.md) explains how to use them.
"""

Schema = Mapping[str, Any]


def page() -> str:
    """The whole page."""
    document = json.loads(DOCUMENT.read_text())
    lines = [_HEAD, "## Calls", ""]
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                lines += _call(method.upper(), path, item[method], document["components"])
    lines += ["## Types", ""]
    for name, schema in document["components"]["schemas"].items():
        lines += _type(name, schema)
    return "\n".join(lines) + "\n"


def _call(method: str, path: str, call: Schema, components: Schema) -> Iterator[str]:
    yield f"### {method} {path}"
    yield ""
    yield f"{_sentence(call['summary'])} Operation `{call['operationId']}`."
    yield ""
    if "security" in call and not call["security"]:
        yield "No API key is needed."
        yield ""
    yield from _parameters([_resolved(one, components) for one in call.get("parameters", ())])
    for media, content in call.get("requestBody", {}).get("content", {}).items():
        need = "required" if call["requestBody"].get("required") else "optional"
        yield f"**Body** ({need}, `{media}`): {_kind(content.get('schema', {}))}"
        yield ""
    yield from _answers(call["responses"], components)


def _parameters(parameters: list[Schema]) -> Iterator[str]:
    if not parameters:
        return
    yield from ("| parameter | in | type | meaning |", "| --- | --- | --- | --- |")
    for one in parameters:
        name = f"`{one['name']}`" + (" (required)" if one.get("required") else "")
        yield f"| {name} | {one['in']} | {_kind(one['schema'])} | {_cell(one.get('description', ''))} |"
    yield ""


def _answers(responses: Schema, components: Schema) -> Iterator[str]:
    yield from ("| status | answer | type |", "| --- | --- | --- |")
    for status, one in responses.items():
        response = _resolved(one, components)
        kinds = [_kind(content.get("schema", {})) for content in response.get("content", {}).values()]
        yield f"| {status} | {_cell(response.get('description', ''))} | {', '.join(dict.fromkeys(kinds)) or '-'} |"
    yield ""


def _type(name: str, schema: Schema) -> Iterator[str]:
    yield f"### {name}"
    yield ""
    if schema.get("description"):
        yield _sentence(schema["description"])
        yield ""
    needed = set(schema.get("required", ()))
    yield from ("| field | type | meaning |", "| --- | --- | --- |")
    for field, kind in schema.get("properties", {}).items():
        label = f"`{field}`" + (" (required)" if field in needed else "")
        yield f"| {label} | {_kind(kind)} | {_cell(_description(kind))} |"
    yield ""


def _kind(schema: Schema) -> str:
    """A type in one cell: a link to a named type, else its JSON type with its bounds."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_kind(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if schema.get("type") == "array":
        return f"array of {_kind(schema.get('items', {}))}"
    return " ".join([_json_type(schema), *_bounds(schema)]).strip() or "any"


def _json_type(schema: Schema) -> str:
    kind = schema.get("type", "")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"object of {_kind(schema['additionalProperties'])}"
    return str(kind)


def _bounds(schema: Schema) -> Iterator[str]:
    if "minimum" in schema or "maximum" in schema:
        yield f"from {schema.get('minimum', '-')} to {schema.get('maximum', '-')}"
    if "maxLength" in schema:
        yield f"of {schema.get('minLength', 0)} to {schema['maxLength']} characters"
    if "maxProperties" in schema:
        yield f"with at most {schema['maxProperties']} names"
    if "pattern" in schema:
        yield f"matching `{schema['pattern'].replace('|', chr(92) + '|')}`"
    if "format" in schema:
        yield f"({schema['format']})"


def _description(schema: Schema) -> str:
    found = [schema.get("description", ""), *(one.get("description", "") for one in schema.get("anyOf", ()))]
    default = [f"Default: `{json.dumps(schema['default'])}`."] if schema.get("default") is not None else []
    return " ".join([*(text for text in found if text), *default])


def _resolved(schema: Schema, components: Schema) -> Schema:
    if "$ref" not in schema:
        return schema
    found: Schema = components
    for name in schema["$ref"].split("/")[2:]:
        found = found[name]
    return found


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
