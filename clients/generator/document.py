"""The API as tables, for every language: enumerations, object types and operations.

Names are those of the API (`transactionId`, `createPayment`); a language's module changes their spelling.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"

ENUM_NAMES: Final[Mapping[str, frozenset[str]]] = {
    "PaymentStatus": frozenset(
        ["AUTHORIZED", "CANCELLED", "FAILED", "IN_REVIEW", "PENDING", "REQUIRES_ACTION", "SUCCESS"]
    ),
    "OperationStatus": frozenset(["FAILED", "IN_REVIEW", "PENDING", "SUCCEEDED"]),
}
"""Enumerations that stand under several names of fields."""
ENUM_NAMES_BY_FIELD: Final[Mapping[tuple[str, str], str]] = {
    ("*", "capture"): "CaptureMode",
    ("*", "initiator"): "Initiator",
    ("PaymentMethodRequest", "methods"): "CheckoutMethod",
    ("PaymentMethodRequest", "presentation"): "CheckoutPresentation",
    ("*", "eventTypes"): "EventType",
    ("AttemptAnswer", "state"): "AttemptState",
    ("DeliveryAnswer", "state"): "DeliveryState",
    ("DisputeAnswer", "state"): "DisputeState",
    ("*", "disabledReason"): "DisabledReason",
    ("EndpointAnswer", "status"): "EndpointStatus",
    ("EndpointSecretAnswer", "status"): "EndpointStatus",
    ("MerchantEventAnswer", "type"): "EventType",
    ("WebhookMessage", "type"): "EventType",
    ("NextActionAnswer", "type"): "NextActionType",
    ("OperationAnswer", "kind"): "OperationKind",
    ("OperationAnswer", "origin"): "OperationOrigin",
}
"""(schema or `*`, field) -> name. The document has enumerations inline, without names."""

TYPE_NAMES: Final[Mapping[str, str]] = {
    "EventAnswer": "AuditEvent",
    "EventListAnswer": "AuditEventPage",
    "WebhookAnswer": "WebhookReceived",
}
SECRET_FIELDS: Final = frozenset({"token", "tokens", "secret", "receiptEmail"})
SECRET_MEMBERS: Final = frozenset({("NextActionAnswer", "url"), ("NextActionAnswer", "fields")})
SECRET_TYPES: Final = frozenset({"CustomerRequest", "AddressRequest"})
"""Hidden in what a program prints: credentials, personal data, addresses that carry a session."""


class Kind(StrEnum):
    """The shapes that the API uses."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIME = "time"
    SCALAR = "scalar"
    ENUM = "enum"
    OBJECT = "object"
    LIST = "list"
    MAP = "map"
    ANY = "any"


class Repeat(StrEnum):
    """Whether a request whose answer was lost may be sent again."""

    SAFE = "safe"
    """It changes nothing, or the same end is reached however often it is sent (GET, DELETE)."""
    WITH_KEY = "with_key"
    """With the same `Idempotency-Key` it is executed once."""
    NEVER = "never"
    """Each time has another effect."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A field's type: `name` for enumerations and objects, `item` for lists and maps."""

    kind: Kind
    name: str = ""
    item: "Shape | None" = None
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A member of an object. `default` counts where it is not required."""

    name: str
    shape: Shape
    required: bool
    default: Any
    secret: bool
    description: str


@dataclass(frozen=True, slots=True)
class ObjectType:
    """A request (sent) or an answer (received)."""

    name: str
    description: str
    fields: tuple[Field, ...]
    sent: bool


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the path or the query."""

    name: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Operation:
    """One call. `body` and `answer` are names of object types; empty for none."""

    id: str
    method: str
    path: str
    path_parameters: tuple[Parameter, ...]
    query_parameters: tuple[Parameter, ...]
    body: str
    raw_body: bool
    body_required: bool
    answer: str
    has_answer: bool
    repeat: Repeat
    authenticated: bool


@dataclass(frozen=True, slots=True)
class Api:
    """Everything that a client library is made of."""

    enums: Mapping[str, tuple[str, ...]]
    types: tuple[ObjectType, ...]
    operations: tuple[Operation, ...]


class UnknownShapeError(Exception):
    """The document uses what the generator does not know: extend it, do not guess."""


def load(path: Path = DOCUMENT) -> Api:
    """Read the document. Raises `UnknownShapeError`."""
    return Reader(json.loads(path.read_text())).api()


def type_name(schema: str) -> str:
    """`PaymentAnswer` -> `Payment`, `PaymentListAnswer` -> `PaymentPage`, `CustomerRequest` -> `Customer`."""
    if schema in TYPE_NAMES:
        return TYPE_NAMES[schema]
    if schema.startswith(("CreatePayment", "CreateEndpoint", "MoveMoney", "CancelPayment")):
        return schema
    return schema.replace("ListAnswer", "Page").removesuffix("Answer").removesuffix("Request")


