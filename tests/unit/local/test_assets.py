"""What the engine unpacks for each function process: nothing that this machine's Python would not read."""

import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from local import deploy, layers
from local.template_merge import Asset


def test_bytecode_of_another_python_stays_behind(tmp_path: Path) -> None:
    cache = tmp_path / "payflowx" / "__pycache__"
    cache.mkdir(parents=True)
    names = ("handler.cpython-399.pyc", f"handler.{sys.implementation.cache_tag}.pyc")
    for name in names:
        (cache / name).write_bytes(b"")
    (tmp_path / "payflowx" / "handler.py").write_text("")

    archive = zipfile.ZipFile(BytesIO(deploy._content(tmp_path, Asset(key="code.zip", path=tmp_path, is_folder=True))))

    assert archive.namelist() == [f"payflowx/__pycache__/{names[1]}", "payflowx/handler.py"]


def test_a_layer_without_sources_is_imported(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("from package.part import ANSWER\n")
    (package / "part.py").write_text("ANSWER = 42\n")

    layers._replace_sources_by_bytecode(tmp_path)

    assert not list(tmp_path.rglob("*.py"))
    command = [sys.executable, "-c", "import package; print(package.ANSWER, package.part.__spec__.origin)"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["42", str(package / "part.pyc")]


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
