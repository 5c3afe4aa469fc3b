"""Every function, whatever it does. One test a rule; it lists all offenders."""

import re
from dataclasses import replace
from importlib import import_module
from typing import Any

from aws_cdk import App
from aws_cdk.assertions import Template

from infra.constructs.shared.dependencies_layer import REQUIREMENTS
from infra.settings import ENVIRONMENTS, ROOT
from infra.stage import PayFlowXStage
from payflowx.domain.shared.limits import LEASE_MS, MIN_TIME_TO_SEND_MS
from payflowx.wiring.platform import Wiring
from tests.infra.conftest import STACKS, STAGES, every, resources, template
from tests.infra.deployed import function, functions, unknown_actions

SERVICES = tuple(f"{stage}-Service" for stage in STAGES)
SECRET_LIKE = re.compile(r"(?i)(sk_|secret|password|token|-----BEGIN)")
DOCUMENT = ROOT / "docs" / "architecture.md"


def every_of(stack: str) -> dict[str, dict[str, Any]]:
    return resources(stack, "AWS::Lambda::Function")


def test_there_are_eleven_in_each_service_and_one_in_each_sandbox() -> None:
    assert [len(every_of(stack)) for stack in STACKS if stack.endswith("Service")] == [11, 11, 11]
    assert [len(every_of(stack)) for stack in STACKS if stack.endswith("Sandbox")] == [1, 1]


def test_runtime_limits_and_tracing() -> None:
    for stack, name, found in every("AWS::Lambda::Function"):
        where = f"{stack}/{name}"
        assert found["Runtime"] == "python3.13", where
        assert found["Architectures"] == ["arm64"], where
        assert found["TracingConfig"] == {"Mode": "Active"}, where
        assert 5 <= found["Timeout"] <= 60, where
        assert found["MemorySize"] >= 512, where
        assert found["LoggingConfig"]["LogFormat"] == "JSON", where
        assert found["LoggingConfig"]["SystemLogLevel"] == "WARN", where
        assert "FunctionName" not in found, where


def test_each_has_an_encrypted_log_group_of_its_own() -> None:
    for stack in STACKS:
        groups = [found["LoggingConfig"]["LogGroup"]["Ref"] for found in every_of(stack).values()]
        assert len(groups) == len(set(groups)), stack
        for group in groups:
            properties = resources(stack, "AWS::Logs::LogGroup")[group]
            assert properties["RetentionInDays"] > 0, group
            assert properties["KmsKeyId"], group


def test_each_has_a_role_of_its_own_without_managed_policies() -> None:
    for stack in STACKS:
        roles = [found["Role"]["Fn::GetAtt"][0] for found in every_of(stack).values()]
        assert len(roles) == len(set(roles)), stack
        managed = [role for role in roles if "ManagedPolicyArns" in resources(stack, "AWS::IAM::Role")[role]]
        assert managed == []


def test_each_has_the_alias_live() -> None:
    for stack in STACKS:
        aliases = resources(stack, "AWS::Lambda::Alias").values()
        found = sorted((alias["FunctionName"]["Ref"], alias["Name"]) for alias in aliases)
        assert found == sorted((name, "live") for name in every_of(stack))


def test_no_secret_stands_in_an_environment() -> None:
    offenders = [
        f"{stack}/{name}: {key}"
        for stack, name, found in every("AWS::Lambda::Function")
        for key, value in found["Environment"]["Variables"].items()
        if not key.endswith("_ARN") and isinstance(value, str) and SECRET_LIKE.search(value)
    ]
    assert offenders == []


def test_handlers_exist() -> None:
    missing = []
    for found in functions("Prod-Service"):
        source = ROOT / "functions" / f"{found.handler.replace('.', '/')}.py"
        if not source.is_file() or "def handler(" not in source.read_text():
            missing.append(found.handler)
    assert missing == []


def test_services_keep_the_names_that_logs_and_metrics_hold() -> None:
    """Log lines and metrics of earlier releases bear them; a new name would split every series."""
    assert {found.handler.removeprefix("payflowx.entrypoints."): found.service for found in functions(SERVICES[0])} == {
        "api.authorizer": "authorizer",
        "api.handler": "api",
        "checkout.handler": "checkout",
        "deliverer": "deliverer",
        "operators.handler": "operations",
        "provider_events": "notices",
        "reconciler": "reconciler",
        "routing_validator": "routing_validator",
        "sweeper": "sweeper",
        "webhook_receiver": "webhooks",
        "worker": "worker",
    }


def test_all_environments_deploy_the_same_functions_with_the_same_variables_and_rights() -> None:
    """What a function may do must not depend on where it was tried."""

    def shape(stack: str) -> set[tuple[str, str, frozenset[str], frozenset[str]]]:
        stage = stack.removesuffix("-Service")
        return {
            (
                found.name,
                found.handler,
                found.variables,
                frozenset(
                    f"{right.action} {right.resource} {right.condition}".replace(stage, "").replace(stage.lower(), "")
                    for right in found.rights
                ),
            )
            for found in functions(stack)
        }

    assert shape("Dev-Service") == shape("Staging-Service") == shape("Prod-Service")


