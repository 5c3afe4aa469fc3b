"""The REST API at its edge."""

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from infra.settings import ENVIRONMENTS, FirewallMode
from infra.stage import PayFlowXStage
from payflowx.entrypoints.api import problems
from payflowx.entrypoints.api.openapi import document
from tests.infra import conftest

SERVICES = ("Dev-Service", "Staging-Service", "Prod-Service")
PUBLIC = {"/health", "/openapi.json", "/webhooks/{provider}/{accountToken}"}
"""A provider's webhook bears a signature instead of a key."""


def resources(stack: str, kind: str) -> dict[str, dict[str, Any]]:
    """Those of the merchants' API. The payers' API is tested in test_checkout.py."""
    return {
        name: found for name, found in conftest.resources(stack, kind).items() if not name.startswith("CheckoutApi")
    }


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
    for setting in stage["MethodSettings"]:
        assert setting["ThrottlingRateLimit"] > 0
        assert setting["ThrottlingBurstLimit"] > 0
        logged = (setting["LoggingLevel"], setting["DataTraceEnabled"], setting["MetricsEnabled"])
        assert logged == ("ERROR", False, False)
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
        if body["status"] in {429, 500, 504}:
            assert "gatewayresponse.header.Retry-After" in headers


def test_a_firewall_stands_before_every_environment_but_dev() -> None:
    assert [len(resources(s, "AWS::WAFv2::WebACLAssociation")) for s in SERVICES] == [0, 2, 2]
    for stack in SERVICES[1:]:
        assert len(resources(stack, "AWS::WAFv2::LoggingConfiguration")) == 1


STATUS_OF_AWS = {
    **dict.fromkeys(("AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR", "API_CONFIGURATION_ERROR"), "500"),
    **dict.fromkeys(("INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT"), "504"),
}


@pytest.mark.parametrize("stack", SERVICES)
def test_a_server_error_keeps_the_status_that_api_gateway_counts_as_one(stack: str) -> None:
    answers = resources(stack, "AWS::ApiGateway::GatewayResponse").values()
    given = {answer["ResponseType"]: answer["StatusCode"] for answer in answers}
    assert {kind: given[kind] for kind in STATUS_OF_AWS} == STATUS_OF_AWS
    assert given["DEFAULT_5XX"].startswith("5")


@pytest.mark.parametrize("stack", SERVICES)
def test_metrics_bear_the_environments_name_and_the_stage(stack: str) -> None:
    (api,) = resources(stack, "AWS::ApiGateway::RestApi").values()
    assert api["Name"] == f"payflowx-{stack.partition('-')[0].lower()}"
    (stage,) = resources(stack, "AWS::ApiGateway::Stage").values()
    dimensions = [
        {d["Name"]: d["Value"] for d in alarm["Dimensions"]}
        for alarm in resources(stack, "AWS::CloudWatch::Alarm").values()
        if alarm.get("Namespace") == "AWS/ApiGateway"
    ]
    payers = {"ApiName": api["Name"].replace("payflowx-", "payflowx-checkout-"), "Stage": "v1"}
    merchants = {"ApiName": api["Name"], "Stage": stage["StageName"]}
    latency = [] if stack == "Dev-Service" else [merchants]
    assert sorted(map(str, dimensions)) == sorted(map(str, [payers, merchants, *latency]))


