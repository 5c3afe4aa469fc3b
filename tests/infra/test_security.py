"""Rights: each function has what it uses, on the resources it uses."""

import json
import re
from dataclasses import replace

import pytest
from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.settings import ENVIRONMENTS, ROOT, ROUTING, EnvironmentSettings, chosen
from infra.stacks.account import AccountSettings, AccountStack
from infra.stage import PayFlowXStage
from tests.infra.conftest import GIVEN, STACKS, application, every
from tests.infra.deployed import function, functions

WILDCARDS = {
    ("xray:PutTelemetryRecords", "xray:PutTraceSegments"): "X-Ray takes no resource",
    ("cloudwatch:DescribeAlarms",): "composite alarms take no narrower resource",
    (
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:FilterLogEvents",
        "logs:GetLogEvents",
        "logs:PutLogEvents",
    ): "API Gateway's account role",
}


def test_no_wildcards_but_the_listed_ones() -> None:
    offenders = []
    for stack, name, policy in every("AWS::IAM::Policy"):
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            if any("*" in action for action in actions):
                offenders.append(f"{stack}/{name}: {actions}")
            if statement["Resource"] == "*" and tuple(sorted(actions)) not in WILDCARDS:
                offenders.append(f"{stack}/{name}: {actions} on every resource")
    assert offenders == []


def test_no_function_may_scan_a_table_or_delete_an_item() -> None:
    offenders = [
        f"{stack}/{found.name}: {right.action}"
        for stack in STACKS
        if not stack.endswith("Data")
        for found in functions(stack)
        for right in found.rights
        if right.action in {"dynamodb:Scan", "dynamodb:DeleteItem", "dynamodb:PartiQLDelete", "dynamodb:PartiQLSelect"}
    ]
    assert offenders == []


def test_a_right_that_could_delete_an_item_reaches_no_payment() -> None:
    """IAM knows one action for batches of puts and deletes: it must be confined to partitions that hold no money."""
    confined = {
        (found.name, right.condition)
        for stack in STACKS
        if not stack.endswith("Data")
        for found in functions(stack)
        for right in found.rights
        if right.action == "dynamodb:BatchWriteItem"
    }
    (only,) = confined
    assert only[0] == "Reconciler"
    assert json.loads(only[1] or "{}") == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["Q#*", "S#*"]}}


def test_the_key_is_used_through_a_service_or_for_a_purpose_and_in_no_other_way() -> None:
    for stack in STACKS:
        if stack.endswith("Data"):
            continue
        for found in functions(stack):
            services = {right.action.partition(":")[0] for right in found.rights}
            for right in found.rights:
                if not right.action.startswith("kms:"):
                    continue
                where = f"{stack}/{found.name}: {right}"
                ((operator, condition),) = json.loads(right.condition or "{}").items()
                assert operator == "StringEquals", where
                if "kms:ViaService" in condition:
                    through = json.dumps(condition["kms:ViaService"])
                    assert re.search(r"(dynamodb|s3|secretsmanager|sqs)[.]eu-west-1[.]", through)[1] in services, where
                else:
                    own = {"Api": "kms:Encrypt", "Deliverer": "kms:Decrypt"}
                    assert condition == {"kms:EncryptionContext:purpose": "webhook-endpoint"}, where
                    assert own[found.name] == right.action, where


def actions_of(stack: str, handler: str) -> set[str]:
    return {right.action for right in function(stack, handler).rights}


