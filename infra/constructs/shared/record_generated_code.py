"""Writes the table of `payflowx/generated_code.py`: `python record_generated_code.py FOLDER`, with the deployed Python.

It imports each module of the package below FOLDER, and keeps what `dataclasses` compiles meanwhile. It needs the
standard library only: other packages are replaced by stubs, and a module that cannot be imported over stubs is left
out, whose texts are then compiled at the start. The same source and interpreter give the same table.
"""

import dataclasses
import importlib
import importlib.abc
import importlib.machinery
import marshal
import sys
import types
from pathlib import Path
from typing import Any

PACKAGE = "payflowx"


class _StubType(type):
    """A class of another package may hold further names: `package.module.Name` in an annotation."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _StubType(name, (_Stub,), {})


class _Stub(metaclass=_StubType):
    """Whatever a module takes from another package: a base, a decorator, a constant."""

    def __init__(self, *_arguments: Any, **_named: Any) -> None:
        """Takes anything."""

    def __init_subclass__(cls, **_named: Any) -> None:
        """Takes anything."""

    def __call__(self, *arguments: Any, **_named: Any) -> Any:
        return arguments[0] if arguments and isinstance(arguments[0], types.FunctionType) else self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Stub()

    def __class_getitem__(cls, _item: Any) -> Any:
        return cls


class _StubModule(types.ModuleType):
    __path__: list[str] = []  # noqa: RUF012 - it makes the module a package

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (_Stub, Exception) if name.endswith(("Error", "Exception")) else (_Stub,), {})


class _Stubs(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Last of all finders, so that it finds what is not installed."""

    def find_spec(self, name: str, _path: Any, _target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if name.split(".", maxsplit=1)[0] == PACKAGE:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return _StubModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to run."""


def main(folder: Path) -> None:
    """Record, and write the table into the package."""
    target = folder / PACKAGE / "generated_code.marshal"
    target.unlink(missing_ok=True)
    sys.path[0] = str(folder)  # instead of this file's folder, whose modules have names of the standard library
    sys.meta_path.append(_Stubs())
    texts = _recorded(folder)
    key = importlib.import_module(f"{PACKAGE}.generated_code").key
    codes = {key(text): compile(text, "<dataclass>", "exec", dont_inherit=True) for text in sorted(texts)}
    target.write_bytes(marshal.dumps({digest: marshal.dumps(code) for digest, code in codes.items()}))


def _recorded(folder: Path) -> set[str]:
    texts: set[str] = set()

    def record(text: str, *namespaces: Any) -> None:
        texts.add(text)
        exec(text, *namespaces)  # noqa: S102 - as `dataclasses` does

    vars(dataclasses)["exec"] = record
    for path in sorted((folder / PACKAGE).rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - over stubs anything may fail
            print(f"payflowx: {name} is not in the table of generated code: {error}", file=sys.stderr)
    return texts


if __name__ == "__main__":
    main(Path(sys.argv[1]))
