"""The REST API at its edge."""

import json
from typing import Any

import jsonschema
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


def methods(stack: str) -> dict[tuple[str, str], dict[str, Any]]:
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


def test_the_routes_are_those_of_the_handlers_own_document() -> None:
    """The stacks read `docs/openapi.json`; the handler's types are what it was generated from."""
    described = {(path, method.upper()) for path, item in document()["paths"].items() for method in item}
    assert set(methods("Prod-Service")) == described


def test_one_route_is_the_receivers_and_all_others_are_the_apis() -> None:
    served = {route: json.dumps(method["Integration"]["Uri"]) for route, method in methods("Prod-Service").items()}
    receivers = [route for route, uri in served.items() if '"WebhooksLive' in uri]
    assert receivers == [("/webhooks/{provider}/{accountToken}", "POST")]
    assert all('"ApiLive' in uri for route, uri in served.items() if route not in receivers)


def test_models_are_draft_4_and_accept_what_the_document_accepts() -> None:
    models = {model["Name"]: model["Schema"] for model in resources("Prod-Service", "AWS::ApiGateway::Model").values()}
    for name, schema in models.items():
        jsonschema.Draft4Validator.check_schema(schema)
        assert "$ref" not in json.dumps(schema), name
        assert set(schema["properties"]) == set(document()["components"]["schemas"][name]["properties"])
    payment = {"amount": 1999, "currency": "EUR", "paymentMethod": {"type": "card", "token": "tok_1"}}
    validator = jsonschema.Draft4Validator(models[name_of_body("/payments", "post")])
    assert validator.is_valid({**payment, "customer": None, "metadata": {"order": "7"}})
    wrongs: tuple[dict[str, Any], ...] = (
        *({"amount": 0}, {"currency": "eur"}, {"paymentMethod": {}}),
        *({"metadata": {"order": 7}}, {"more": 1}),
    )
    for wrong in wrongs:
        assert not validator.is_valid({**payment, **wrong}), wrong


def test_every_operation_with_a_body_of_a_named_schema_has_a_model() -> None:
    names = {model: found["Name"] for model, found in resources("Prod-Service", "AWS::ApiGateway::Model").items()}
    found = {
        route: names[method["RequestModels"]["application/json"]["Ref"]]
        for route, method in methods("Prod-Service").items()
        if "RequestModels" in method
    }
    wanted = {
        (path, method.upper()): name
        for path, item in document()["paths"].items()
        for method in item
        if (name := name_of_body(path, method)) is not None
    }
    assert found == wanted


def name_of_body(path: str, method: str) -> str | None:
    content = document()["paths"][path][method].get("requestBody", {}).get("content", {})
    reference = content.get("application/json", {}).get("schema", {}).get("$ref")
    return reference and reference.rsplit("/", 1)[1]


@pytest.mark.parametrize("stack", SERVICES)
def test_limits_logs_and_metrics(stack: str) -> None:
    (stage,) = resources(stack, "AWS::ApiGateway::Stage").values()
    (setting,) = stage["MethodSettings"]
    assert setting["ThrottlingRateLimit"] > 0
    assert setting["ThrottlingBurstLimit"] > 0
    assert (setting["LoggingLevel"], setting["DataTraceEnabled"], setting["MetricsEnabled"]) == ("ERROR", False, False)
    assert stage["TracingEnabled"] is True
    fields = json.loads(stage["AccessLogSetting"]["Format"])
    assert {"requestId", "status", "merchantId"} <= set(fields)
    assert not {"$context.path", "$context.identity.userAgent"} & set(fields.values())
    assert len(resources(stack, "AWS::ApiGateway::Account")) == 1


@pytest.mark.parametrize("stack", SERVICES)
def test_the_answers_of_api_gateway_itself_are_problem_details_that_the_api_knows(stack: str) -> None:
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
