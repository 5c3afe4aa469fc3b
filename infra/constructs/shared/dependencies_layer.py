"""The functions' third-party packages as a layer, from a local wheel folder: no container engine, no network."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.settings import ROOT

RUNTIME: Final = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE: Final = lambda_.Architecture.ARM_64
WHEELS: Final = ROOT / ".local" / "wheels" / "lambda"
REQUIREMENTS: Final = ROOT / "functions" / "requirements.txt"
_TARGET: Final = {
    "IMPLEMENTATION": "cp",
    "PYTHON_VERSION": "3.13",
    "PLATFORMS": "manylinux2014_aarch64,manylinux_2_28_aarch64",
}
"""Part of the asset's hash, so that another target makes another asset."""


@jsii.implements(ILocalBundling)
class WheelFolder:
    """Installs the locked requirements for Lambda's platform, whatever machine synthesizes."""

    def try_bundle(self, output_dir: str, _options: BundlingOptions | None = None, **_kwargs: Any) -> bool:
        """True: bundled; the container image that CDK would use otherwise is never asked for."""
        if not WHEELS.is_dir():
            raise RuntimeError(f"There is no wheel folder {WHEELS.relative_to(ROOT)}: run `make setup` first.")
        target = Path(output_dir, "python")
        platforms = [f"--platform={name}" for name in _TARGET["PLATFORMS"].split(",")]
        command = [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--no-index", "--find-links", str(WHEELS), "--require-hashes", "--no-deps"),
            *("--no-compile", "--only-binary=:all:", f"--implementation={_TARGET['IMPLEMENTATION']}"),
            *(f"--python-version={_TARGET['PYTHON_VERSION']}", *platforms),
            *("--target", str(target), "--requirement", str(REQUIREMENTS)),
        ]
        subprocess.run(command, check=True)  # noqa: S603 - our own arguments
        shutil.rmtree(target / "bin", ignore_errors=True)  # scripts that name this machine's interpreter
        return True


class DependenciesLayer(Construct):
    """boto3 and urllib3 are the runtime's own."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        code = lambda_.Code.from_asset(
            str(REQUIREMENTS.parent),
            exclude=["*", f"!{REQUIREMENTS.name}"],
            asset_hash_type=AssetHashType.SOURCE,
            bundling=BundlingOptions(
                image=DockerImage.from_registry("unused"), local=WheelFolder(), environment=_TARGET
            ),
        )
        self.version = lambda_.LayerVersion(
            self,
            "Version",
            description="PayFlowX: third-party packages",
            code=code,
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[ARCHITECTURE],
        )
