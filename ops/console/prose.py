"""The small part of Markdown that runbooks are written in, as HTML. Everything is escaped first."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from markupsafe import Markup, escape

_INLINE: Final = re.compile(r"`(?P<code>[^`]+)`|\*\*(?P<strong>[^*]+)\*\*|\[(?P<text>[^\]]+)\]\((?P<target>[^)]+)\)")
_ITEM: Final = re.compile(r"(?:\d+\.|-) (.*)")
_CODE_BLOCK: Final = "```"

Address = Callable[[str], str | None]
"""From a link's target, or from a command line, to its address here; None where there is none: its text is shown."""


def as_html(text: str, address: Address) -> Markup:
    """Paragraphs, headings, lists, code and tables."""
    return Markup("\n").join(_block(lines, address) for lines in _blocks(text.splitlines()))


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Lines between blank lines. Code is a block with the blank lines within it, a heading is one by itself."""
    block: list[str] = []
    in_code = False
    for line in lines:
        code_block = line.strip().startswith(_CODE_BLOCK)
        if (not in_code and (code_block or not line.strip() or line.startswith("#"))) and block:
            yield block
            block = []
        if line.strip() or in_code:
            block.append(line)
        if code_block:
            in_code = not in_code
        if (code_block and not in_code) or (line.startswith("#") and not in_code):
            yield block
            block = []
    if block:
        yield block


def _block(lines: list[str], address: Address) -> Markup:
    first = lines[0].strip()
    if first.startswith(_CODE_BLOCK):
        return Markup('<pre tabindex="0">{}</pre>').format("\n".join(lines[1:-1]))
    if first.startswith("|"):
        return Markup('<pre tabindex="0">{}</pre>').format("\n".join(lines))
    if first.startswith("#"):
        return Markup("<h2>{}</h2>").format(first.lstrip("# "))
    if _ITEM.match(first):
        return _list([first, *lines[1:]], address)
    return Markup("<p>{}</p>").format(_inline(" ".join(lines), address))


def _list(lines: list[str], address: Address) -> Markup:
    """A line that is no item continues the one before; an item that is indented begins a list within it."""
    items: list[list[str]] = []
    for line in lines:
        begun = _ITEM.match(line)
        if begun:
            items.append([begun[1]])
        else:
            items[-1].append(line.lstrip())
    listed = Markup("<ol>{}</ol>") if lines[0][0].isdigit() else Markup("<ul>{}</ul>")
    return listed.format(Markup("").join(_item(item, address) for item in items))


def _item(lines: list[str], address: Address) -> Markup:
    inner = next((place for place, line in enumerate(lines) if place and _ITEM.match(line)), len(lines))
    text = _inline(" ".join(lines[:inner]), address)
    return Markup("<li>{}{}</li>").format(text, _list(lines[inner:], address) if lines[inner:] else "")


def _inline(text: str, address: Address) -> Markup:
    parts, end = [], 0
    for found in _INLINE.finditer(text):
        parts += [escape(text[end : found.start()]), _marked(found, address)]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


def _marked(found: re.Match[str], address: Address) -> Markup:
    if found["code"]:
        code, face = Markup("<code>{}</code>").format(found["code"]), address(found["code"])
        return Markup('<a href="{}">{}</a>').format(face, code) if face else code
    if found["strong"]:
        return Markup("<strong>{}</strong>").format(found["strong"])
    link = address(found["target"])
    label = found["text"].replace("`", "")
    return Markup('<a href="{}">{}</a>').format(link, label) if link else escape(label)
