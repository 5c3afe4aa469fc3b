"""What texts of the project may not name: a machine, a registry's host, a retired word."""

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.architecture.source import ROOT, files, named, table

MACHINE = re.compile(r"(?<![\w.])/(?:home|root|work|Users)/")
REGISTRY = re.compile(
    r"files\.pythonhosted\.org|pypi\.org/simple|pypi\.org/project|registry\.npmjs|npmjs\.com|(?:public|docker)\.ecr\."
    r"|ghcr\.io|docker\.io|mcr\.microsoft|quay\.io|deb\.debian\.org|crates\.io",
    re.IGNORECASE,
)
SUFFIXES = {".py", ".md", ".json", ".toml", ".txt", ".in", ".sh", ".yml", ".yaml", ".cfg", ".npmrc", ""}
CODE = ("functions", "infra", "local", "sandbox", "testing", "simulation", "bench", "ops", "clients", "tests")


@cache
def tracked() -> tuple[Path, ...]:
    """Files that git knows; a copy without git has them all."""
    found = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = found.stdout.split("\0") if found.returncode == 0 else []
    paths = [ROOT / name for name in names if name] or [*ROOT.glob("*"), *(ROOT / "docs").rglob("*")]
    return tuple(path for path in paths if path.is_file() and path.suffix in SUFFIXES and path != Path(__file__))


def test_no_text_names_a_machine_or_a_registry() -> None:
    """A package is named by its name: its address is a setting of each machine."""
    offenders = [
        f"{named(path)}: {match[0]}"
        for path in tracked()
        for pattern in (MACHINE, REGISTRY)
        if (match := pattern.search(path.read_text(errors="ignore")))
    ]
    assert offenders == []


def words(title: str) -> list[str]:
    """The quoted words in the first column of a table of the glossary."""
    return [word for row in table("docs/glossary.md", title) for word in re.findall(r"`([^`]+)`", row[0])]


def prose_and_names(path: Path) -> Iterator[tuple[int, str]]:
    """Comments, docstrings and names, with their lines. Other strings may be stored, on the wire or a provider's."""
    previous = tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        is_docstring = token.type == tokenize.STRING and previous in {tokenize.NEWLINE, tokenize.INDENT, tokenize.NL}
        if token.type == tokenize.NAME:
            yield token.start[0], re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", token.string)
        elif token.type == tokenize.COMMENT or is_docstring:
            yield token.start[0], re.sub(r"`[^`]*`", "", token.string)
        if token.type not in {tokenize.COMMENT, tokenize.NL, tokenize.DEDENT}:
            previous = token.type


def test_no_retired_word_stands_in_code() -> None:
    """Names, comments and docstrings follow docs/glossary.md."""
    retired = sorted(words("retired"), key=len, reverse=True)
    kept = re.compile("|".join(map(re.escape, [*words("text"), *PLATFORM_NAMES])), re.IGNORECASE)
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, retired))})\b", re.IGNORECASE)
    assert len(retired) > 40
    offenders = [
        f"{named(path)}:{line}: {match[0]}"
        for path in files(*CODE)
        if path.name != "test_texts.py"
        for line, text in prose_and_names(path)
        for match in pattern.finditer(kept.sub("", text))
    ]
    assert offenders == []


RELATIVE_CLAUSE = re.compile(r"(?:What|Whoever|Those)\b")
CLAUSES_STAY = (
    "functions/payflowx/entrypoints/api/payments/types.py",
    "functions/payflowx/entrypoints/api/webhook_endpoints/types.py",
    "functions/payflowx/domain/merchants/api_keys.py",
    "ops/commands/approvals.py",
    "ops/console/screens/approvals.py",
)
"""The first two describe the types of the OpenAPI document, as a list of fields does."""


def test_no_docstring_begins_with_a_relative_clause() -> None:
    """`Return ...` or a noun says at once which thing is meant: see docs/style.md."""
    described = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    offenders = [
        f"{named(path)}: {text.splitlines()[0]}"
        for path in files("functions", "infra", "ops", "local", "testing", "bench", "simulation", "sandbox")
        if named(path) not in CLAUSES_STAY
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, described) and (text := ast.get_docstring(node)) and RELATIVE_CLAUSE.match(text)
    ]
    assert offenders == []


def test_a_docstring_names_the_port_that_a_class_implements() -> None:
    """A port that was renamed is renamed there as well."""
    texts = {path: path.read_text() for path in files("functions", "ops", "local")}
    definition = re.compile(r"^(?:class |def )(\w+)|^(\w+) = ", re.MULTILINE)
    defined = {one or other for text in texts.values() for one, other in definition.findall(text)}
    claims = [(path, name) for path, text in texts.items() for name in re.findall(r"Implements `(\w+)`", text)]
    assert len(claims) > 30
    assert [f"{named(path)}: {name}" for path, name in claims if name not in defined] == []


PLATFORM_NAMES = (
    "api gateway",
    "apigateway",
    "nat gateway",
    "gateway endpoint",
    "gateway vpc",
    "natgateway",
    "gateway response",
    "gateway server",
    "gateway answer",
    "vendor name",
)
"""Names of Amazon's gateways and of AWS WAF's fields."""
