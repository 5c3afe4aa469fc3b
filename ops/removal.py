"""Empties a disposable environment of what no template knows: `python -m ops.removal dev`, or `--branch NAME`.

Operators and tests have made it since the deployment: files in the bucket, routing documents that were published,
credentials of accounts at providers. CloudFormation deletes neither a bucket with files nor a profile with versions,
and secrets that stay cost money and keep their names.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

import click
from botocore.exceptions import ClientError

from infra.settings import ENVIRONMENTS, EnvironmentSettings, of_branch
from ops.errors import Exit, OperatorError
from ops.options import confirm
from ops.target import Target, aws_errors

_BUCKET: Final = "AWS::S3::Bucket"
_APPLICATION: Final = "AWS::AppConfig::Application"
_PROFILE: Final = "AWS::AppConfig::ConfigurationProfile"
_VERSION: Final = "AWS::AppConfig::HostedConfigurationVersion"
_SECRET: Final = "AWS::SecretsManager::Secret"  # noqa: S105 - a type
_STACKS: Final = ("Service", "Sandbox")


@click.command()
@click.argument("environment", required=False)
@click.option("--branch", help="The environment of a branch, instead of one of the settings.")
@click.option("--yes", is_flag=True, help="Do not ask whether this is meant.")
def main(*, environment: str | None, branch: str | None, yes: bool) -> None:
    """Delete files, published routing documents and account secrets of a disposable environment."""
    if (environment is None) is (branch is None):
        raise click.UsageError("Name an environment, or say --branch.")
    settings = disposable(environment) if branch is None else of_branch(branch)
    options = {"region_name": settings.region}
    target = Target(name=settings.name, outputs={}, options=options, base_url="", stack_prefix=settings.stage_id)
    confirm(f"Delete the environment {settings.name} with all its data?", yes=yes)
    for line in emptied(target):
        click.echo(line)


def disposable(name: str | None) -> EnvironmentSettings:
    """The environment of this name. Raises `OperatorError` when its data must outlive its stacks."""
    found = next((settings for settings in ENVIRONMENTS if settings.name == name), None)
    if found is None or not found.disposable:
        why = "there is no such environment" if found is None else "its data must outlive its stacks"
        raise OperatorError(f"{name} is not emptied: {why}.", Exit.REFUSED)
    return found


def emptied(target: Target) -> Iterator[str]:
    """Delete it, and say how much of each it was. A repetition finds nothing; so does an environment that is gone."""
    with aws_errors("empty the environment", changing=True):
        made = {stack: _resources(target, f"{target.stack_prefix}-{stack}") for stack in _STACKS}
        service = made["Service"]
        yield f"{sum(_files(target, bucket) for bucket in service.get(_BUCKET, ()))} files deleted."
        yield f"{_documents(target, service)} published routing documents deleted."
        kept = {secret for resources in made.values() for secret in resources.get(_SECRET, ())}
        yield f"{_secrets(target, kept)} secrets of accounts deleted."


def _resources(target: Target, stack: str) -> Mapping[str, list[str]]:
    """The physical ids of the stack's resources, by type."""
    found = defaultdict(list)
    try:
        for page in target.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack):
            for resource in page["StackResourceSummaries"]:
                found[resource["ResourceType"]].append(resource.get("PhysicalResourceId", ""))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":  # there is no such stack
            raise
    return found


def _files(target: Target, bucket: str) -> int:
    s3, deleted = target.client("s3"), 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        keys = [{"Key": found["Key"]} for found in page.get("Contents", ())]
        if keys:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})
            deleted += len(keys)
    return deleted


def _documents(target: Target, service: Mapping[str, list[str]]) -> int:
    """All but the template's own, which goes with its stack."""
    appconfig, deleted, own = target.client("appconfig"), 0, set(service.get(_VERSION, ()))
    for application, profile in zip(service.get(_APPLICATION, ()), service.get(_PROFILE, ()), strict=True):
        place = {"ApplicationId": application, "ConfigurationProfileId": profile}
        for number in list(_versions(appconfig, place)):
            if str(number) not in own:
                appconfig.delete_hosted_configuration_version(**place, VersionNumber=number)
                deleted += 1
    return deleted


def _versions(appconfig: Any, place: Mapping[str, str]) -> Iterator[int]:
    for page in appconfig.get_paginator("list_hosted_configuration_versions").paginate(**place):
        yield from (found["VersionNumber"] for found in page["Items"])


def _secrets(target: Target, kept: set[str]) -> int:
    """At once: a secret that waits for its deletion keeps its name, and the next environment wants it."""
    secrets, deleted, prefix = target.client("secretsmanager"), 0, f"payflowx/{target.name}/accounts/"
    pages = secrets.get_paginator("list_secrets").paginate(Filters=[{"Key": "name", "Values": [prefix]}])
    found = [(secret["ARN"], secret["Name"]) for page in pages for secret in page["SecretList"]]
    for arn, name in found:
        if name.startswith(prefix) and not kept & {arn, name}:
            secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
            deleted += 1
    return deleted


if __name__ == "__main__":
    sys.exit(main())
