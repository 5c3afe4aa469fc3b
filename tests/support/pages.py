"""Reads a payer's page as a browser without script would, and finds what a screen reader would miss."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlencode, urljoin

VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta"})
BUTTON_TYPES: Final = frozenset({"submit", "button"})


@dataclass
class Node:
    """An element with its text."""

    name: str
    attributes: Mapping[str, str | None] = field(default_factory=dict)
    children: list["Node"] = field(default_factory=list)
    own_text: str = ""

    @property
    def text(self) -> str:
        return " ".join((self.own_text + " " + " ".join(child.text for child in self.children)).split())

    def every(self, name: str) -> Iterator["Node"]:
        for child in self.children:
            if child.name == name:
                yield child
            yield from child.every(name)

    def first(self, name: str) -> "Node":
        return next(self.every(name))

    def get(self, attribute: str) -> str:
        return self.attributes.get(attribute) or ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Node("document")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, dict(attrs))
        self._open[-1].children.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].name == tag, f"</{tag}> closes <{self._open[-1].name}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].own_text += data


@dataclass
class Form:
    """A form that a browser could send."""

    action: str
    method: str
    fields: dict[str, str]
    label: str

    def body(self, **typed: str) -> str:
        return urlencode({**self.fields, **typed})


@dataclass
class BrowserPage:
    """A page at an address."""

    address: str
    markup: str
    root: Node = field(init=False)

    def __post_init__(self) -> None:
        reader = _Reader()
        reader.feed(self.markup)
        reader.close()
        self.root = reader.root

    @property
    def heading(self) -> str:
        return self.root.first("h1").text

    @property
    def text(self) -> str:
        return self.root.first("body").text

    @property
    def forms(self) -> list[Form]:
        return [
            Form(
                action=urljoin(self.address, form.get("action")),
                method=form.get("method"),
                fields={
                    node.get("name"): node.get("value")
                    for node in form.every("input")
                    if node.get("type") != "radio" or "checked" in node.attributes
                },
                label=form.first("button").text,
            )
            for form in self.root.every("form")
        ]

    def form(self, label: str) -> Form:
        return next(form for form in self.forms if form.label == label)

    def has_form(self, label: str) -> bool:
        return any(form.label == label for form in self.forms)

    def link(self, label: str) -> str:
        """The address behind a link, resolved as a browser does."""
        return next(urljoin(self.address, node.get("href")) for node in self.root.every("a") if node.text == label)

    def choices(self) -> list[str]:
        return [node.get("value") for node in self.root.every("input") if node.get("type") == "radio"]

    def barriers(self) -> list[str]:
        """Faults of the structure for people who do not see the page, and what the page's policy would block."""
        nodes = list(_all(self.root))
        ids = [node.get("id") for node in nodes if node.get("id")]
        labelled = {node.get("for") for node in nodes if node.name == "label" and node.text}
        found = [f"the id {each} occurs twice" for each in set(ids) if ids.count(each) > 1]
        if not self.root.first("html").get("lang") or not self.root.first("title").text:
            found.append("no language or no title")
        if len(list(self.root.every("h1"))) != 1 or len(list(self.root.every("main"))) != 1:
            found.append("not one heading and one main part")
        for node in nodes:
            found += [*_without_name(node, labelled), *_leading_nowhere(node, ids), *_inline(node)]
        return found


def _without_name(node: Node, labelled: set[str]) -> Iterator[str]:
    if node.name == "input" and node.get("type") != "hidden" and node.get("id") not in labelled:
        yield f"the field {node.get('name')} has no label"
    if node.name in {"a", "button", "legend"} and not node.text:
        yield f"<{node.name}> without text"
    if node.name == "fieldset" and not list(node.every("legend")):
        yield "<fieldset> without <legend>"


def _leading_nowhere(node: Node, ids: list[str]) -> Iterator[str]:
    named = f"{node.get('aria-describedby')} {node.get('aria-labelledby')}".split()
    if node.name == "a" and node.get("href").startswith("#"):
        named.append(node.get("href")[1:])
    yield from (f"nothing has the id {each}" for each in named if each not in ids)


def _inline(node: Node) -> Iterator[str]:
    if "style" in node.attributes or any(name.startswith("on") for name in node.attributes):
        yield f"<{node.name}> has something inline"
    if node.name in {"script", "style"} and node.own_text.strip():
        yield f"<{node.name}> is inline"


def _all(node: Node) -> Iterator[Node]:
    for child in node.children:
        yield child
        yield from _all(child)
