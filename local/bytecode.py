"""Bytecode of this machine's Python in the place of sources: function processes compile nothing and unpack less."""

import compileall
from pathlib import Path


def replace_sources_by_bytecode(folder: Path, *, deployed_at: str) -> bool:
    """Compile all modules below `folder` and delete their sources; False when one cannot be compiled.

    `module.pyc` beside no `module.py` is imported like a source. Tracebacks show paths under `deployed_at`.
    """
    if not compileall.compile_dir(folder, quiet=2, legacy=True, stripdir=str(folder), prependdir=deployed_at):
        return False
    for source in folder.rglob("*.py"):
        source.unlink()
    return True
