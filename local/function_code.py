"""The functions' code for this machine: the bytecode in the assembly is that of the deployed Python."""

import hashlib
import platform
import shutil
import sys
from pathlib import Path
from subprocess import CalledProcessError
from typing import Final

from infra.constructs.shared.bytecode import Interpreter, record_generated_code
from local.bytecode import replace_sources_by_bytecode
from local.errors import LocalEnvironmentError
from local.paths import FUNCTION_CODE, ROOT

_RECORDER: Final = Path(record_generated_code.__code__.co_filename)
_RECIPES: Final = (
    Path(__file__),
    Path(replace_sources_by_bytecode.__code__.co_filename),
    _RECORDER,
    _RECORDER.with_name("record_generated_code.py"),
)
"""A change of how the code is made makes it anew."""
_SOURCES: Final = ROOT / "functions"


def host_code(asset: Path) -> Path:
    """Return a folder with the asset's modules as bytecode of this machine's Python. Raises `LocalEnvironmentError`.

    The engine unpacks the code for every function process that it starts, and no process can store what it compiles.
    Tracebacks show the repository's files.
    """
    folder = FUNCTION_CODE / _name(asset)
    if folder.is_dir():
        return folder
    shutil.rmtree(FUNCTION_CODE, ignore_errors=True)
    partial = FUNCTION_CODE / f"{folder.name}.partial"
    shutil.copytree(asset, partial, ignore=shutil.ignore_patterns("__pycache__"))
    if not _record(partial) or not replace_sources_by_bytecode(partial, deployed_at=str(_SOURCES)):
        raise LocalEnvironmentError("The functions' code could not be compiled; `make lint` names the module.")
    partial.rename(folder)
    return folder


def _record(folder: Path) -> bool:
    """Write the table of generated code, where the asset is the product's; False when that fails."""
    if not (folder / "payflowx").is_dir():
        return True
    try:
        record_generated_code(folder, Interpreter(executable=Path(sys.executable), version=platform.python_version()))
    except CalledProcessError:
        return False
    return True


def _name(asset: Path) -> str:
    digest = hashlib.sha256(f"{asset.name} {sys.version}".encode())
    for path in _RECIPES:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
