"""The functions' code as an asset, with bytecode where this machine has the deployed Python."""

import shutil
from pathlib import Path
from typing import Any, Final

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from infra.constructs.shared.bytecode import (
    Interpreter,
    bytecode_tag,
    compile_folder,
    deployed_python,
    record_generated_code,
)
from infra.settings import ROOT

SOURCE: Final = ROOT / "functions"
_DEPLOYED_AT: Final = "/var/task"
_LEFT_OUT: Final = ("__pycache__", "*.pyc", "requirements*", ".*")


@jsii.implements(ILocalBundling)
class CompiledPackage:
    """Copies the package and compiles it."""

    def __init__(self, python: Interpreter) -> None:
        self._python = python

    def try_bundle(self, output_dir: str, _options: BundlingOptions | None = None, **_kwargs: Any) -> bool:
        """Returns True always: CDK then needs no container image."""
        folder = Path(output_dir)
        shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns(*_LEFT_OUT), dirs_exist_ok=True)
        record_generated_code(folder, self._python)
        compile_folder(folder, self._python, deployed_at=_DEPLOYED_AT)
        return True


def functions_code() -> lambda_.Code:
    """`functions/` as Lambda's root: the package, without files that only developers need."""
    python = deployed_python()
    bundling = None
    if python is not None:
        bundling = BundlingOptions(
            image=DockerImage.from_registry("unused"),
            local=CompiledPackage(python),
            environment={"BYTECODE": bytecode_tag(python), "GENERATED_CODE": "recorded"},
        )
    return lambda_.Code.from_asset(
        str(SOURCE),
        exclude=[f"**/{pattern}" for pattern in _LEFT_OUT],
        asset_hash_type=AssetHashType.SOURCE,
        bundling=bundling,
    )
