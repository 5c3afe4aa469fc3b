"""Creates the stacks in the engine: assets into its staging bucket, templates through its CloudFormation."""

import io
import json
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from local.engine import ACCOUNT, Engine
from local.errors import LocalEnvironmentError
from local.function_code import host_code
from local.template_adapter import Adaptation, adapt
from local.template_merge import Asset, SynthesizedStack

_QUALIFIER: Final = "hnb659fds"
_CREATE_SECONDS: Final = 60
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)


def bootstrap(engine: Engine) -> None:
    """The part of `cdk bootstrap` that the templates need: a version parameter and a bucket for assets."""
    name = f"/cdk-bootstrap/{_QUALIFIER}/version"
    engine.client("ssm").put_parameter(Name=name, Type="String", Value="30", Overwrite=True)
    location = {"LocationConstraint": engine.region}
    engine.client("s3").create_bucket(Bucket=_bucket(engine), CreateBucketConfiguration=location)


def upload_assets(engine: Engine, stacks: Mapping[str, SynthesizedStack], layer: Path) -> int:
    """Upload each asset once, under the template's key. Returns how many there are.

    `layer` replaces the layers. The functions' code is that of the asset, compiled for this machine.
    """
    s3, bucket = engine.client("s3"), _bucket(engine)
    layers = {key for stack in stacks.values() for key in _keys(stack, "AWS::Lambda::LayerVersion", "Content")}
    code = {key for stack in stacks.values() for key in _keys(stack, "AWS::Lambda::Function", "Code")}
    assets = {asset.key: asset for stack in stacks.values() for asset in stack.assets}
    for key, asset in assets.items():
        path = layer if key in layers else host_code(asset.path) if key in code else asset.path
        s3.put_object(Bucket=bucket, Key=key, Body=_content(path, asset))
    return len(assets)


def create_stack(engine: Engine, stack: SynthesizedStack, base_url: str) -> tuple[dict[str, str], list[Adaptation]]:
    """The outputs, and the changes in the engine's copy. Raises `LocalEnvironmentError` when the engine refuses it."""
    template, adaptations = adapt(stack.template, rights_enforced=engine.enforces_rights, base_url=base_url)
    key = f"{stack.name}.template.json"
    engine.client("s3").put_object(Bucket=_bucket(engine), Key=key, Body=json.dumps(template).encode())
    cloudformation = engine.client("cloudformation")
    try:
        cloudformation.create_stack(
            StackName=stack.name,
            TemplateURL=f"{engine.endpoint_url}/{_bucket(engine)}/{key}",
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        )
    except ClientError as error:
        raise LocalEnvironmentError(
            f"The engine refused the stack {stack.name}: {error.response['Error']['Message']}"
        ) from error
    return _wait(cloudformation, stack.name), adaptations


def _wait(cloudformation: Any, name: str) -> dict[str, str]:
    deadline = time.monotonic() + _CREATE_SECONDS
    while time.monotonic() < deadline:
        described = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        status = described["StackStatus"]
        if status == "CREATE_COMPLETE":
            return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
        if not status.endswith("IN_PROGRESS"):
            break
        time.sleep(0.1)
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    reasons = [
        e["ResourceStatusReason"] for e in events if "FAILED" in e["ResourceStatus"] and "ResourceStatusReason" in e
    ]
    raise LocalEnvironmentError(
        f"The engine could not create the stack {name}: {reasons[-1] if reasons else 'no reason given'}"
    )


def _bucket(engine: Engine) -> str:
    return f"cdk-{_QUALIFIER}-assets-{ACCOUNT}-{engine.region}"


def _keys(stack: SynthesizedStack, resource_type: str, content: str) -> set[str]:
    return {
        resource["Properties"][content]["S3Key"]
        for resource in stack.template["Resources"].values()
        if resource["Type"] == resource_type
    }


def _content(path: Path, asset: Asset) -> bytes:
    if not asset.is_folder:
        return path.read_bytes()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(path.rglob("*")):
            if file.is_file():
                archive.writestr(zipfile.ZipInfo(str(file.relative_to(path)), _ZIP_TIME), file.read_bytes())
    return buffer.getvalue()
