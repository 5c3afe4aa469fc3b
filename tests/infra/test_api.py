"""The REST API at its edge."""

import json

import pytest

from payflowx.entrypoints.api import problems
from payflowx.entrypoints.api.openapi import document
from tests.infra.conftest import resources

SERVICES = ("Dev-Service", "Staging-Service", "Prod-Service")
PUBLIC = {"/health", "/openapi.json", "/webhooks/{provider}/{accountToken}"}
"""A provider's webhook bears a signature instead of a key."""


def paths(stack: str) -> dict[str, str]:
    """Logical id of a resource to its path."""
    found = resources(stack, "AWS::ApiGateway::Resource")

    def path(name: str) -> str:
        parent = found[name]["ParentId"]
        above = path(parent["Ref"]) if "Ref" in parent else ""
        return f"{above}/{found[name]['PathPart']}"

    return {name: path(name) for name in found}


def methods(stack: str) -> dict[tuple[str, str], dict[str, object]]:
    where = paths(stack)
    return {
        (where[m["ResourceId"]["Ref"]], m["HttpMethod"]): m
        for m in resources(stack, "AWS::ApiGateway::Method").values()
    }


@pytest.mark.parametrize("stack", SERVICES)
def test_every_method_but_the_public_ones_needs_a_key(stack: str) -> None:
    for (path, _), method in methods(stack).items():
        if path in PUBLIC:
            assert method["AuthorizationType"] == "NONE"
        else:
            assert method["AuthorizationType"] == "CUSTOM"
            assert method["AuthorizerId"]


@pytest.mark.parametrize("stack", SERVICES)
def test_the_authorizer_looks_at_one_header_and_is_cached_for_a_minute(stack: str) -> None:
    (authorizer,) = resources(stack, "AWS::ApiGateway::Authorizer").values()
    assert authorizer["IdentitySource"] == "method.request.header.Authorization"
    assert authorizer["Type"] == "REQUEST"
    assert authorizer["AuthorizerResultTtlInSeconds"] <= 60


def test_the_routes_are_those_of_the_openapi_document() -> None:
    described = {(path, method.upper()) for path, item in document()["paths"].items() for method in item}
    assert set(methods("Prod-Service")) == described


@pytest.mark.parametrize("stack", SERVICES)
def test_limits_logs_and_metrics(stack: str) -> None:
    (stage,) = resources(stack, "AWS::ApiGateway::Stage").values()
    (setting,) = stage["MethodSettings"]
    assert setting["ThrottlingRateLimit"] > 0
    assert setting["ThrottlingBurstLimit"] > 0
    assert (setting["LoggingLevel"], setting["DataTraceEnabled"], setting["MetricsEnabled"]) == ("ERROR", False, True)
    assert stage["TracingEnabled"] is True
    fields = json.loads(stage["AccessLogSetting"]["Format"])
    assert {"requestId", "status", "merchantId"} <= set(fields)
    assert not {"$context.path", "$context.identity.userAgent"} & set(fields.values())
    assert len(resources(stack, "AWS::ApiGateway::Account")) == 1


@pytest.mark.parametrize("stack", SERVICES)
def test_the_gateways_own_answers_are_problem_details_that_the_api_knows(stack: str) -> None:
    answers = resources(stack, "AWS::ApiGateway::GatewayResponse").values()
    assert {a["ResponseType"] for a in answers} >= {
        *("UNAUTHORIZED", "ACCESS_DENIED", "MISSING_AUTHENTICATION_TOKEN", "REQUEST_TOO_LARGE", "THROTTLED"),
        *("AUTHORIZER_FAILURE", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "DEFAULT_4XX", "DEFAULT_5XX"),
    }
    for answer in answers:
        body = json.loads(answer["ResponseTemplates"]["application/json"])
        kind = problems.KINDS[body["code"]]
        assert (str(body["status"]), body["title"]) == (answer["StatusCode"], kind.title)
        assert kind.status == body["status"]
        assert body["type"] == problems.TYPE_PREFIX + body["code"]
        headers = answer["ResponseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        if body["status"] in {429, 503}:
            assert "gatewayresponse.header.Retry-After" in headers


def test_a_firewall_stands_before_every_environment_but_dev() -> None:
    assert [len(resources(s, "AWS::WAFv2::WebACLAssociation")) for s in SERVICES] == [0, 1, 1]
    for stack in SERVICES[1:]:
        assert len(resources(stack, "AWS::WAFv2::LoggingConfiguration")) == 1
