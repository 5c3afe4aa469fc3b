"""Every link, anchor, path and make target that a document names exists."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
MAKE = re.compile(r"\bmake ([a-z][a-z0-9-]*)\b")
HISTORY = {"0024-rooms-and-words.md", "0029-one-attempt-engine.md", "CHANGELOG.md"}
"""They name modules as they were called before."""
MADE = {".local", ".venv", ".venv-docs", ".venv-313", "node_modules", "cdk.out"}
"""Folders that exist only after a command."""
TOP = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")} - MADE


def prose(path: Path) -> str:
    return CODE_BLOCK.sub("", path.read_text())


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def slug(heading: str) -> str:
    """As GitHub and MkDocs make anchors: for headings of ASCII letters the two agree."""
    text = re.sub(r"[*`]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", text)).strip("-")


def anchors(path: Path) -> set[str]:
    return {slug(heading) for heading in HEADING.findall(prose(path))}


def local_links(path: Path) -> Iterator[str]:
    for link in LINK.findall(CODE.sub("", prose(path))):
        if "://" not in link and not link.startswith("mailto:"):
            yield link


def test_every_relative_link_and_anchor_resolves() -> None:
    broken = []
    for path in DOCUMENTS:
        for link in local_links(path):
            file, _, anchor = unquote(link).partition("#")
            target = (path.parent / file).resolve() if file else path
            if not target.is_file() or (anchor and anchor not in anchors(target)):
                broken.append(f"{named(path)}: {link}")
    assert broken == []


def test_pages_of_the_site_link_to_pages_of_the_site_only() -> None:
    """A link out of docs/ works on a hosting site and is dead on the docs site."""
    docs = ROOT / "docs"
    outside = [
        f"{named(path)}: {link}"
        for path in DOCUMENTS
        if docs in path.parents
        for link in local_links(path)
        if docs not in (path.parent / link.partition("#")[0]).resolve().parents
    ]
    assert outside == []


def test_every_path_in_backticks_exists() -> None:
    missing = []
    for path in DOCUMENTS:
        if path.name in HISTORY:
            continue
        for word in CODE.findall(prose(path)):
            file = word.rstrip("/")
            if not re.fullmatch(r"[\w.-]+(/[\w.*{}-]+)+", file) or file.split("/")[0] not in TOP:
                continue
            if not exists(file):
                missing.append(f"{named(path)}: {word}")
    assert missing == []


def exists(file: str) -> bool:
    pattern = re.sub(r"\{[^}]*\}", "*", file)
    return any(ROOT.glob(pattern))


def test_every_path_below_the_package_exists() -> None:
    """Short paths such as `domain/payments/claim.py`, in the glossary and the architecture."""
    package = ROOT / "functions" / "payflowx"
    layers = {path.name for path in package.iterdir() if path.is_dir()}
    missing = [
        f"{named(path)}: {word}"
        for path in DOCUMENTS
        if path.name not in HISTORY
        for word in CODE.findall(prose(path))
        if word.split("/")[0] in layers and re.fullmatch(r"[\w.*{}-]+(/[\w.*{}-]+)+/?", word)
        if not any(package.glob(re.sub(r"\{[^}]*\}", "*", word.rstrip("/"))))
    ]
    assert missing == []


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    unknown = []
    for path in DOCUMENTS:
        text = path.read_text()
        code = [*CODE.findall(text), *CODE_BLOCK.findall(text)]
        unknown += [
            f"{named(path)}: make {name}" for piece in code for name in MAKE.findall(piece) if name not in targets
        ]
    assert unknown == []


def test_every_decision_that_is_named_exists() -> None:
    numbers = {int(path.name[:4]) for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md")}
    unknown = [
        f"{named(path)}: decision {number}"
        for path in DOCUMENTS
        for number in re.findall(r"\bdecision (\d+)\b", path.read_text(), re.IGNORECASE)
        if int(number) not in numbers
    ]
    assert unknown == []
