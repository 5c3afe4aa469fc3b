"""Writes `models.py` and `operations.py` of the Python library."""

import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from clients.generator.document import Api, Field, Kind, ObjectType, Operation, Parameter, Shape

PACKAGE: Final = Path(__file__).resolve().parents[1] / "python" / "src" / "payflowx_client"
MAX_LINE_CHARS: Final = 120
KEYWORDS: Final = {"from": "from_"}
HEAD: Final = '"""{title}\n\nGenerated from `docs/openapi.json` by `python -m clients.generator`. Do not edit.\n"""\n'


def written(api: Api) -> Mapping[Path, str]:
    """The two files, as they have to be."""
    return {PACKAGE / "models.py": _models(api), PACKAGE / "operations.py": _operations(api)}


def snake(name: str) -> str:
    """`transactionId` -> `transaction_id`."""
    spelled = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return KEYWORDS.get(spelled, spelled)


def _models(api: Api) -> str:
    head = HEAD.format(title="What is sent to the API and what it answers.") + textwrap.dedent(
        """
        from collections.abc import Mapping
        from dataclasses import dataclass, field
        from datetime import datetime
        from typing import Required, TypedDict

        from payflowx_client import _json
        from payflowx_client._enums import OpenEnum
        """
    )
    enums = [_enum(name, values) for name, values in api.enums.items()]
    created = next(each for each in api.types if each.name == "CreatePaymentRequest")
    texts = [*enums, *map(_class, api.types), _arguments(created)]
    return "\n\n".join([head, *(text + "\n" for text in texts)]).rstrip() + "\n"


def _enum(name: str, values: tuple[str, ...]) -> str:
    lines = [f'    {value.upper().replace(".", "_")} = "{value}"' for value in values]
    return f'class {name}(OpenEnum):\n    """Values of the API that this release knows."""\n\n' + "\n".join(lines)


def _class(described: ObjectType) -> str:
    lines = [
        "@dataclass(frozen=True, slots=True, kw_only=True)",
        f"class {described.name}:",
        *_docstring(described.description, 4),
        "",
    ]
    for each in described.fields:
        lines += _field(each, sent=described.sent)
    lines += ["", *(_to_json(described) if described.sent else _from_json(described))]
    return "\n".join(lines)


def _arguments(described: ObjectType) -> str:
    """The fields of a request as keyword arguments; the key is an argument of its own."""
    lines = [
        f"class {described.name.removesuffix('Request')}Arguments(TypedDict, total=False):",
        f'    """Arguments that become a `{described.name}`."""',
        "",
    ]
    for each in described.fields:
        if each.name != "idempotencyKey":
            annotation = _annotation(each.shape)
            lines.append(f"    {snake(each.name)}: {f'Required[{annotation}]' if each.required else annotation}")
            lines += _docstring(each.description, 4) if each.description else []
    return "\n".join(lines)


def _docstring(text: str, indent: int) -> list[str]:
    pad = " " * indent
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    if len(paragraphs) == 1 and len(paragraphs[0]) + indent + 6 <= 120:
        return [f'{pad}"""{paragraphs[0]}"""']
    wrapped = [textwrap.wrap(paragraph, 116 - indent, break_long_words=False) for paragraph in paragraphs]
    lines = [line for number, part in enumerate(wrapped) for line in ([""] if number else []) + part]
    return [f'{pad}"""{lines[0]}', *(f"{pad}{line}".rstrip() for line in lines[1:]), f'{pad}"""']


def _field(each: Field, *, sent: bool) -> list[str]:
    annotation, default = _annotation(each.shape), _default(each, sent=sent)
    if default == "None" and not each.shape.nullable:
        annotation += " | None"
    hidden = each.secret
    if hidden:
        default = f"field({f'default={default}, ' if default else ''}repr=False)"
    line = f"    {snake(each.name)}: {annotation}" + (f" = {default}" if default else "")
    return [line, *(_docstring(each.description, 4) if each.description else [])]


def _default(each: Field, *, sent: bool) -> str:
    if each.required:
        return ""
    if each.shape.kind is Kind.ENUM and each.default is not None:
        return f"{each.shape.name}.{each.default.upper()}"
    if each.shape.kind is Kind.LIST and not each.shape.nullable:
        return "()"
    return repr(each.default) if sent or each.shape.nullable or each.default is not None else "None"


def _annotation(shape: Shape) -> str:
    plain = {
        Kind.TEXT: "str",
        Kind.INTEGER: "int",
        Kind.BOOLEAN: "bool",
        Kind.TIME: "datetime",
        Kind.SCALAR: "str | int | bool",
        Kind.ANY: "object",
    }
    match shape.kind:
        case Kind.ENUM | Kind.OBJECT:
            name = shape.name
        case Kind.LIST if shape.item:
            name = f"tuple[{_annotation(shape.item)}, ...]"
        case Kind.MAP if shape.item:
            name = f"Mapping[str, {_annotation(shape.item)}]"
        case _:
            name = plain[shape.kind]
    return f"{name} | None" if shape.nullable else name


def _decoder(shape: Shape) -> str:
    plain = {
        Kind.TEXT: "_json.text",
        Kind.INTEGER: "_json.integer",
        Kind.BOOLEAN: "_json.boolean",
        Kind.TIME: "_json.time",
        Kind.SCALAR: "_json.scalar",
    }
    match shape.kind:
        case Kind.ENUM | Kind.OBJECT:
            name = f"{shape.name}.from_json"
        case Kind.LIST if shape.item:
            name = f"_json.list_of({_decoder(shape.item)})"
        case Kind.MAP if shape.item:
            name = f"_json.map_of({_decoder(shape.item)})"
        case _:
            name = plain[shape.kind]
    return f"_json.nullable({name})" if shape.nullable else name


