"""Arrows point one way: entrypoints -> wiring -> adapters -> application -> domain, providers -> domain."""

import ast
import re
import sys
from pathlib import Path

import pytest

from bench.imports import HANDLERS

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "functions" / "payflowx"

ALLOWED = {
    "domain": set(),
    "application": {"domain"},
    "providers": {"domain"},
    "adapters": {"domain", "application"},
    "wiring": {"domain", "application", "adapters", "providers"},
    "entrypoints": {"domain", "application", "adapters", "wiring"},
}
IMPURE = {"os", "time", "random", "secrets", "uuid", "datetime", "threading", "socket", "subprocess", "logging", "io"}


def modules(*folders: str) -> list[Path]:
    return sorted(p for folder in folders for p in (ROOT / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", modules("functions/payflowx"), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_arrows(path: Path) -> None:
    layer = layer_of(path)
    if layer == "__init__":
        return
    used = {m[1] for name in imported(path) if (m := re.match(r"payflowx\.(\w+)", name))} - {layer}
    assert used <= ALLOWED[layer]


@pytest.mark.parametrize("path", modules("functions/payflowx/domain", "functions/payflowx/application"), ids=str)
def test_the_rules_import_the_standard_library_only_and_nothing_of_the_world(path: Path) -> None:
    top = {name.split(".")[0] for name in imported(path)} - {"payflowx"}
    assert top <= set(sys.stdlib_module_names)
    assert not top & IMPURE


@pytest.mark.parametrize("path", modules("functions/payflowx/providers"), ids=str)
def test_providers_do_no_io(path: Path) -> None:
    top = {name.split(".")[0] for name in imported(path)} - {"payflowx"}
    assert top <= set(sys.stdlib_module_names)
    assert not top & (IMPURE - {"datetime"})


def test_functions_and_infra_never_import_each_other() -> None:
    for path in modules("infra"):
        assert not [name for name in imported(path) if name.split(".")[0] == "payflowx"], path
    for path in modules("functions"):
        others = {"infra", "local", "sandbox", "simulation", "tests", "aws_cdk"}
        assert not [name for name in imported(path) if name.split(".")[0] in others], path


def test_simulators_know_nothing_of_the_adapters() -> None:
    for path in modules("sandbox"):
        assert not [name for name in imported(path) if name.split(".")[0] in {"payflowx", "infra", "local"}], path


def test_the_checker_knows_nothing_of_what_it_judges() -> None:
    for path in modules("simulation/checker", "testing/dynamodb"):
        assert not [name for name in imported(path) if name.split(".")[0] == "payflowx"], path


def test_functions_hold_only_what_lambda_needs() -> None:
    names = {path.name for path in (ROOT / "functions").iterdir()} - {"__pycache__"}
    assert names == {"payflowx", "requirements.txt"}


def test_only_the_wirings_settings_read_the_environment() -> None:
    readers = {str(p.relative_to(PACKAGE)) for p in modules("functions/payflowx") if "os.environ" in p.read_text()}
    assert readers == {"wiring/settings.py"}


def test_an_entrypoint_knows_one_wiring() -> None:
    for handler in HANDLERS:
        path = ROOT / "functions" / f"{handler.replace('.', '/')}.py"
        known = {m[1] for name in imported(path) if (m := re.match(r"payflowx\.wiring\.(\w+)", name))}
        assert len(known) == 1, handler


def test_no_function_imports_the_stubs_of_the_aws_clients() -> None:
    for path in modules("functions"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ImportFrom) and node.module:
                assert not node.module.startswith("mypy_boto3"), path


def test_conditions_hold_no_arithmetic() -> None:
    """The engine computes in conditions, DynamoDB refuses it: store what must be compared."""
    pattern = re.compile(r"(?:ConditionExpression|conditions?\b)[^\n]*[:#]\w+\s[+-]\s[:#]")
    offenders = [p for p in modules("functions") if pattern.search(p.read_text())]
    assert offenders == []


def test_the_project_names_no_machine() -> None:
    text = re.compile(r"/(?:home|root|work|Users)/|files\.pythonhosted|registry\.npmjs|pypi\.org/simple")
    suffixes = {".py", ".md", ".json", ".toml", ".txt", ".sh", ""}
    made = {"node_modules", "cdk.out"}
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        hidden = any(part.startswith(".") and part != ".ci" for part in parts)
        if hidden or made & set(parts) or path == Path(__file__):
            continue
        if path.is_file() and path.suffix in suffixes:
            assert not text.search(path.read_text(errors="ignore")), path
