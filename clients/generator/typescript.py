"""Writes `models.ts` and `operations.ts` of the TypeScript library."""

import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from clients.generator.document import Api, Field, Kind, ObjectType, Operation, Parameter, Shape

SOURCES: Final = Path(__file__).resolve().parents[1] / "typescript" / "src"
_HEAD: Final = (
    "/**\n * {title}\n *\n * Generated from `docs/openapi.json` by `python -m clients.generator`. Do not edit.\n */\n\n"
)
_WIDTH_CHARS: Final = 112


def written(api: Api) -> Mapping[Path, str]:
    """The two files, as they have to be."""
    return {SOURCES / "models.ts": _models(api), SOURCES / "operations.ts": _operations(api)}


def _models(api: Api) -> str:
    head = _HEAD.format(title="What is sent to the API and what it answers.")
    head += 'import * as json from "./json.js";\nimport type { Open } from "./json.js";\n'
    parts = [head, *(_enum(name, values) for name, values in api.enums.items())]
    for each in api.types:
        parts.append(_interface(each))
        if not each.sent:
            parts.append(_decoder_of(each))
    return "\n".join(parts)


def _enum(name: str, values: tuple[str, ...]) -> str:
    lines = [f'  {value.upper().replace(".", "_")}: "{value}",' for value in values]
    return "\n".join(
        [
            "/** Values of the API that this release knows. */",
            f"export const {name} = {{",
            *lines,
            "} as const;",
            f"export type {name} = (typeof {name})[keyof typeof {name}];",
            "",
        ]
    )


def _interface(described: ObjectType) -> str:
    lines = [*_comment(described.description, 0), f"export interface {described.name} {{"]
    for each in described.fields:
        lines += _comment(each.description, 2) if each.description else []
        lines.append(_member(each, sent=described.sent))
    return "\n".join([*lines, "}", ""])


def _member(each: Field, *, sent: bool) -> str:
    annotation = _annotation(each.shape, sent=sent)
    if sent and not each.required:
        return f"  readonly {each.name}?: {annotation} | undefined;"
    nullable = not each.required and not each.shape.nullable and each.shape.kind is not Kind.LIST
    return f"  readonly {each.name}: {annotation}{' | null' if nullable else ''};"


def _annotation(shape: Shape, *, sent: bool) -> str:
    plain = {
        Kind.TEXT: "string",
        Kind.INTEGER: "number",
        Kind.BOOLEAN: "boolean",
        Kind.TIME: "Date",
        Kind.SCALAR: "string | number | boolean",
        Kind.ANY: "unknown",
    }
    match shape.kind:
        case Kind.ENUM:
            name = shape.name if sent else f"Open<{shape.name}>"
        case Kind.OBJECT:
            name = shape.name
        case Kind.LIST if shape.item:
            item = _annotation(shape.item, sent=sent)
            name = f"readonly {item}[]" if re.fullmatch(r"[\w<>]+", item) else f"readonly ({item})[]"
        case Kind.MAP if shape.item:
            name = f"Readonly<Record<string, {_annotation(shape.item, sent=sent)}>>"
        case _:
            name = plain[shape.kind]
    return f"{name} | null" if shape.nullable else name


def _decoder(shape: Shape) -> str:
    plain = {
        Kind.TEXT: "json.text",
        Kind.INTEGER: "json.integer",
        Kind.BOOLEAN: "json.boolean",
        Kind.TIME: "json.time",
        Kind.SCALAR: "json.scalar",
    }
    match shape.kind:
        case Kind.ENUM:
            name = f"json.open<{shape.name}>"
        case Kind.OBJECT:
            name = f"decode{shape.name}"
        case Kind.LIST if shape.item:
            name = f"json.listOf({_decoder(shape.item)})"
        case Kind.MAP if shape.item:
            name = f"json.mapOf({_decoder(shape.item)})"
        case _:
            name = plain[shape.kind]
    return f"json.nullable({name})" if shape.nullable else name


def _decoder_of(described: ObjectType) -> str:
    name = described.name
    lines = [
        "/** Members that this release does not know are left out. Throws `DecodeError`. */",
        f"export const decode{name}: json.Decoder<{name}> = json.object<{name}>(",
        f'  "{name}",',
        "  {",
        *(f"    {each.name}: {_member_decoder(each)}," for each in described.fields),
        "  },",
    ]
    secrets = ", ".join(f'"{each.name}"' for each in described.fields if each.secret)
    return "\n".join([*lines, *([f"  [{secrets}],"] if secrets else []), ");", ""])