def _from_json(described: ObjectType) -> list[str]:
    lines = [
        "    @classmethod",
        f'    def from_json(cls, value: object) -> "{described.name}":',
        '        """Decode; members that this release does not know are left out. Raises `_json.DecodeError`."""',
        f'        members = _json.members(value, "{described.name}")',
        "        return cls(",
    ]
    for each in described.fields:
        default = "" if each.required else f", {_default(each, sent=False)}"
        function = "required" if each.required else "optional"
        arguments = f'members, "{each.name}", {_decoder(each.shape)}{default}'
        line = f"            {snake(each.name)}=_json.{function}({arguments}),"
        if len(line) > MAX_LINE_CHARS:
            head = line.partition("(")[0]
            line = f"{head}(\n                {arguments}\n            ),"
        lines.append(line)
    return [*lines, "        )"]


def _to_json(described: ObjectType) -> list[str]:
    lines = [
        "    def to_json(self) -> dict[str, object]:",
        '        """The members to send; what is None is left out."""',
        "        return _json.encoded(",
        "            {",
    ]
    lines += [f'                "{each.name}": self.{snake(each.name)},' for each in described.fields]
    return [*lines, "            }", "        )"]


def _operations(api: Api) -> str:
    head = HEAD.format(title="Every operation of the API: the table, and one function each.") + textwrap.dedent(
        """
        from collections.abc import Mapping
        from datetime import datetime
        from typing import TypedDict

        from payflowx_client import _json, models
        from payflowx_client.calls import Call, Operation, Repeat, Send
        """
    )
    table = [_row(each) for each in api.operations]
    names = ["OPERATIONS = (", *(f"    {snake(each.id).upper()}," for each in api.operations), ")"]
    functions = [text for each in api.operations for text in (*_filters(each), _function(each))]
    return "\n".join([head, *table, "", *names]) + "\n\n\n" + "\n\n\n".join(functions) + "\n"


def _filters(each: Operation) -> list[str]:
    """What a list can be asked for, other than its pages."""
    found = [one for one in each.query_parameters if one.name not in {"limit", "cursor"}]
    if not found:
        return []
    name = f"{each.id[0].upper()}{each.id[1:]}Filters"
    lines = [f"class {name}(TypedDict, total=False):", f'    """Filters of `{each.method} {each.path}`."""', ""]
    return ["\n".join([*lines, *(_query_argument(one).removesuffix(" = None,") for one in found)])]


def _row(each: Operation) -> str:
    return "\n".join(
        [
            f"{snake(each.id).upper()} = Operation(",
            f'    id="{each.id}",',
            f'    method="{each.method}",',
            f'    path="{each.path}",',
            f"    repeat=Repeat.{each.repeat.name},",
            f"    authenticated={each.authenticated},",
            ")",
        ]
    )


def _function(each: Operation) -> str:
    arguments = ["    send: Send,", *(f"    {snake(one.name)}: str," for one in each.path_parameters)]
    if each.raw_body:
        arguments += ["    body: bytes,"]
    elif each.body:
        arguments += [f"    body: models.{each.body}" + ("," if each.body_required else " | None = None,")]
    named = [_query_argument(one) for one in each.query_parameters]
    if each.repeat.name == "WITH_KEY":
        named += ["    idempotency_key: str | None = None,"]
    arguments += ["    *,", *named] if named else []
    answer = f"models.{each.answer}" if each.answer else ("Mapping[str, object]" if each.has_answer else "None")
    return "\n".join(
        [
            f"def {snake(each.id)}(",
            *arguments,
            f") -> {answer}:",
            f'    """`{each.method} {each.path}`."""',
            *_call(each),
        ]
    )


def _query_argument(one: Parameter) -> str:
    name = f"models.{one.shape.name}" if one.shape.kind is Kind.ENUM else _annotation(one.shape)
    return f"    {snake(one.name)}: {name} | None = None,"


def _call(each: Operation) -> list[str]:
    lines = ["        Call(", f"            {snake(each.id).upper()},"]
    for place, parameters in (("path", each.path_parameters), ("query", each.query_parameters)):
        if parameters:
            members = [f'"{one.name}": {snake(one.name)}' for one in parameters]
            line = f"            {place}={{{', '.join(members)}}},"
            fits = len(line) <= MAX_LINE_CHARS
            wrapped = [
                f"            {place}={{",
                *(f"                {member}," for member in members),
                "            },",
            ]
            lines += [line] if fits else wrapped
    if each.raw_body:
        lines.append("            body=body,")
    elif each.body:
        body = "body.to_json()" if each.body_required else "None if body is None else body.to_json()"
        lines.append(f"            body={body},")
    if each.repeat.name == "WITH_KEY":
        lines.append("            idempotency_key=idempotency_key,")
    lines.append("        )")
    if each.answer:
        return ["    answer = send(", *lines, "    )", f"    return models.{each.answer}.from_json(answer)"]
    if each.has_answer:
        return ["    answer = send(", *lines, "    )", f'    return _json.members(answer, "{each.id}")']
    return ["    send(", *lines, "    )"]
