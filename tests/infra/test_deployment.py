"""What CloudFormation does with the stacks: create, fail to create, update, roll back, delete."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from payflowx.domain.shared.limits import MAX_DRIVES
from tests.infra.conftest import STACKS, STAGES, every, resources, template
from tests.infra.deployed import DeployedFunction, functions

SERVICES = tuple(f"{stage}-Service" for stage in STAGES)
KEPT = {"Retain", "RetainExceptOnCreate"}
CANARY = {"Api", "Authorizer", "Worker", "Checkout"}


def of_type(stack: str, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Logical ids and whole resources, with their policies."""
    for name, resource in template(stack)["Resources"].items():
        if resource["Type"] == kind:
            yield name, resource


class TestReferencesBetweenStacks:
    def test_are_imports(self) -> None:
        """CloudFormation looks each weak reference up by a call of its own, and throttles about seventy of them."""
        texts = {stack: json.dumps(template(stack)) for stack in STACKS}
        assert [stack for stack, text in texts.items() if "GetStackOutput" in text] == []
        assert all("Fn::ImportValue" in texts[stack] for stack in SERVICES)

    @pytest.mark.parametrize("stage", STAGES)
    def test_name_exports_of_the_data_stack(self, stage: str) -> None:
        exported = {o["Export"]["Name"] for o in template(f"{stage}-Data")["Outputs"].values() if "Export" in o}
        imported = set(re.findall(r'"Fn::ImportValue": "([^"]+)"', json.dumps(template(f"{stage}-Service"))))
        assert imported <= exported


class TestVersions:
    @pytest.mark.parametrize("stack", SERVICES)
    def test_outlive_the_deployment_that_replaces_them(self, stack: str) -> None:
        policies = {version["DeletionPolicy"] for _, version in of_type(stack, "AWS::Lambda::Version")}
        assert policies == {"Retain"}

    @pytest.mark.parametrize("stack", SERVICES)
    def test_of_the_functions_on_a_payments_way_begin_with_a_tenth(self, stack: str) -> None:
        gradual = {
            name.removesuffix("Live")
            for logical_id, alias in of_type(stack, "AWS::Lambda::Alias")
            if "CodeDeployLambdaAliasUpdate" in alias.get("UpdatePolicy", {})
            for name in [re.sub(r"[0-9A-F]{8}$", "", logical_id)]
        }
        assert gradual == (set() if stack.startswith("Dev") else CANARY)

    @pytest.mark.parametrize("stack", SERVICES[1:])
    def test_are_taken_back_by_an_alarm_that_exists(self, stack: str) -> None:
        groups = resources(stack, "AWS::CodeDeploy::DeploymentGroup")
        alarms = resources(stack, "AWS::CloudWatch::Alarm")
        assert len(groups) == len(CANARY)
        for group in groups.values():
            assert group["DeploymentConfigName"] == "CodeDeployDefault.LambdaCanary10Percent5Minutes"
            assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
            watched = [alarm["Name"]["Ref"] for alarm in group["AlarmConfiguration"]["Alarms"]]
            assert len(watched) >= 2
            assert set(watched) <= set(alarms)

    @pytest.mark.parametrize("stack", SERVICES)
    def test_are_called_through_the_alias_by_every_caller(self, stack: str) -> None:
        for source in resources(stack, "AWS::Lambda::EventSourceMapping").values():
            assert ":live" in json.dumps(source["FunctionName"])
        for schedule in resources(stack, "AWS::Scheduler::Schedule").values():
            assert schedule["Target"]["Arn"]["Ref"] in resources(stack, "AWS::Lambda::Alias")


class TestAFailedFirstCreation:
    def test_leaves_nothing_with_a_name_that_the_next_one_needs(self) -> None:
        """A kept resource with a fixed name makes every later creation fail: it exists already."""
        named = {"AWS::SecretsManager::Secret": "Name", "AWS::Logs::LogGroup": "LogGroupName"}
        offenders = [
            f"{stack}/{name}"
            for stack in STACKS
            for kind, field in named.items()
            for name, resource in of_type(stack, kind)
            if field in resource["Properties"] and resource.get("DeletionPolicy") == "Retain"
        ]
        assert offenders == []

    def test_leaves_empty_tables_only(self) -> None:
        """Their deletion protection would make the roll-back fail as well."""
        left = {
            resource["Type"]
            for stack in STACKS
            for resource in template(stack)["Resources"].values()
            if resource.get("DeletionPolicy") == "Retain"
        }
        assert left <= {
            *("AWS::DynamoDB::GlobalTable", "AWS::Lambda::Version", "AWS::AppConfig::HostedConfigurationVersion")
        }