def test_the_document_has_the_table_of_functions() -> None:
    """Handlers, callers, timeouts and rights in `docs/architecture.md` are those of the templates."""
    assert unknown_actions("Prod-Service") == set()
    assert documented() == {
        found.name: {
            "handler": found.handler.removeprefix("payflowx.entrypoints."),
            "timeout": f"{found.timeout_s} s",
            "reads": found.reads,
            "writes": found.writes,
            "sends": found.sends,
            "queues": found.consumes,
        }
        for found in functions("Prod-Service")
    }


def documented() -> dict[str, dict[str, object]]:
    section = DOCUMENT.read_text().split("## Functions", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|\n ").split("|")] for line in section.splitlines() if "|" in line]
    heads, _, *rows = rows
    assert heads == ["function", "handler", "called by", "timeout", "reads", "writes", "sends to", "does"]
    return {
        name.strip("`"): {
            "handler": handler.strip("`"),
            "timeout": timeout,
            "reads": words(reads),
            "writes": words(writes),
            "sends": words(sends),
            "queues": frozenset(re.findall(r"`(\w+)`", caller)),
        }
        for name, handler, caller, timeout, reads, writes, sends, _ in rows
    }


def words(cell: str) -> frozenset[str]:
    return frozenset(word.strip("` ") for word in cell.split(",") if word.strip("` -"))


def test_the_lease_outlives_the_worker() -> None:
    for stack in SERVICES:
        timeout_ms = function(stack, "worker").timeout_s * 1000
        assert MIN_TIME_TO_SEND_MS < timeout_ms < LEASE_MS - MIN_TIME_TO_SEND_MS + 1


def test_no_call_of_aws_outlives_its_function() -> None:
    """All tries of one call without an answer leave the function a moment to say so."""
    for found in functions("Prod-Service"):
        wired = getattr(import_module(found.handler), "wiring", None)
        made_by = getattr(getattr(wired, "_make", None), "__self__", None)
        if not isinstance(made_by, type) or not issubclass(made_by, Wiring):
            assert found.name == "RoutingValidator", f"{found.name}: which limits does it have?"
            continue
        assert made_by.call_limits.longest_seconds < found.timeout_s, found.name


def test_the_lock_has_hashes_for_everything() -> None:
    lines = REQUIREMENTS.read_text().splitlines()
    pinned = [line for line in lines if "==" in line]
    assert pinned
    for line in pinned:
        assert line.endswith("\\")
        assert "--hash=sha256:" in lines[lines.index(line) + 1]


def test_each_compares_its_libraries_with_the_lock() -> None:
    """Those of the layer: the runtime has libraries of the same names, which change under a running function."""
    pins = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", REQUIREMENTS.read_text(), re.MULTILINE))
    wanted = {f"{name}={pins[name]}" for name in ("botocore", "urllib3")}
    for stack in SERVICES:
        for found in functions(stack):
            assert set(found.environment["LOCKED_VERSIONS"].split(",")) == wanted, found.name
            assert resources(stack, "AWS::Lambda::Function")[found.logical_id]["Layers"], found.name


def test_the_tests_run_with_the_libraries_of_the_layer() -> None:
    ours = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE))
    layers = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", REQUIREMENTS.read_text(), re.MULTILINE))
    assert {name: ours[name] for name in layers} == layers


def test_the_template_is_not_touched_by_bundling() -> None:
    layer = next(iter(resources("Dev-Service", "AWS::Lambda::LayerVersion").values()))
    assert re.fullmatch(r"[0-9a-f]{64}\.zip", layer["Content"]["S3Key"])
    assert "Resources" in template("Dev-Service")


def test_reserved_executions_are_those_that_merchants_wait_for() -> None:
    """Off unless it is set: AWS refuses it in an account with the limit of a new one."""
    assert [f for _, _, f in every("AWS::Lambda::Function") if "ReservedConcurrentExecutions" in f] == []
    settings = replace(next(s for s in ENVIRONMENTS if s.name == "staging"), reserved_concurrency=100)
    stage = PayFlowXStage(App(context={"aws:cdk:bundling-stacks": []}), "Staging", settings=settings)
    found = Template.from_stack(stage.service).find_resources("AWS::Lambda::Function")
    reserved = {
        re.sub(r"Function[0-9A-F]{8}$", "", name): resource["Properties"]["ReservedConcurrentExecutions"]
        for name, resource in found.items()
        if "ReservedConcurrentExecutions" in resource["Properties"]
    }
    assert reserved == {"Api": 100, "Authorizer": 100}
