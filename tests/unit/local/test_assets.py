"""What the engine unpacks for each function process: nothing that this machine's Python would not read."""

import marshal
import os
import shutil
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from local import deploy, function_code, layers
from local.errors import LocalEnvironmentError
from local.paths import ROOT
from local.template_merge import Asset
from payflowx import generated_code


def test_code_holds_this_machine_s_bytecode_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_code, "FUNCTION_CODE", tmp_path / "made")
    asset = tmp_path / "asset"
    cache = asset / "package" / "__pycache__"
    cache.mkdir(parents=True)
    (cache / "part.cpython-399.pyc").write_bytes(b"of the deployed Python")
    (asset / "package" / "__init__.py").write_text("from package.part import ANSWER\n")
    (asset / "package" / "part.py").write_text("ANSWER = 42\n")
    (asset / "package" / "table.json").write_text("{}")

    code = function_code.host_code(asset)
    archive = zipfile.ZipFile(BytesIO(deploy._content(code, Asset(key="code.zip", path=asset, is_folder=True))))

    assert archive.namelist() == ["package/__init__.pyc", "package/part.pyc", "package/table.json"]
    assert list(asset.rglob("*.py")), "the assembly stays as it is"
    printed = _printed_by("import package; print(package.ANSWER, package.part.__spec__.origin)", code)
    assert printed == ["42", str(code / "package" / "part.pyc")]


def test_code_is_made_again_for_another_asset_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_code, "FUNCTION_CODE", tmp_path / "made")
    first, second = tmp_path / "asset.1", tmp_path / "asset.2"
    for asset in (first, second):
        asset.mkdir()
        (asset / "handler.py").write_text("")

    made = function_code.host_code(first)
    (made / "kept").write_text("")

    assert (function_code.host_code(first) / "kept").exists()
    assert function_code.host_code(second) != made
    assert not made.exists()


def test_the_product_s_code_is_compiled_with_its_recorded_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function_code, "FUNCTION_CODE", tmp_path / "made")
    asset = tmp_path / "asset"
    shutil.copytree(ROOT / "functions", asset, ignore=shutil.ignore_patterns("__pycache__"))

    code = function_code.host_code(asset)

    table = code / "payflowx" / generated_code.TABLE
    assert len(marshal.loads(table.read_bytes())) > 100
    script = "import payflowx.domain.payments.payment as p; print(p.customer_facts.__code__.co_filename)"
    assert _printed_by(script, code) == [str(ROOT / "functions" / "payflowx" / "domain" / "payments" / "payment.py")]


def test_code_that_cannot_be_compiled_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_code, "FUNCTION_CODE", tmp_path / "made")
    asset = tmp_path / "asset"
    asset.mkdir()
    (asset / "handler.py").write_text("def\n")

    with pytest.raises(LocalEnvironmentError, match="could not be compiled"):
        function_code.host_code(asset)


def test_a_layer_of_one_file_puts_the_packages_first(tmp_path: Path) -> None:
    """The engine makes `site-packages` of a layer a site folder, behind the packages of its own Python."""
    package = tmp_path / "built" / "python" / "msgspec"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("ANSWER = 42\n")

    layer = layers.layer_beside(tmp_path / "built", tmp_path)

    files = [path for path in layer.rglob("*") if path.is_file()]
    assert [path.name for path in files] == ["packages.pth"]
    site_folder = f"import site; site.addsitedir({str(files[0].parent)!r}); import msgspec; print(msgspec.ANSWER)"
    assert _printed_by(site_folder, tmp_path) == ["42"]


def _printed_by(script: str, folder: Path) -> list[str]:
    command = [sys.executable, "-c", script]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.split()


@pytest.mark.parametrize("changed", ["requirements", "recipe"])
def test_a_layer_is_built_again_where_its_packages_or_its_recipe_have_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    named = layers._name()
    other = tmp_path / "changed"
    other.write_text("something else")
    if changed == "requirements":
        monkeypatch.setattr(layers, "_REQUIREMENTS", other)
    else:
        monkeypatch.setattr(layers, "_RECIPES", (other,))

    assert layers._name() != named