def test_who_may_do_what_is_as_small_as_it_reads() -> None:
    services = ("dynamodb", "sqs", "secretsmanager", "appconfig")

    def allowed(handler: str) -> list[str]:
        return sorted(a for a in actions_of("Prod-Service", handler) if a.split(":")[0] in services)

    assert allowed("api.authorizer") == ["dynamodb:GetItem"]
    assert allowed("routing_validator") == []
    assert allowed("sweeper") == [
        *("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"),
        *("sqs:GetQueueAttributes", "sqs:SendMessage"),
    ]
    assert allowed("operators.handler") == [
        *("appconfig:CreateHostedConfigurationVersion", "appconfig:GetHostedConfigurationVersion"),
        *("appconfig:ListDeployments", "appconfig:StartDeployment", "appconfig:StopDeployment"),
        *("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem"),
        *("dynamodb:Query", "dynamodb:UpdateItem"),
        *("secretsmanager:CreateSecret", "secretsmanager:GetSecretValue", "secretsmanager:ListSecretVersionIds"),
        *("secretsmanager:PutSecretValue",),
        *("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
        *("sqs:PurgeQueue", "sqs:ReceiveMessage", "sqs:SendMessage"),
    ]
    assert sorted(a for a in actions_of("Prod-Service", "reconciler") if a.startswith("s3:")) == [
        *("s3:GetObject", "s3:ListBucket")
    ]
    assert "secretsmanager:GetSecretValue" in allowed("worker")


def test_the_rule_packs_find_nothing_that_is_not_acknowledged() -> None:
    """A violation makes the synthesis raise, as in `cdk synth`."""
    for app in (fresh_app(), app_with_all_options()):
        Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
        app.synth()


def test_no_acknowledgement_outlives_its_finding() -> None:
    """The packs themselves know nothing of acknowledgements: every rule that we acknowledge must still fire."""
    apps = (application()[0], app_with_all_options())
    fired = {
        violation.rule_name.split("[")[0]
        for app in apps
        for pack in (AwsSolutionsChecks(app), ServerlessChecks(app))
        for violation in pack.validate_scope(app).violations
    }
    acknowledged = {
        rule
        for path in (ROOT / "infra").rglob("*.py")
        for rule in re.findall(r"\"((?:AwsSolutions|Serverless)-[A-Za-z0-9]+)", path.read_text())
    }
    assert acknowledged == fired


def fresh_app() -> App:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(context={**context, **GIVEN, "aws:cdk:bundling-stacks": []})
    for settings in chosen(app.node.try_get_context):
        PayFlowXStage(app, settings.stage_id, settings=settings)
    return app


def app_with_all_options() -> App:
    """What no environment has switched on, and the account's own stack."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(context={**context, "aws:cdk:bundling-stacks": []})
    settings = replace(
        settings_of("staging"),
        domain="pay.example.com",
        certificate="arn:aws:acm:eu-west-1:111122223333:certificate/0a1b2c3d-example",
        hosted_zone="Z0123456789ABC",
        fixed_egress=True,
        merchant_rate_per_second=20,
    )
    PayFlowXStage(app, settings.stage_id, settings=settings)
    AccountStack(
        app,
        "Account",
        settings=AccountSettings(
            repository="example/payflowx", environments=("dev",), costs_to="costs@example.com", monthly_budget=50
        ),
        region="eu-west-1",
    )
    return app


def settings_of(name: str) -> EnvironmentSettings:
    return next(e for e in ENVIRONMENTS if e.name == name)


def test_production_refuses_simulated_providers() -> None:
    with pytest.raises(ValueError, match="must not use simulated providers: mock"):
        EnvironmentSettings(
            name="prod",
            region="eu-west-1",
            production=True,
            providers=("stripe", "mock"),
            routing_document=ROUTING / "prod.json",
        )


@pytest.mark.parametrize("hours", [0, -1, 169, 720])
def test_a_charge_deadline_has_bounds(hours: int) -> None:
    with pytest.raises(ValueError, match="charge_deadline_hours must be 1 to 168"):
        replace(settings_of("dev"), charge_deadline_hours=hours)


def test_production_refuses_addresses_of_the_machine_itself() -> None:
    with pytest.raises(ValueError, match="must not talk to addresses of the machine"):
        EnvironmentSettings(
            name="prod",
            region="eu-west-1",
            production=True,
            providers=("stripe",),
            routing_document=ROUTING / "prod.json",
            loopback_allowed=True,
        )


def test_production_refuses_simulated_providers_in_its_rules() -> None:
    with pytest.raises(ValueError, match="names simulated providers: cashfree_mock, mock, razorpay_mock"):
        EnvironmentSettings(
            name="prod",
            region="eu-west-1",
            production=True,
            providers=("stripe",),
            routing_document=ROUTING / "default.json",
        )


def test_production_has_no_simulators_stack() -> None:
    stage = PayFlowXStage(App(context={"aws:cdk:bundling-stacks": []}), "P", settings=settings_of("prod"))
    assert stage.sandbox is None
