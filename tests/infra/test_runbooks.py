"""From an alarm to its runbook to the commands in it; from a review reason to its page."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import click
import pytest

from infra.settings import ROOT
from ops.cli import payflowx
from ops.session import Session
from payflowx.domain.payments.review_reasons import ReviewReason
from sandbox.simulators import REAL_PROVIDERS
from tests.infra.conftest import resources
from tests.infra.test_monitoring import RUNBOOK, RUNBOOKS, alarms

OPERATIONS = ROOT / "docs" / "operations"
DOCUMENTS = sorted([*RUNBOOKS.rglob("*.md"), *OPERATIONS.glob("*.md"), ROOT / "docs" / "on-call.md"])
BY_ALARM = sorted(RUNBOOKS.glob("*.md"))
CODE = re.compile(r"```sh\n(.*?)```|`([^`]+)`", re.DOTALL)
STANDS_FOR = {
    **{f"{kind}_...": f"{kind}_aaaaaaaaaaaaaaaa" for kind in ("pay", "cap", "void", "ref")},
    "TRANSACTION_ID": "pay_aaaaaaaaaaaaaaaa",
    "MINOR": "1999",
    "TIME": "2027-01-31T09:15:00Z",
}
OTHER_NAMES = {"deploy": "codedeploy", "s3api": "s3"}
"""Services that the AWS command line calls otherwise than botocore."""
LINK = re.compile(r"\]\(([^)#:]+\.md)")


def commands(path: Path) -> Iterator[list[str]]:
    for match in CODE.finditer(path.read_text()):
        for line in (match[1] or match[2]).replace("\n  ", " ").splitlines():
            if line.startswith(("payflowx ", "aws ")):
                yield shlex.split(line)


def every_command(program: str) -> list[Any]:
    return [
        pytest.param(words, id=f"{path.relative_to(ROOT / 'docs')}: {' '.join(words)[:60]}")
        for path in DOCUMENTS
        for words in commands(path)
        if words[0] == program
    ]


@pytest.mark.parametrize("words", every_command("payflowx"))
def test_a_command_of_ours_is_taken_as_it_is_written(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its names, the number of its arguments, its options and the form of their values."""
    monkeypatch.chdir(tmp_path)
    node, path = payflowx, [STANDS_FOR.get(word, word) for word in words[1:]]
    while path and hasattr(node, "commands"):
        assert path[0] in node.commands, words
        node = node.commands[path.pop(0)]
    for word in path:
        if word.endswith((".json", ".csv")):
            (tmp_path / word).touch()
    if not path and hasattr(node, "commands"):
        return  # a group, by its name
    try:
        context = node.make_context(words[1], path, obj=Session())
    except click.UsageError as error:
        pytest.fail(f"{' '.join(words)}: {error.format_message()}")
    if words[1] == "reconcile":
        assert context.params["provider"] in REAL_PROVIDERS


@pytest.mark.parametrize("words", every_command("aws"))
def test_a_command_of_aws_exists_with_its_options(words: list[str]) -> None:
    """By botocore's models, from which the AWS command line is made."""
    _, service, command, *rest = words
    model = botocore.session.get_session().get_service_model(OTHER_NAMES.get(service, service))
    dashed = {re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower(): name for name in model.operation_names}
    assert command in dashed, words
    shape = model.operation_model(dashed[command]).input_shape
    members = {re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower() for name in (shape.members if shape else ())}
    assert {word[2:] for word in rest if word.startswith("--")} <= members | {"query", "output"}, words
    for word in rest:
        if word.startswith("$"):
            outputs = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper() for name in stack_outputs()}
            assert word[1:] in outputs, words


def stack_outputs() -> set[str]:
    from tests.infra.conftest import template

    return set(template("Prod-Service")["Outputs"])


@pytest.mark.parametrize("path", BY_ALARM, ids=lambda path: path.stem)
def test_a_runbook_is_reached_from_an_alarm_says_when_and_what_and_names_a_command(path: Path) -> None:
    if path.stem == "README":
        return
    reached = {RUNBOOK.search(alarm["AlarmDescription"])[1] for alarm in alarms("Prod-Service").values()}
    text = path.read_text()
    assert path.stem in reached
    assert "**Fires when**" in text
    assert "**What it means.**" in text
    assert "## What to do" in text
    assert any(words[0] == "payflowx" for words in commands(path))


def test_the_list_of_runbooks_names_each_once() -> None:
    listed = re.findall(r"^\| \[[^]]+\]\(([a-z-]+)\.md\)", (RUNBOOKS / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(path.stem for path in BY_ALARM if path.stem != "README")


def test_every_reason_for_a_review_has_a_page_with_commands_and_no_page_is_without_a_reason() -> None:
    reasons = {reason.value for reason in ReviewReason}
    pages = {path.stem.replace("-", "_"): path for path in (RUNBOOKS / "review").glob("*.md")}
    assert set(pages) == reasons
    for reason, page in pages.items():
        assert f"In review: `{reason}`" in page.read_text()
        assert any(words[:3] == ["payflowx", "review", "close"] for words in commands(page))


def test_no_link_leads_nowhere() -> None:
    broken = [
        f"{path.name}: {link}"
        for path in DOCUMENTS
        for link in LINK.findall(path.read_text())
        if not (path.parent / link).resolve().is_file()
    ]
    assert broken == []


def test_saved_queries_that_are_named_exist() -> None:
    saved = {
        query["Name"].rsplit("/", 1)[1] for query in resources("Prod-Service", "AWS::Logs::QueryDefinition").values()
    }
    unknown = []
    for path in DOCUMENTS:
        text = " ".join(path.read_text().split())
        named = re.findall(r'[Ss]aved quer(?:y|ies) "([^"]+)"', text) + re.findall(r'the query "([^"]+)"', text)
        unknown += [f"{path.name}: {name}" for name in named if name not in saved]
    assert unknown == []
