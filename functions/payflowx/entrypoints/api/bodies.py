"""From the raw body of a request to its typed form; refusals name the field and the rule, never what was sent."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, TypeVar, get_args

import msgspec

from payflowx.domain.shared.errors import Refusal
from payflowx.entrypoints.api.card_data_search import refuse_card_data
from payflowx.entrypoints.api.field_rules import RULES, rule_of
from payflowx.entrypoints.api.requests import ApiRequest
from payflowx.entrypoints.api.strict_json import decode_json_object

T = TypeVar("T")

_PLACE: Final = re.compile(r" - at (?:`key` in )?`\$\.?(?P<path>[^`]*)`$")
_UNKNOWN: Final = re.compile(r"contains unknown field `(?P<name>[^`]*)`")
_MISSING: Final = re.compile(r"missing required field `(?P<name>[^`]*)`")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


def read_body(request: ApiRequest, kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The JSON object with its texts in NFC: what looks the same is the same. `kind` is the type that it is for.

    Raises `Refusal`. Card data is looked for before anything else is said about the object.
    """
    known = known_names(kind)
    body = decode_json_object(request.body())
    members = {_nfc(name): _normalized(member, name if name in known else None) for name, member in body.items()}
    _check_names(body, members, None)
    refuse_card_data(members, known)
    return members


def _normalized(value: Any, field: str | None) -> Any:
    """`field` is the member of the request that `value` is in."""
    if isinstance(value, str):
        return _nfc(value)
    if isinstance(value, dict):
        members = {_nfc(name): _normalized(member, field) for name, member in value.items()}
        _check_names(value, members, field)
        return members
    if isinstance(value, list):
        return [_normalized(member, field) for member in value]
    return value


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _check_names(sent: Mapping[str, Any], members: Mapping[str, Any], field: str | None) -> None:
    if len(members) != len(sent):
        where = f"The field {field}" if field else "The body"
        detail = f"{where} has two members whose names are the same text in Unicode's normalization form C."
        raise Refusal("malformed_json", detail, field=field)


@cache
def known_names(request: type[msgspec.Struct]) -> Mapping[str, Any]:
    """The names of a request's fields, each with the names inside of it. The names of free maps are not among them.

    Read once: msgspec evaluates the type's annotations each time.
    """
    return {
        field.encode_name: known_names(struct) if (struct := _struct_in(field.type)) else {}
        for field in msgspec.structs.fields(request)
    }


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    parts = (kind, *get_args(kind))
    return next((part for part in parts if isinstance(part, type) and issubclass(part, msgspec.Struct)), None)


def converted(body: Mapping[str, Any], to: type[T]) -> T:
    """The typed request; raises `Refusal` with the precise code."""
    try:
        return msgspec.convert(body, to, strict=True)
    except msgspec.ValidationError as error:
        raise _refusal(str(error)) from None  # the library's text may repeat the request


def _refusal(message: str) -> Refusal:
    """The library's finding in our words: its place names the rule, its values stay unsaid."""
    found = _PLACE.search(message)
    place = found["path"].split("[")[0] if found else ""
    if unknown := _UNKNOWN.search(message):
        name = unknown["name"]
        named = f"The field {name} is" if _PLAIN_NAME.fullmatch(name) else "A field is"
        inside = f" in {place}" if place else ""
        return Refusal(
            "unknown_field",
            f"{named} not known{inside}. Remove it, or see /openapi.json.",
            field=place or None,
        )
    if missing := _MISSING.search(message):
        name = f"{place}.{missing['name']}" if place else missing["name"]
        return Refusal("field_missing", f"The field {name} is required.", field=name)
    code, detail = rule_of(place)
    return Refusal(code, detail, field=place or None)


def key_in(body: Mapping[str, Any]) -> str | None:
    """The idempotency key of the body, if there is one."""
    key = body.get("idempotencyKey")
    if key is not None and not isinstance(key, str):
        raise Refusal(*RULES["idempotencyKey"], field="idempotencyKey")
    return key
