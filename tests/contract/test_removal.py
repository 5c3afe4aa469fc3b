"""A disposable environment is emptied of what no template knows, on the local engine."""

import json
from typing import Any

import click
import pytest

from ops.errors import Exit, OperatorError
from ops.removal import disposable, emptied, main
from ops.target import Target
from tests.support.engine import InProcessEngine

TEMPLATE = {
    "Resources": {
        "Files": {"Type": "AWS::S3::Bucket"},
        "Application": {"Type": "AWS::AppConfig::Application", "Properties": {"Name": "PayFlowX"}},
        "Profile": {
            "Type": "AWS::AppConfig::ConfigurationProfile",
            "Properties": {"ApplicationId": {"Ref": "Application"}, "Name": "Routing", "LocationUri": "hosted"},
        },
        "First": {
            "Type": "AWS::AppConfig::HostedConfigurationVersion",
            "Properties": {
                "ApplicationId": {"Ref": "Application"},
                "ConfigurationProfileId": {"Ref": "Profile"},
                "Content": "{}",
                "ContentType": "application/json",
            },
        },
    }
}
SANDBOX = {
    "Resources": {
        "Credentials": {
            "Type": "AWS::SecretsManager::Secret",
            "Properties": {"Name": "payflowx/dev/accounts/sandbox", "SecretString": "x"},
        }
    }
}


class EngineTarget(Target):
    """A target whose clients are those of the engine in this process."""

    engine: Any = None

    def client(self, service: str) -> Any:
        return type(self).engine.client(service)


@pytest.fixture
def target(engine: InProcessEngine) -> Target:
    EngineTarget.engine = engine
    return EngineTarget(name="dev", outputs={}, options={}, base_url="", stack_prefix="Dev")


def deployed(target: Target) -> dict[str, str]:
    """Physical ids by logical ids, of both stacks."""
    cloudformation, found = target.client("cloudformation"), {}
    for stack, template in (("Dev-Service", TEMPLATE), ("Dev-Sandbox", SANDBOX)):
        cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))
        cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 0.1})
        for resource in cloudformation.list_stack_resources(StackName=stack)["StackResourceSummaries"]:
            found[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
    return found


def secrets(target: Target) -> set[str]:
    return {secret["Name"] for secret in target.client("secretsmanager").list_secrets()["SecretList"]}


def test_files_published_documents_and_account_secrets_go_and_the_templates_own_stay(target: Target) -> None:
    made = deployed(target)
    s3, appconfig = target.client("s3"), target.client("appconfig")
    for number in range(3):
        s3.put_object(Bucket=made["Files"], Key=f"2026/{number}.csv", Body=b"x")
    place = {"ApplicationId": made["Application"], "ConfigurationProfileId": made["Profile"]}
    for _ in range(2):
        appconfig.create_hosted_configuration_version(**place, Content=b"{}", ContentType="application/json")
    for name in ("payflowx/dev/accounts/shop/stripe", "payflowx/staging/accounts/shop/stripe", "other"):
        target.client("secretsmanager").create_secret(Name=name, SecretString="x")
    assert [line.split()[0] for line in emptied(target)] == ["3", "2", "1"]
    assert "Contents" not in s3.list_objects_v2(Bucket=made["Files"])
    left = appconfig.list_hosted_configuration_versions(**place)["Items"]
    assert [str(version["VersionNumber"]) for version in left] == [made["First"]]
    assert secrets(target) == {"payflowx/dev/accounts/sandbox", "payflowx/staging/accounts/shop/stripe", "other"}
    assert [line.split()[0] for line in emptied(target)] == ["0", "0", "0"]


def test_an_environment_that_is_gone_has_nothing(target: Target) -> None:
    assert [line.split()[0] for line in emptied(target)] == ["0", "0", "0"]


@pytest.mark.parametrize(("name", "why"), [("prod", "outlive"), ("staging", "outlive"), ("nowhere", "no such")])
def test_only_what_is_disposable_is_emptied(name: str, why: str) -> None:
    with pytest.raises(OperatorError, match=why) as refused:
        disposable(name)
    assert refused.value.exit_code == Exit.REFUSED
    with pytest.raises(OperatorError, match=why):
        main.main([name], standalone_mode=False)


@pytest.mark.parametrize("words", [["dev"], ["--branch", "fix/refunds"]])
def test_nothing_is_deleted_without_a_yes(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody sits at a terminal here, so that the question itself is the refusal."""
    emptied_targets: list[str] = []

    def noted(target: Target) -> tuple[str, ...]:
        emptied_targets.append(target.name)
        return ()

    monkeypatch.setattr("ops.removal.emptied", noted)
    with pytest.raises(click.UsageError, match="say --yes"):
        main.main(words, standalone_mode=False)
    assert emptied_targets == []
    main.main([*words, "--yes"], standalone_mode=False)
    assert len(emptied_targets) == 1


def test_one_environment_is_named() -> None:
    for words in ([], ["dev", "--branch", "x"]):
        with pytest.raises(click.UsageError, match="Name an environment"):
            main.main(words, standalone_mode=False)
