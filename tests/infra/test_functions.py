"""Every function, whatever it does."""

import re
from typing import Any

import pytest

from infra.constructs.dependencies_layer import REQUIREMENTS
from infra.settings import ROOT
from payflowx.domain.shared.limits import LEASE_MS, MIN_TIME_TO_SEND_MS
from tests.infra.conftest import every, resources, template

FUNCTIONS = every("AWS::Lambda::Function")
SECRET_LIKE = re.compile(r"(?i)(sk_|secret|password|token|-----BEGIN)")
_OF_A_QUEUE = ("QUEUE_URL", "DEAD_LETTERS_URL", "LOG_GROUP")
ENVIRONMENT_READ = {
    "api": {"TRANSACTIONS_TABLE", "IDEMPOTENCY_TABLE", "CONFIGURATION_TABLE", "JOBS_QUEUE_URL", "CURSOR_SECRET_ARN"},
    "worker": {"TRANSACTIONS_TABLE", "CONFIGURATION_TABLE", "JOBS_QUEUE_URL"},
    "sweeper": {"TRANSACTIONS_TABLE", "JOBS_QUEUE_URL"},
    "authorizer": {"CONFIGURATION_TABLE"},
    "webhooks": {"CONFIGURATION_TABLE", "NOTICES_QUEUE_URL"},
    "notices": {"TRANSACTIONS_TABLE", "CONFIGURATION_TABLE", "JOBS_QUEUE_URL", "NOTICES_QUEUE_URL"},
    "deliverer": {"TRANSACTIONS_TABLE", "CONFIGURATION_TABLE", "DELIVERIES_QUEUE_URL", "ENCRYPTION_KEY_ARN"},
    "operations": {
        *("TRANSACTIONS_TABLE", "CONFIGURATION_TABLE", "JOBS_QUEUE_URL", "NOTICES_QUEUE_URL"),
        *(f"{queue}_{what}" for queue in ("JOBS", "NOTICES", "DELIVERIES", "RUNS") for what in _OF_A_QUEUE),
        *("ROUTING_APPLICATION", "ROUTING_ENVIRONMENT", "ROUTING_PROFILE", "ROUTING_STRATEGY"),
        *("ACCOUNT_SECRETS_KEY_ARN", "API_KEY_MODE", "LOOPBACK_ALLOWED"),
    },
    "reconciler": {
        *("TRANSACTIONS_TABLE", "CONFIGURATION_TABLE", "SETTLEMENTS_BUCKET"),
        *("JOBS_QUEUE_URL", "RUNS_QUEUE_URL"),
    },
}
for _writer in ("api", "worker", "sweeper", "notices", "operations", "reconciler"):
    ENVIRONMENT_READ[_writer] |= {"DELIVERIES_QUEUE_URL"}  # whoever stores a new status wakes the deliverer
ENVIRONMENT_READ["api"] |= {"ENCRYPTION_KEY_ARN"}


def function_of(stack: str, name: str) -> dict[str, Any]:
    return resources(stack, "AWS::Lambda::Function")[name]


def test_there_are_some() -> None:
    assert len(FUNCTIONS) == 3 * 10 + 2


@pytest.mark.parametrize(("stack", "name"), FUNCTIONS)
def test_runtime_limits_and_tracing(stack: str, name: str) -> None:
    function = function_of(stack, name)
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert 5 <= function["Timeout"] <= 60
    assert function["MemorySize"] >= 512
    assert function["LoggingConfig"]["LogFormat"] == "JSON"
    assert function["LoggingConfig"]["SystemLogLevel"] == "WARN"
    assert "FunctionName" not in function


@pytest.mark.parametrize(("stack", "name"), FUNCTIONS)
def test_it_has_a_log_group_of_its_own(stack: str, name: str) -> None:
    group = function_of(stack, name)["LoggingConfig"]["LogGroup"]["Ref"]
    properties = resources(stack, "AWS::Logs::LogGroup")[group]
    assert properties["RetentionInDays"] > 0
    assert properties["KmsKeyId"]
    users = [
        f for f in resources(stack, "AWS::Lambda::Function").values() if f["LoggingConfig"]["LogGroup"]["Ref"] == group
    ]
    assert len(users) == 1