class TestFirewall:
    """It begins by counting, and fits merchants behind one address and providers' webhooks."""

    def rules(self, stack: str) -> dict[str, Any]:
        (acl,) = resources(stack, "AWS::WAFv2::WebACL").values()
        return {rule["Name"]: rule for rule in acl["Rules"]}

    @pytest.mark.parametrize("stack", SERVICES[1:])
    def test_nothing_is_refused_yet(self, stack: str) -> None:
        for name, rule in self.rules(stack).items():
            assert (rule.get("Action") or rule["OverrideAction"]) == {"Count": {}}, name

    @pytest.mark.parametrize("stack", SERVICES[1:])
    def test_one_merchant_may_use_all_that_the_stage_lets_through(self, stack: str) -> None:
        (stage,) = resources(stack, "AWS::ApiGateway::Stage").values()
        through = stage["MethodSettings"][0]["ThrottlingRateLimit"] * 300
        limits = {
            rate["AggregateKeyType"]: rate["Limit"]
            for rule in self.rules(stack).values()
            if (rate := rule["Statement"].get("RateBasedStatement"))
        }
        assert limits["CUSTOM_KEYS"] >= through
        assert limits["IP"] >= limits["CUSTOM_KEYS"]

    @pytest.mark.parametrize("stack", SERVICES[1:])
    def test_managed_rules_leave_webhooks_and_pages_alone_and_bodies_to_the_api(self, stack: str) -> None:
        groups = [
            group
            for rule in self.rules(stack).values()
            if (group := rule["Statement"].get("ManagedRuleGroupStatement"))
        ]
        assert len(groups) == 1
        for group in groups:
            unmanaged = group["ScopeDownStatement"]["NotStatement"]["Statement"]["OrStatement"]["Statements"]
            matches = [statement["ByteMatchStatement"] for statement in unmanaged]
            assert {match["PositionalConstraint"] for match in matches} == {"STARTS_WITH"}
            assert [match["SearchString"] for match in matches] == ["/v1/webhooks/", "/v1/checkout/", "/pay/checkout/"]
        counted = {rule["Name"] for group in groups for rule in group.get("RuleActionOverrides", ())}
        assert {"SizeRestrictions_BODY", "NoUserAgent_HEADER"} <= counted

    @pytest.mark.parametrize("stack", SERVICES[1:])
    def test_its_log_keeps_only_what_a_rule_counted_or_blocked(self, stack: str) -> None:
        (logging,) = resources(stack, "AWS::WAFv2::LoggingConfiguration").values()
        assert logging["LoggingFilter"]["DefaultBehavior"] == "DROP"
        (kept,) = logging["LoggingFilter"]["Filters"]
        actions = {condition["ActionCondition"]["Action"] for condition in kept["Conditions"]}
        assert (kept["Behavior"], actions) == ("KEEP", {"BLOCK", "COUNT", "EXCLUDED_AS_COUNT"})

    def test_a_rate_is_answered_like_the_apis_own_limit_once_it_blocks(self) -> None:
        settings = replace(next(s for s in ENVIRONMENTS if s.production), firewall=FirewallMode.BLOCK)
        stage = PayFlowXStage(App(context={"aws:cdk:bundling-stacks": []}), "Prod", settings=settings)
        found = Template.from_stack(stage.service).find_resources("AWS::WAFv2::WebACL")
        (acl,) = (resource["Properties"] for resource in found.values())
        blocks = [rule["Action"]["Block"] for rule in acl["Rules"] if "Block" in rule.get("Action", {})]
        assert [block["CustomResponse"]["ResponseCode"] for block in blocks] == [429, 429]
        for block in blocks:
            body = json.loads(acl["CustomResponseBodies"][block["CustomResponse"]["CustomResponseBodyKey"]]["Content"])
            assert problems.KINDS[body["code"]] == problems.Kind(body["status"], body["title"])


@pytest.mark.parametrize("stack", SERVICES)
def test_a_share_of_the_requests_is_traced_and_not_the_first_of_each_second(stack: str) -> None:
    (rule,) = (found["SamplingRule"] for found in resources(stack, "AWS::XRay::SamplingRule").values())
    (api,) = resources(stack, "AWS::ApiGateway::RestApi").values()
    (stage,) = resources(stack, "AWS::ApiGateway::Stage").values()
    assert rule["ServiceName"] == f"{api['Name']}/{stage['StageName']}"
    assert rule["ServiceType"] == "AWS::ApiGateway::Stage"
    assert rule["ReservoirSize"] == 0
    assert rule["FixedRate"] == 0.05
