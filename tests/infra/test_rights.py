"""The list of rights is the templates' list, and each right has a line of code or a page of AWS that asks for it."""

import json
import re
from functools import cache
from pathlib import Path

import pytest

from infra.settings import ROOT
from tests.architecture.source import imported
from tests.infra.deployed import Right, functions, name_of
from tests.infra.rights import EVERY, NEEDS, Need

PACKAGE = ROOT / "functions"
ADAPTERS = PACKAGE / "payflowx" / "adapters"


def needed(need: Need) -> set[tuple[str, str, str]]:
    return {(function, need.action, need.resource) for function in need.functions.split()}


def resource_of(right: Right) -> str:
    if right.action.startswith("kms:"):
        condition = json.dumps(json.loads(right.condition or "{}"))
        service = re.search(r"(dynamodb|s3|secretsmanager|sqs)[.]", condition)
        purpose = re.search(r'purpose": "([\w-]+)"', condition)
        assert service or purpose, right
        return f"key (through {service[1]})" if service else f"key (for {purpose[1]})" if purpose else ""
    return "*" if right.resource == '"*"' else name_of(right)


def test_the_list_is_what_the_templates_grant() -> None:
    granted = {(f.name, r.action, resource_of(r)) for f in functions("Prod-Service") for r in f.rights}
    listed = {one for need in NEEDS for one in needed(need)}
    assert sorted(granted - listed) == [], "granted without a reason"
    assert sorted(listed - granted) == [], "a reason without a right"
    assert {f.name for f in functions("Prod-Service")} == set(EVERY.split())


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: f"{need.action} {need.resource} {need.page and 'AWS'}")
def test_a_line_of_a_module_that_the_function_imports_needs_it_or_a_page_of_aws_asks_for_it(need: Need) -> None:
    assert bool(need.lines) is not bool(need.page)
    if need.page:
        assert need.page.startswith("https://docs.aws.amazon.com/")
        return
    for file, text in need.lines:
        assert text in (ADAPTERS / file).read_text(), file
    for name in need.functions.split():
        modules = reached(handler_of(name))
        assert any(ADAPTERS / file in modules for file, _ in need.lines), f"{name} imports none of {need.lines}"


def handler_of(name: str) -> str:
    (found,) = (f for f in functions("Prod-Service") if f.name == name)
    return found.handler


@cache
def reached(handler: str) -> frozenset[Path]:
    """The files of ours that a handler imports, at once or later, directly or not."""
    found: set[Path] = set()
    waiting = {handler}
    while waiting:
        module = PACKAGE / waiting.pop().replace(".", "/")
        path = module / "__init__.py" if module.is_dir() else module.with_suffix(".py")
        if path in found or not path.is_file():
            continue
        found.add(path)
        waiting |= {module for module in imported(path) if module.startswith("payflowx.")}
    return frozenset(found)
