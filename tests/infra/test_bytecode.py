"""The asset: the package with bytecode, the same bytes each time. Any Python shows that, not only the deployed one."""

import marshal
import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_

from bench.children import run_child
from bench.imports import HANDLERS
from bench.layout import Layout, deployed_layout
from infra.constructs.shared import functions_code
from infra.constructs.shared.bytecode import DEPLOYED_VERSION, Interpreter, bytecode_tag, compile_folder, interpreter
from infra.constructs.shared.dependencies_layer import RUNTIME
from payflowx.generated_code import TABLE

PACKAGE = functions_code.SOURCE / "payflowx" / "domain"
UNCHECKED_HASH = 0b01
HERE = interpreter(Path(sys.executable))


def compiled(folder: Path) -> dict[str, bytes]:
    assert HERE is not None
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    compile_folder(folder, HERE, deployed_at="/var/task")
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.pyc"))}


def test_the_same_source_gives_the_same_bytes_in_another_folder(tmp_path: Path) -> None:
    first, second = compiled(tmp_path / "one"), compiled(tmp_path / "another" / "folder")
    assert first == second
    assert len(first) == len([path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts])


def test_bytecode_is_never_compared_with_its_source_and_names_the_deployed_path(tmp_path: Path) -> None:
    for name, content in compiled(tmp_path / "package").items():
        assert int.from_bytes(content[4:8], "little") == UNCHECKED_HASH, name
        source = marshal.loads(content[16:]).co_filename
        assert source == f"/var/task/{name.replace('__pycache__/', '').split('.')[0]}.py"


def test_bytecode_is_made_for_the_runtime() -> None:
    assert RUNTIME.name == f"python{DEPLOYED_VERSION}"


def test_a_name_on_the_path_that_is_no_python_is_passed_over(tmp_path: Path) -> None:
    broken = tmp_path / "python3.13"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    assert interpreter(broken) is None
    assert interpreter(tmp_path / "absent") is None


SOURCES = {".py", ".css", ".js"}
"""The last two are the payers' page's."""


@pytest.mark.parametrize(
    ("python", "kinds"), [(HERE, {*SOURCES, ".pyc", ".marshal"}), (None, SOURCES)], ids=["with", "without"]
)
def test_the_asset_holds_the_package_and_nothing_else(
    python: Interpreter | None, kinds: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = asset(python, tmp_path, monkeypatch)
    assert [path.name for path in folder.iterdir()] == ["payflowx"]
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == kinds


def test_an_asset_with_bytecode_has_another_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else S3 would keep whichever was uploaded first."""
    assert bytecode_tag(None) != bytecode_tag(HERE)
    found = {asset(python, tmp_path / bytecode_tag(python), monkeypatch).name for python in (None, HERE)}
    assert len(found) == 2


def asset(python: Interpreter | None, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The functions' asset as `cdk synth` leaves it."""
    monkeypatch.setattr(functions_code, "deployed_python", lambda: python)
    app = App(outdir=str(folder / "assembly"))
    code = functions_code.functions_code()
    lambda_.Function(Stack(app, "S"), "F", code=code, handler="a.b", runtime=lambda_.Runtime.PYTHON_3_13)
    return next(Path(app.synth().directory).glob("asset.*/payflowx")).parent


def test_the_table_of_generated_code_is_the_same_each_time_and_leaves_no_module_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    one, another = (asset(HERE, tmp_path / name, monkeypatch) / "payflowx" / TABLE for name in ("one", "another"))
    assert one.read_bytes() == another.read_bytes()
    assert len(marshal.loads(one.read_bytes())) > 100
    assert "not in the table" not in capfd.readouterr().err


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """The layer's packages of this Python, and the functions' asset."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        found = deployed_layout(tmp_path_factory.mktemp("layout"))
        return replace(found, task=asset(HERE, tmp_path_factory.mktemp("asset"), monkeypatch))


@pytest.mark.parametrize("module", HANDLERS)
def test_a_cold_start_compiles_nothing(module: str, layout: Layout) -> None:
    """Neither a source nor a text that `dataclasses` writes: both come from the asset."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": layout.path, "PYTHONDONTWRITEBYTECODE": "1"}
    started = run_child("cold_start.py", module, "null", environment=environment)
    assert started["ours"] > 5
    assert (started["compiled"], started["generated"]) == (0, 0)


def test_a_package_without_the_table_starts_as_well(layout: Layout) -> None:
    """And the count of the test before can be another one than zero."""
    path = os.pathsep.join(map(str, (functions_code.SOURCE, layout.layer)))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    started = run_child("cold_start.py", "payflowx.entrypoints.api.authorizer", "null", environment=environment)
    assert started["generated"] > 5