@pytest.mark.parametrize(("stack", "name"), FUNCTIONS)
def test_it_has_a_role_of_its_own_without_managed_policies(stack: str, name: str) -> None:
    role = function_of(stack, name)["Role"]["Fn::GetAtt"][0]
    assert "ManagedPolicyArns" not in resources(stack, "AWS::IAM::Role")[role]
    users = [f for f in resources(stack, "AWS::Lambda::Function").values() if f["Role"]["Fn::GetAtt"][0] == role]
    assert len(users) == 1


@pytest.mark.parametrize(("stack", "name"), FUNCTIONS)
def test_it_has_an_alias(stack: str, name: str) -> None:
    aliases = [a for a in resources(stack, "AWS::Lambda::Alias").values() if a["FunctionName"] == {"Ref": name}]
    assert [alias["Name"] for alias in aliases] == ["live"]


@pytest.mark.parametrize(("stack", "name"), FUNCTIONS)
def test_no_secret_in_its_environment(stack: str, name: str) -> None:
    for key, value in function_of(stack, name)["Environment"]["Variables"].items():
        if key.endswith("_ARN"):
            continue
        assert not (isinstance(value, str) and SECRET_LIKE.search(value)), key


@pytest.mark.parametrize(("stack", "name"), [p for p in FUNCTIONS if "Sandbox" not in p.id])
def test_its_handler_exists_and_gets_what_it_reads(stack: str, name: str) -> None:
    function = function_of(stack, name)
    module, attribute = function["Handler"].rsplit(".", 1)
    source = ROOT / "functions" / f"{module.replace('.', '/')}.py"
    assert f"def {attribute}(" in source.read_text()
    variables = set(function["Environment"]["Variables"])
    assert ENVIRONMENT_READ.get(source.stem, set()) <= variables
    assert {"ALLOWED_PROVIDERS", "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"} <= variables


@pytest.mark.parametrize("stage", ["Dev", "Staging", "Prod"])
def test_the_lease_outlives_the_worker(stage: str) -> None:
    worker = next(
        f for f in resources(f"{stage}-Service", "AWS::Lambda::Function").values() if ".worker." in f["Handler"]
    )
    assert worker["Timeout"] * 1000 < LEASE_MS - MIN_TIME_TO_SEND_MS + 1
    assert worker["Timeout"] * 1000 > MIN_TIME_TO_SEND_MS


def test_the_code_asset_holds_the_package_and_nothing_else() -> None:
    from aws_cdk import App, Stack
    from aws_cdk import aws_lambda as lambda_

    from infra.stacks.service import functions_code

    app = App()
    stack = Stack(app, "S")
    lambda_.Function(stack, "F", code=functions_code(), handler="a.b", runtime=lambda_.Runtime.PYTHON_3_13)
    assembly = app.synth()
    import pathlib

    folder = next(pathlib.Path(assembly.directory).glob("asset.*/payflowx")).parent
    assert [path.name for path in folder.iterdir()] == ["payflowx"]
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".py"}


def test_the_lock_has_hashes_for_everything() -> None:
    lines = REQUIREMENTS.read_text().splitlines()
    pinned = [line for line in lines if "==" in line]
    assert pinned
    for line in pinned:
        assert line.endswith("\\")
        assert "--hash=sha256:" in lines[lines.index(line) + 1]


def test_the_template_is_not_touched_by_bundling() -> None:
    layer = next(iter(resources("Dev-Service", "AWS::Lambda::LayerVersion").values()))
    assert re.fullmatch(r"[0-9a-f]{64}\.zip", layer["Content"]["S3Key"])
    assert "Resources" in template("Dev-Service")
