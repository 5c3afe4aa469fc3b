"""Generated pages are what their sources say, and the glossary is what its readers expect."""

import re
from pathlib import Path

from reference.api import page
from reference.decisions import INDEX, index, records

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text()
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def without(texts: list[str], text: str) -> str:
    for exempt in sorted(texts, key=len, reverse=True):
        text = text.replace(exempt, "")
    return text


def cells(title: str) -> list[str]:
    """The code words in the first column of the table under the head `title`."""
    table = GLOSSARY.partition(f"| {title} |")[2].partition("\n\n")[0]
    return [word for row in table.splitlines()[2:] for word in re.findall(r"`([^`]+)`", row.split("|")[1])]


def test_the_index_of_decisions_is_what_the_records_say() -> None:
    assert INDEX.read_text() == index(), "run `make pages`"


def test_a_superseded_record_names_one_that_exists() -> None:
    numbers = {record.number for record in records()}
    for record in records():
        if match := re.fullmatch(r"Superseded by decision (\d+)", record.status):
            assert int(match[1]) in numbers
        else:
            assert record.status in {"Proposed", "Accepted"}, record


def test_the_api_reference_has_every_call_and_every_link_resolves() -> None:
    text = page()
    for call in ("POST /payments\n", "GET /payments/{transactionId}\n", "POST /webhook-endpoints\n"):
        assert f"### {call}" in text
    types = {name.lower() for name in re.findall(r"^### (\w+)$", text, re.MULTILINE)}
    assert set(re.findall(r"\]\(#(\w+)\)", text)) <= types


def test_no_retired_word_stands_in_a_document() -> None:
    retired, kept = cells("retired"), cells("text")
    assert len(retired) > 40
    assert len(kept) > 10
    words = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(retired, key=len, reverse=True)))})\b", re.IGNORECASE)
    found = []
    for path in DOCUMENTS:
        if path.name in {"glossary.md", "0024-rooms-and-words.md"}:
            continue
        text = CODE.sub(lambda code: without(kept, code[0]), " ".join(path.read_text().split()))
        text = without([phrase for phrase in kept if " " in phrase], text)
        found += [f"{path.relative_to(ROOT)}: {word}" for word in words.findall(text)]
    assert found == []


def test_every_term_of_the_glossary_has_a_meaning() -> None:
    table = GLOSSARY.partition("| term |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]]
    assert len(rows) > 40
    assert [row for row in rows if len(row) != 5 or not row[0].startswith("**") or not row[1]] == []