def _member_decoder(each: Field) -> str:
    if each.required:
        return f"json.required({_decoder(each.shape)})"
    if each.shape.kind is Kind.LIST and not each.shape.nullable:
        return f"json.optional({_decoder(each.shape)}, [])"
    decoder = _decoder(each.shape) if each.shape.nullable else f"json.nullable({_decoder(each.shape)})"
    return f"json.optional({decoder}, null)"


def _comment(text: str, indent: int) -> list[str]:
    pad = " " * indent
    paragraphs = [" ".join(paragraph.split()).replace("*/", "* /") for paragraph in text.split("\n\n")]
    if len(paragraphs) == 1 and len(paragraphs[0]) + indent + 7 <= _WIDTH_CHARS:
        return [f"{pad}/** {paragraphs[0]} */"]
    wrapped = [textwrap.wrap(each, _WIDTH_CHARS - indent - 3, break_long_words=False) for each in paragraphs]
    lines = [line for number, part in enumerate(wrapped) for line in ([""] if number else []) + part]
    return [f"{pad}/**", *(f"{pad} * {line}".rstrip() for line in lines), f"{pad} */"]


def _operations(api: Api) -> str:
    head = _HEAD.format(title="Every operation of the API: the table, and one function each.")
    head += 'import type { Operation, Send } from "./calls.js";\n'
    head += 'import * as json from "./json.js";\nimport * as models from "./models.js";\n'
    table = ["export const OPERATIONS = {", *(_row(each) for each in api.operations)]
    return "\n".join(
        [head, *table, "} as const satisfies Record<string, Operation>;", "", *map(_function, api.operations)]
    )


def _row(each: Operation) -> str:
    return (
        f'  {each.id}: {{\n    id: "{each.id}",\n    method: "{each.method}",\n    path: "{each.path}",\n'
        f'    repeat: "{each.repeat}",\n    authenticated: {str(each.authenticated).lower()},\n  }},'
    )


def _function(each: Operation) -> str:
    keyed = each.repeat.name == "WITH_KEY"
    options = [f"readonly {one.name}?: {_query_annotation(one)} | undefined" for one in each.query_parameters]
    options += ["readonly idempotencyKey?: string | undefined"] if keyed else []
    arguments = ["send: Send", *(f"{one.name}: string" for one in each.path_parameters)]
    if each.raw_body:
        arguments.append("body: Uint8Array")
    elif each.body:
        arguments.append(f"body{'' if each.body_required else '?'}: models.{each.body}")
    interface = []
    if options:
        name = f"{each.id[0].upper()}{each.id[1:]}Options"
        interface = [f"export interface {name} {{", *(f"  {one};" for one in options), "}", ""]
        arguments.append(f"options: {name} = {{}}")
    answer = f"models.{each.answer}" if each.answer else "Readonly<Record<string, unknown>>"
    return "\n".join(
        [
            *interface,
            f"/** `{each.method} {each.path}`. */",
            f"export async function {each.id}(",
            *(f"  {one}," for one in arguments),
            f"): Promise<{answer if each.has_answer else 'void'}> {{",
            *_call(each, keyed=keyed),
            "}",
            "",
        ]
    )


def _query_annotation(one: Parameter) -> str:
    return f"models.{one.shape.name}" if one.shape.kind is Kind.ENUM else _annotation(one.shape, sent=True)


def _call(each: Operation, *, keyed: bool) -> list[str]:
    members = [f"    operation: OPERATIONS.{each.id},"]
    if each.path_parameters:
        members.append(f"    path: {{ {', '.join(one.name for one in each.path_parameters)} }},")
    if each.query_parameters:
        query = ", ".join(f"{one.name}: options.{one.name}" for one in each.query_parameters)
        members.append(f"    query: {{ {query} }},")
    if each.raw_body or each.body:
        members.append("    body,")
    if keyed:
        members.append("    idempotencyKey: options.idempotencyKey,")
    call = ["send({", *members, "  });"]
    if each.answer:
        return [f"  const answer = await {call[0]}", *call[1:], f"  return models.decode{each.answer}(answer);"]
    if each.has_answer:
        return [f"  const answer = await {call[0]}", *call[1:], f'  return json.members(answer, "{each.id}");']
    return [f"  await {call[0]}", *call[1:]]
