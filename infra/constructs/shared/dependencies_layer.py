"""The functions' third-party packages as a layer, from a folder of wheels: no container engine, no network."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.constructs.shared.bytecode import DEPLOYED_VERSION, bytecode_tag, compile_folder, deployed_python
from infra.constructs.shared.sdk_data import SERVICES, trim_sdk_data
from infra.settings import ROOT

RUNTIME: Final = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE: Final = lambda_.Architecture.ARM_64
WHEELS: Final = ROOT / ".local" / "wheels" / "lambda"
REQUIREMENTS: Final = ROOT / "functions" / "requirements.txt"
_DEPLOYED_AT: Final = "/opt/python"
_TARGET: Final = {
    "IMPLEMENTATION": "cp",
    "PYTHON_VERSION": DEPLOYED_VERSION,
    "PLATFORMS": "manylinux2014_aarch64,manylinux_2_28_aarch64",
}
"""A part of the asset's hash: another target makes another asset."""
_COMPARED: Final = ("botocore", "urllib3")
"""The functions import no boto3."""


@jsii.implements(ILocalBundling)
class WheelFolder:
    """Installs the locked requirements for Lambda's platform on any machine."""

    def try_bundle(self, output_dir: str, _options: BundlingOptions | None = None, **_kwargs: Any) -> bool:
        """Returns True always: CDK then needs no container image."""
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
        trim_sdk_data(target / "botocore" / "data")
        python = deployed_python()
        if python is not None:
            compile_folder(target, python, deployed_at=_DEPLOYED_AT)
        return True


def locked_versions() -> str:
    """`name=version` of the libraries that a function compares at its start, parted by commas."""
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", REQUIREMENTS.read_text(), re.MULTILINE))
    return ",".join(f"{name}={pins[name]}" for name in _COMPARED)


class DependenciesLayer(Construct):
    """It comes before the runtime's own packages on the path, and holds boto3, botocore and urllib3 as well.

    The runtime's own would be others than the tests ran with, and change under a running function.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        code = lambda_.Code.from_asset(
            str(REQUIREMENTS.parent),
            exclude=["*", f"!{REQUIREMENTS.name}"],
            asset_hash_type=AssetHashType.SOURCE,
            bundling=BundlingOptions(
                image=DockerImage.from_registry("unused"),
                local=WheelFolder(),
                environment={
                    **_TARGET,
                    "BYTECODE": bytecode_tag(deployed_python()),
                    "SERVICES": ",".join(SERVICES),
                },
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
