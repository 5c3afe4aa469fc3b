"""The dependency layer built for this machine: the one in the assembly holds wheels for Lambda's processor."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from infra.constructs.shared.sdk_data import trim_sdk_data
from local.bytecode import replace_sources_by_bytecode
from local.errors import LocalEnvironmentError
from local.paths import LAYERS, ROOT, WHEELS

_REQUIREMENTS: Final = ROOT / "functions" / "requirements.txt"
_RECIPES: Final = tuple(
    Path(file)
    for file in (__file__, trim_sdk_data.__code__.co_filename, replace_sources_by_bytecode.__code__.co_filename)
)
"""A change of how the layer is built makes another layer."""
_DEPLOYED_AT: Final = "/opt/python"


def host_layer() -> Path:
    """A folder with the same locked packages, from the wheels of `make setup`. Raises `LocalEnvironmentError`.

    It describes the services in use alone, as the deployed layer does, and holds bytecode in the place of sources.
    """
    folder = LAYERS / _name()
    if folder.is_dir():
        return folder
    shutil.rmtree(LAYERS, ignore_errors=True)
    partial = LAYERS / f"{folder.name}.partial"
    _install(partial / "python")
    shutil.rmtree(partial / "python" / "bin", ignore_errors=True)  # scripts that no function runs
    trim_sdk_data(partial / "python" / "botocore" / "data")
    if not replace_sources_by_bytecode(partial / "python", deployed_at=_DEPLOYED_AT):
        raise _cannot_be_built()
    partial.rename(folder)
    return folder


def _name() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for path in (_REQUIREMENTS, *_RECIPES):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _install(target: Path) -> None:
    command = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"),
        *("--find-links", str(WHEELS / "host"), "--require-hashes", "--no-deps", "--no-compile"),
        *("--target", str(target), "--requirement", str(_REQUIREMENTS)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    if done.returncode != 0:
        raise _cannot_be_built()


def _cannot_be_built() -> LocalEnvironmentError:
    return LocalEnvironmentError("The layer for this machine could not be built; run `make clean setup` and try again.")


def layer_beside(folder: Path, temporary: Path) -> Path:
    """Return a layer of one file, which puts a copy of `folder` in `temporary` at the front of Python's path.

    The engine unpacks a layer for every function process that it starts, one process after the other. As on Lambda, it
    treats the layer's `site-packages` as a site folder, whose `.pth` files Python runs.
    """
    packages = temporary / "layer-packages"
    shutil.copytree(folder / "python", packages)
    layer = temporary / "layer"
    site_packages = layer / "python" / "lib" / "python" / "site-packages"
    site_packages.mkdir(parents=True)
    (site_packages / "packages.pth").write_text(f"import sys; sys.path.insert(0, {str(packages)!r})\n")
    return layer
