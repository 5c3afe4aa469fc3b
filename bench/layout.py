"""The deployed layout on this machine: functions and layer, each with bytecode, as the assets have them.

The layer's packages are the locked ones of this Python: the layer itself holds binaries for Lambda's processors.
"""

import importlib.metadata
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.constructs.shared.bytecode import Interpreter, compile_folder, record_generated_code
from infra.constructs.shared.sdk_data import trim_sdk_data

ROOT: Final = Path(__file__).resolve().parent.parent
_IGNORED: Final = shutil.ignore_patterns("__pycache__", "*.pyc", "requirements*", ".*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """`task` is Lambda's `/var/task`, `layer` its `/opt/python`, `runtime` the SDK as AWS ships it: not trimmed."""

    task: Path
    layer: Path
    runtime: Path

    @property
    def path(self) -> str:
        """As PYTHONPATH."""
        return os.pathsep.join(map(str, (self.task, self.layer)))


def deployed_layout(folder: Path) -> Layout:
    """Build it below `folder`."""
    found = Layout(task=folder / "task", layer=folder / "layer", runtime=folder / "runtime")
    shutil.copytree(ROOT / "functions", found.task, ignore=_IGNORED)
    for target in (found.layer, found.runtime):
        target.mkdir()
        for package in locked_packages():
            if package.is_dir():
                shutil.copytree(package, target / package.name, ignore=_IGNORED)
            else:
                shutil.copy(package, target)
    trim_sdk_data(found.layer / "botocore" / "data")
    python = Interpreter(executable=Path(sys.executable), version=sys.version.split()[0])
    record_generated_code(found.task, python)
    for part, at in ((found.task, "/var/task"), (found.layer, "/opt/python"), (found.runtime, "/var/runtime")):
        compile_folder(part, python, deployed_at=at)
    return found


def locked_packages() -> list[Path]:
    """Folders and modules of the layer's packages in this environment."""
    text = (ROOT / "functions" / "requirements.txt").read_text()
    tops: set[Path] = set()
    for name in re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE):
        distribution = importlib.metadata.distribution(name)
        for file in distribution.files or []:
            if file.parts[0] not in {"..", "__pycache__"} and not file.parts[0].endswith((".dist-info", ".pth")):
                tops.add(Path(str(distribution.locate_file(file.parts[0]))))
    return sorted(tops)