class TestTheRoutingDocument:
    @pytest.mark.parametrize("stack", SERVICES)
    def test_is_deployed_after_its_validator_may_be_called(self, stack: str) -> None:
        ((_, deployment),) = of_type(stack, "AWS::AppConfig::Deployment")
        permissions = {
            name
            for name, permission in resources(stack, "AWS::Lambda::Permission").items()
            if permission["Principal"] == "appconfig.amazonaws.com"
        }
        assert permissions
        assert permissions <= set(deployment["DependsOn"])

    @pytest.mark.parametrize("stack", SERVICES)
    def test_is_deployed_at_once_the_first_time(self, stack: str) -> None:
        ((_, deployment),) = of_type(stack, "AWS::AppConfig::Deployment")
        strategies = resources(stack, "AWS::AppConfig::DeploymentStrategy")
        first = strategies[deployment["Properties"]["DeploymentStrategyId"]["Ref"]]
        assert (first["DeploymentDurationInMinutes"], first["GrowthFactor"]) == (0, 100)

    def test_is_rolled_out_in_steps_afterwards_and_back_when_payments_fail(self) -> None:
        (environment,) = resources("Prod-Service", "AWS::AppConfig::Environment").values()
        (monitor,) = environment["Monitors"]
        alarm = monitor["AlarmArn"]["Fn::GetAtt"][0]
        assert "SuccessBurnsFast" in alarm
        assert alarm in resources("Prod-Service", "AWS::CloudWatch::CompositeAlarm")
        role = resources("Prod-Service", "AWS::IAM::Role")[monitor["AlarmRoleArn"]["Fn::GetAtt"][0]]
        assert "appconfig.amazonaws.com" in json.dumps(role["AssumeRolePolicyDocument"])
        (operations,) = [f for f in functions("Prod-Service") if f.name == "Operations"]
        strategy = resources("Prod-Service", "AWS::AppConfig::DeploymentStrategy")[
            operations.environment["ROUTING_STRATEGY"]["Ref"]
        ]
        assert strategy["DeploymentDurationInMinutes"] == strategy["FinalBakeTimeInMinutes"] == 10


class TestDeletion:
    def test_of_dev_keeps_versions_and_the_accounts_log_role_only(self) -> None:
        kept = {
            f"{resource['Type']} {name}"
            for stack in STACKS
            if stack.startswith("Dev")
            for name, resource in template(stack)["Resources"].items()
            if resource.get("DeletionPolicy") in KEPT and resource["Type"] != "AWS::Lambda::Version"
        }
        assert {text.partition(" ")[0] for text in kept} == {
            *("AWS::ApiGateway::Account", "AWS::IAM::Role", "AWS::IAM::Policy")
        }
        assert all("RestApi" in text for text in kept)

    def test_of_dev_waits_for_no_protection_of_the_routing_document(self) -> None:
        """An account may have switched it on for whatever was read within an hour."""
        for kind in ("AWS::AppConfig::Environment", "AWS::AppConfig::ConfigurationProfile"):
            checks = [found.get("DeletionProtectionCheck") for s in SERVICES for found in resources(s, kind).values()]
            assert checks == ["BYPASS", None, None]

    @pytest.mark.parametrize("stack", SERVICES)
    def test_keeps_the_role_that_the_other_apis_of_the_account_log_by(self, stack: str) -> None:
        ((_, account),) = of_type(stack, "AWS::ApiGateway::Account")
        role = account["Properties"]["CloudWatchRoleArn"]["Fn::GetAtt"][0]
        assert account["DeletionPolicy"] in KEPT
        assert template(stack)["Resources"][role]["DeletionPolicy"] in KEPT
        policies = [p for _, p in of_type(stack, "AWS::IAM::Policy") if {"Ref": role} in p["Properties"]["Roles"]]
        assert [policy["DeletionPolicy"] in KEPT for policy in policies] == [True]


@pytest.mark.parametrize("stack", STACKS)
def test_a_message_that_comes_back_to_its_function_is_no_runaway_loop_for_lambda(stack: str) -> None:
    """Lambda stops a chain of about sixteen messages, and drops the last, unless the function allows the loop.

    Each of ours ends by itself: an item counts its drives, a reconciliation the pages of one report and its tries.
    """
    assert 16 < MAX_DRIVES <= 100
    found = {function.logical_id: function for function in functions(stack)} if not stack.endswith("Data") else {}
    for logical_id, properties in resources(stack, "AWS::Lambda::Function").items():
        allowed = properties.get("RecursiveLoop") == "Allow"
        assert allowed is loops(found[logical_id], tuple(found.values())), logical_id


def loops(start: DeployedFunction, all_functions: tuple[DeployedFunction, ...]) -> bool:
    """Whether a message that this function sends can lead to a call of this function again."""
    reached: set[str] = set()
    waiting = set(start.sends)
    while waiting:
        queue = waiting.pop()
        if queue in start.consumes:
            return True
        reached.add(queue)
        for function in all_functions:
            if queue in function.consumes:
                waiting |= function.sends - reached
    return False


def test_lambda_repeats_no_event_of_a_schedule() -> None:
    for stack, name, schedule in every("AWS::Scheduler::Schedule"):
        alias = resources(stack, "AWS::Lambda::Alias")[schedule["Target"]["Arn"]["Ref"]]
        (config,) = [
            c
            for c in resources(stack, "AWS::Lambda::EventInvokeConfig").values()
            if c["FunctionName"] == alias["FunctionName"]
        ]
        assert config["MaximumRetryAttempts"] == 0, name
        assert config["MaximumEventAgeInSeconds"] <= 300, name
        assert schedule["Target"]["Arn"]["Ref"] in json.dumps(config["Qualifier"]), name