class Reader:
    """Reads one document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._schemas: dict[str, dict[str, Any]] = document["components"]["schemas"]
        self._enums: dict[str, tuple[str, ...]] = {}

    def api(self) -> Api:
        """The whole document; types stand after those that they use."""
        types = [self._type(name) for name in self._in_order()]
        operations = tuple(
            self._operation(method, path, described)
            for path, item in self._document["paths"].items()
            for method, described in item.items()
        )
        return Api(dict(sorted(self._enums.items())), tuple(types), operations)

    def _in_order(self) -> list[str]:
        ordered: list[str] = []

        def add(name: str) -> None:
            for used in sorted(_references(self._schemas[name])):
                add(used)
            if name not in ordered:
                ordered.append(name)

        for name in self._schemas:
            add(name)
        return ordered

    def _type(self, schema: str) -> ObjectType:
        described = self._schemas[schema]
        required = set(described.get("required", []))
        fields = tuple(
            Field(
                name=name,
                shape=self._shape(schema, name, member),
                required=name in required,
                default=member.get("default"),
                secret=name in SECRET_FIELDS or schema in SECRET_TYPES or (schema, name) in SECRET_MEMBERS,
                description=member.get("description", ""),
            )
            for name, member in described["properties"].items()
        )
        return ObjectType(type_name(schema), described["description"], fields, schema.endswith("Request"))

    def _operation(self, method: str, path: str, described: dict[str, Any]) -> Operation:
        parameters = described.get("parameters", [])
        body: dict[str, Any] = described.get("requestBody", {})
        contents: dict[str, Any] = body.get("content", {})
        media_type = next(iter(contents), "")
        success = min(status for status in described["responses"] if status.startswith("2"))
        answer = described["responses"][success].get("content", {}).get("application/json", {}).get("schema")
        keyed = any(each["in"] == "header" and each["name"] == "Idempotency-Key" for each in parameters)
        return Operation(
            id=described["operationId"],
            method=method.upper(),
            path=path,
            path_parameters=self._parameters(parameters, "path"),
            query_parameters=self._parameters(parameters, "query"),
            body=_target(contents[media_type]["schema"]) if media_type == "application/json" else "",
            raw_body=media_type == "*/*",
            body_required=body.get("required", False),
            answer=_target(answer) if answer and "$ref" in answer else "",
            has_answer=answer is not None,
            repeat=_repeat(method, keyed=keyed),
            authenticated=described.get("security") != [],
        )

    def _parameters(self, parameters: list[dict[str, Any]], place: str) -> tuple[Parameter, ...]:
        return tuple(
            Parameter(each["name"], self._shape("*", each["name"], each["schema"]))
            for each in parameters
            if each["in"] == place
        )

    def _shape(self, schema: str, field: str, described: dict[str, Any]) -> Shape:
        if "$ref" in described:
            return Shape(Kind.OBJECT, _target(described))
        if "anyOf" in described:
            return self._alternatives(schema, field, described["anyOf"])
        if "enum" in described:
            return self._enumeration(schema, field, described["enum"])
        return self._plain(schema, field, described)

    def _alternatives(self, schema: str, field: str, described: list[dict[str, Any]]) -> Shape:
        others = [each for each in described if each.get("type") != "null"]
        if len(others) == 1 and len(others) < len(described):
            only = self._shape(schema, field, others[0])
            return Shape(only.kind, only.name, only.item, nullable=True)
        if {each.get("type") for each in others} == {"string", "integer", "boolean"}:
            return Shape(Kind.SCALAR)
        raise UnknownShapeError(f"{schema}.{field}: {described}")

    def _plain(self, schema: str, field: str, described: dict[str, Any]) -> Shape:
        if described.get("format") == "date-time":
            return Shape(Kind.TIME)
        simple = {"string": Kind.TEXT, "integer": Kind.INTEGER, "boolean": Kind.BOOLEAN}
        match described.get("type"):
            case "array":
                return Shape(Kind.LIST, item=self._shape(schema, field, described["items"]))
            case "object" if isinstance(values := described.get("additionalProperties"), dict):
                return Shape(Kind.MAP, item=self._shape(schema, field, values))
            case str(name) if name in simple:
                return Shape(simple[name])
        raise UnknownShapeError(f"{schema}.{field}: {described}")

    def _enumeration(self, schema: str, field: str, values: list[Any]) -> Shape:
        if values == [True]:
            return Shape(Kind.BOOLEAN)
        if len(values) == 1:
            return Shape(Kind.TEXT)
        name = next((name for name, known in ENUM_NAMES.items() if known == set(values)), "")
        name = name or ENUM_NAMES_BY_FIELD.get((schema, field), "") or ENUM_NAMES_BY_FIELD.get(("*", field), "")
        if not name or self._enums.setdefault(name, tuple(sorted(values))) != tuple(sorted(values)):
            raise UnknownShapeError(f"{schema}.{field}: give this enumeration a name of its own: {values}")
        return Shape(Kind.ENUM, name)


def _target(described: dict[str, Any]) -> str:
    return type_name(described["$ref"].rsplit("/", 1)[1])


def _references(described: object) -> Iterator[str]:
    if isinstance(described, dict):
        if isinstance(reference := described.get("$ref"), str):
            yield reference.rsplit("/", 1)[1]
        for value in described.values():
            yield from _references(value)
    elif isinstance(described, list):
        for value in described:
            yield from _references(value)


def _repeat(method: str, *, keyed: bool) -> Repeat:
    if keyed:
        return Repeat.WITH_KEY
    return Repeat.SAFE if method in {"get", "delete"} else Repeat.NEVER
