"""Payers' pages: their address bears a token, and no log, trace or sample may hold it."""

import json
import re
from typing import Any

import pytest

from infra.constructs.api.checkout_api import ROUTES as DEPLOYED_ROUTES
from infra.settings import ENVIRONMENTS, EnvironmentSettings
from payflowx.entrypoints.checkout.routes import ROUTES
from tests.infra.conftest import STAGES, resources
from tests.infra.deployed import function

SERVICES = tuple(f"{stage}-Service" for stage in STAGES)
RECORDS_NO_ADDRESS = {
    *("$context.requestId", "$context.requestTime", "$context.httpMethod", "$context.resourcePath"),
    *("$context.status", "$context.responseLength", "$context.responseLatency", "$context.integrationLatency"),
    *("$context.identity.sourceIp", "$context.error.responseType"),
}
"""Variables of API Gateway's access log that hold no part of a request's address; `resourcePath` is the route."""


def of_the_pages(stack: str, kind: str) -> dict[str, dict[str, Any]]:
    return {name: found for name, found in resources(stack, kind).items() if name.startswith("CheckoutApi")}


def stage(stack: str) -> dict[str, Any]:
    (found,) = of_the_pages(stack, "AWS::ApiGateway::Stage").values()
    return found


@pytest.mark.parametrize("stack", SERVICES)
class TestNoTokenIsRecorded:
    def test_by_the_access_log(self, stack: str) -> None:
        fields = json.loads(stage(stack)["AccessLogSetting"]["Format"])
        assert set(fields.values()) <= RECORDS_NO_ADDRESS

    def test_by_the_execution_log(self, stack: str) -> None:
        (setting,) = stage(stack)["MethodSettings"]
        assert (setting["LoggingLevel"], setting["DataTraceEnabled"]) == ("OFF", False)

    def test_by_a_trace(self, stack: str) -> None:
        """API Gateway's segment holds the address; the function's own does not."""
        assert stage(stack).get("TracingEnabled", False) is False

    def test_by_the_function(self, stack: str) -> None:
        """Powertools would log whole events if it were told to."""
        variables = function(stack, "checkout.handler").environment
        assert not {name for name in variables if "LOG_EVENT" in name or name == "POWERTOOLS_DEV"}
        assert variables["POWERTOOLS_LOG_LEVEL"] == "INFO"

    def test_by_the_firewall(self, stack: str) -> None:
        for acl in resources(stack, "AWS::WAFv2::WebACL").values():
            configurations = [acl["VisibilityConfig"], *(rule["VisibilityConfig"] for rule in acl["Rules"])]
            assert {each["SampledRequestsEnabled"] for each in configurations} == {False}
        for logging in resources(stack, "AWS::WAFv2::LoggingConfiguration").values():
            assert {"UriPath": {}} in logging["RedactedFields"]
            assert {"QueryString": {}} in logging["RedactedFields"]


@pytest.mark.parametrize("stack", SERVICES)
def test_the_routes_are_the_handlers_own_and_reach_it_with_every_method(stack: str) -> None:
    methods = of_the_pages(stack, "AWS::ApiGateway::Method")
    assert len(methods) == len(ROUTES)
    assert set(DEPLOYED_ROUTES) == set(ROUTES)
    for method in methods.values():
        assert (method["HttpMethod"], method["AuthorizationType"]) == ("ANY", "NONE")
        assert '"CheckoutLive' in json.dumps(method["Integration"]["Uri"])


@pytest.mark.parametrize("stack", SERVICES)
def test_it_has_a_throttle_of_its_own(stack: str) -> None:
    (setting,) = stage(stack)["MethodSettings"]
    assert 0 < setting["ThrottlingRateLimit"] <= setting["ThrottlingBurstLimit"]


@pytest.mark.parametrize("stack", SERVICES)
def test_the_function_reads_no_credentials_and_calls_no_provider(stack: str) -> None:
    rights = function(stack, "checkout.handler").rights
    assert sorted({right.action for right in rights if right.action.startswith(("dynamodb:", "sqs:", "secrets"))}) == [
        *("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"),
        *("secretsmanager:GetSecretValue", "sqs:SendMessage"),
    ]
    (secret,) = {right.resource for right in rights if right.action == "secretsmanager:GetSecretValue"}
    assert "CheckoutSecret" in secret
    written = {right.resource for right in rights if right.action in {"dynamodb:PutItem", "dynamodb:UpdateItem"}}
    assert len(written) == 1
    assert "Transactions" in next(iter(written))


@pytest.mark.parametrize("stack", SERVICES)
def test_the_api_and_the_pages_sign_with_one_secret_and_the_api_knows_where_the_pages_lie(stack: str) -> None:
    api, pages = function(stack, "api.handler"), function(stack, "checkout.handler")
    secrets = {json.dumps(f.environment["CHECKOUT_TOKEN_SECRET_ARN"]) for f in (api, pages)}
    assert len(secrets) == 1
    address = json.dumps(api.environment["CHECKOUT_PAGES_URL"])
    assert re.search(r'"Ref": "CheckoutApi\w+"', address)
    assert address.endswith('/v1/checkout"]]}')


@pytest.mark.parametrize("stack", SERVICES)
def test_what_api_gateway_answers_itself_is_a_page(stack: str) -> None:
    answers = of_the_pages(stack, "AWS::ApiGateway::GatewayResponse").values()
    assert {answer["ResponseType"] for answer in answers} >= {
        *("DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED", "MISSING_AUTHENTICATION_TOKEN", "REQUEST_TOO_LARGE"),
        *("INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT"),
    }
    for answer in answers:
        markup = answer["ResponseTemplates"]["application/json"]
        headers = answer["ResponseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'text/html; charset=utf-8'"
        assert headers["gatewayresponse.header.Cache-Control"] == "'no-store'"
        assert all(re.fullmatch(r"'([^'\\]|\\')*'", value) for value in headers.values()), headers
        assert '<html lang="en">' in markup
        assert markup.count("<h1>") == 1
        assert not re.search(r"style|script|#set|\$", markup), "API Gateway reads $ and # in a template"


@pytest.mark.parametrize("stack", SERVICES)
def test_the_stage_waits_for_the_account_that_lets_it_log(stack: str) -> None:
    from tests.infra.conftest import template

    (name,) = of_the_pages(stack, "AWS::ApiGateway::Stage")
    depends = template(stack)["Resources"][name]["DependsOn"]
    assert any("Account" in each for each in depends)


def test_new_checkouts_are_off_in_production_until_no_release_that_cannot_read_them_is_left() -> None:
    assert {s: function(s, "api.handler").environment["CHECKOUT_ENABLED"] for s in SERVICES} == {
        "Dev-Service": "true",
        "Staging-Service": "true",
        "Prod-Service": "false",
    }


@pytest.mark.parametrize("seconds", [-1, 5])
def test_a_choice_waits_for_four_seconds_at_most(seconds: int) -> None:
    dev = ENVIRONMENTS[0]
    with pytest.raises(ValueError, match="checkout_wait_seconds must be 0 to 4"):
        EnvironmentSettings(
            name="dev",
            region=dev.region,
            providers=dev.providers,
            routing_document=dev.routing_document,
            checkout_wait_seconds=seconds,
        )
