"""What the settings offer beside the three environments: a branch's own stacks, a domain, fixed addresses, limits."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from math import gcd
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from infra.settings import ENVIRONMENTS, ROOT, EnvironmentSettings, FirewallMode, chosen, of_branch
from infra.stage import PayFlowXStage
from infra.usage_plans import MerchantPlan, Throttle, UsagePlanSettings, usage_identifier
from payflowx.application.recovery.sweep import _FIRST_SHARD_STEP
from payflowx.domain.shared.limits import MAX_DUE_SHARDS, MAX_LIST_PARTITIONS
from tests.infra.conftest import STACKS, template

CERTIFICATE = "arn:aws:acm:ap-south-1:111122223333:certificate/0a1b2c3d-example"
DEV, STAGING, PROD = ENVIRONMENTS
CALLERS = {"Deliverer", "Operations", "Reconciler", "Worker"}
"""Functions that send requests to providers, or to merchants' servers."""


@cache
def stage(settings: EnvironmentSettings) -> PayFlowXStage:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(context={**context, "aws:cdk:bundling-stacks": []})
    return PayFlowXStage(app, settings.stage_id, settings=settings)


def service(settings: EnvironmentSettings) -> dict[str, Any]:
    return template_of(stage(settings).service)


@cache
def template_of(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = Template.from_stack(stack).to_json()
    return found


def of_type(found: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in found["Resources"].values() if resource["Type"] == kind]


class TestABranch:
    def test_has_stacks_of_its_own_that_go_with_all_their_data(self) -> None:
        (settings,) = chosen({"branch": "feature/PAY-12 refunds"}.get)
        assert settings.disposable
        assert not settings.protected
        assert settings.stage_id not in {environment.stage_id for environment in ENVIRONMENTS}
        policies = {
            (resource["Type"], resource.get("DeletionPolicy")) for resource in service(settings)["Resources"].values()
        }
        kept = {kind for kind, policy in policies if policy in {"Retain", "RetainExceptOnCreate"}}
        assert kept == {"AWS::Lambda::Version", "AWS::ApiGateway::Account", "AWS::IAM::Role", "AWS::IAM::Policy"}

    def test_of_another_name_has_others(self) -> None:
        names = {of_branch(branch).name for branch in ("fix-1", "fix/1", "Fix-1", "fix1", "日本", "")}
        assert len(names) == 6

    @pytest.mark.parametrize("branch", ["x", "feature/a-very-long-name-of-a-branch-indeed", "9-lives", "日本", "a b'c"])
    def test_has_a_name_that_every_service_takes(self, branch: str) -> None:
        """`payflowx --env` takes 20 letters and digits, an X-Ray rule 32, a tag a few signs only."""
        settings = of_branch(branch)
        assert 2 <= len(settings.name) <= 20
        assert settings.name.isascii()
        assert settings.name.isalnum()
        assert settings.name[0] == "b"
        assert set(settings.owner) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-日本")

    def test_never_is_production(self) -> None:
        assert not of_branch("prod").production
        assert of_branch("prod").name != "prod"


class TestADomain:
    SETTINGS = replace(
        STAGING, region="ap-south-1", domain="pay.example.com", certificate=CERTIFICATE, hosted_zone="Z0123456789ABC"
    )

    def test_has_the_api_under_the_same_paths_and_no_old_tls(self) -> None:
        found = service(self.SETTINGS)
        (domain,) = of_type(found, "AWS::ApiGateway::DomainName")
        assert domain["SecurityPolicy"] == "TLS_1_2"
        assert domain["RegionalCertificateArn"] == CERTIFICATE
        mappings = of_type(found, "AWS::ApiGateway::BasePathMapping")
        assert {m["BasePath"]: m["RestApiId"]["Ref"].startswith("CheckoutApi") for m in mappings} == {
            "v1": False,
            "pay": True,
        }
        assert found["Outputs"]["DomainUrl"]["Value"] == "https://pay.example.com/v1/"

    def test_is_in_the_addresses_that_payers_get(self) -> None:
        found = service(self.SETTINGS)
        (api,) = (
            variables
            for function in of_type(found, "AWS::Lambda::Function")
            if "CHECKOUT_PAGES_URL" in (variables := function.get("Environment", {}).get("Variables", {}))
        )
        assert api["CHECKOUT_PAGES_URL"] == "https://pay.example.com/pay/checkout"

    def test_gets_its_record_only_in_a_zone_that_is_ours(self) -> None:
        (record,) = of_type(service(self.SETTINGS), "AWS::Route53::RecordSet")
        assert record["Name"] == "pay.example.com."
        assert of_type(service(replace(self.SETTINGS, hosted_zone=None)), "AWS::Route53::RecordSet") == []

    @pytest.mark.parametrize(
        "wrong",
        [
            {"domain": "pay.example.com"},
            {"certificate": CERTIFICATE},
            {"domain": "https://pay.example.com", "certificate": CERTIFICATE},
            {"domain": "PAY.example.com", "certificate": CERTIFICATE},
            {"domain": "pay.example.com", "certificate": "arn:aws:iam::1:x"},
            {"hosted_zone": "example.com"},
        ],
    )
    def test_that_is_half_set_or_misspelt_is_refused(self, wrong: dict[str, str]) -> None:
        with pytest.raises(ValueError, match="staging: "):
            replace(STAGING, **wrong)  # type: ignore[arg-type]


class TestFixedEgress:
    SETTINGS = replace(STAGING, region="ap-south-1", fixed_egress=True)

    def test_puts_those_who_call_out_behind_two_addresses_and_nobody_else(self) -> None:
        found = service(self.SETTINGS)
        inside = {
            name.removesuffix("Function")
            for logical_id, resource in found["Resources"].items()
            if resource["Type"] == "AWS::Lambda::Function" and "VpcConfig" in resource["Properties"]
            for name in [logical_id[:-8]]
        }
        assert inside == CALLERS
        assert len(of_type(found, "AWS::EC2::NatGateway")) == len(of_type(found, "AWS::EC2::EIP")) == 2
        assert {output for output in found["Outputs"] if output.startswith("EgressAddress")} == {
            "EgressAddress1",
            "EgressAddress2",
        }

    def test_has_its_way_out_in_each_zone_and_nothing_open(self) -> None:
        found = service(self.SETTINGS)
        zones = {subnet["AvailabilityZone"] for subnet in of_type(found, "AWS::EC2::Subnet")}
        assert zones == {"ap-south-1a", "ap-south-1b"}
        assert all(not subnet["MapPublicIpOnLaunch"] for subnet in of_type(found, "AWS::EC2::Subnet"))
        (group,) = of_type(found, "AWS::EC2::SecurityGroup")
        assert "SecurityGroupIngress" not in group
        assert {endpoint["VpcEndpointType"] for endpoint in of_type(found, "AWS::EC2::VPCEndpoint")} == {"Gateway"}

    def test_gives_the_roles_of_those_functions_what_lambda_asks_for(self) -> None:
        for name in CALLERS:
            (policy,) = (
                resource["Properties"]
                for logical_id, resource in service(self.SETTINGS)["Resources"].items()
                if resource["Type"] == "AWS::IAM::Policy" and logical_id.startswith(f"{name}RoleDefaultPolicy")
            )
            assert "ec2:CreateNetworkInterface" in json.dumps(policy)

    def test_is_off_by_default(self) -> None:
        for stack in STACKS:
            assert of_type(template(stack), "AWS::EC2::VPC") == []


class TestLimits:
    def test_of_merchants_and_of_webhooks_are_two(self) -> None:
        for settings in ENVIRONMENTS:
            stages = of_type(template(f"{settings.stage_id}-Service"), "AWS::ApiGateway::Stage")
            (stage,) = (found for found in stages if len(found["MethodSettings"]) > 1)
            limits = {method["ResourcePath"]: method["ThrottlingRateLimit"] for method in stage["MethodSettings"]}
            assert limits == {
                "/*": settings.api_rate_per_second,
                "/~1webhooks~1{provider}~1{accountToken}": settings.webhook_rate_per_second,
            }

    def test_of_a_merchant_are_the_web_acls(self) -> None:
        found = service(replace(STAGING, merchant_rate_per_second=20))
        (acl,) = of_type(found, "AWS::WAFv2::WebACL")
        limits = {
            rule["Name"]: rule["Statement"]["RateBasedStatement"]["Limit"]
            for rule in acl["Rules"]
            if "RateBasedStatement" in rule["Statement"]
        }
        assert limits["rate-of-a-credential"] == 20 * 300
        assert limits["rate-of-an-address"] == 2 * STAGING.api_rate_per_second * 300

    def test_of_a_merchant_need_a_web_acl(self) -> None:
        with pytest.raises(ValueError, match="has none"):
            replace(STAGING, merchant_rate_per_second=20, firewall=FirewallMode.OFF)


class TestPartitions:
    WRITERS = frozenset({"Api", "Checkout", "Deliverer", "Notices", "Operations", "Reconciler", "Sweeper", "Worker"})

    def test_reach_all_functions_that_write_payments_or_list_them(self) -> None:
        found = service(replace(STAGING, list_partitions=4, due_shards=32, write_new_partitions=True))
        given = {
            name.split("Function")[0]: {
                variable: resource["Properties"]["Environment"]["Variables"][variable]
                for variable in ("LIST_PARTITIONS", "DUE_SHARDS", "WRITE_NEW_PARTITIONS")
            }
            for name, resource in found["Resources"].items()
            if resource["Type"] == "AWS::Lambda::Function"
            and "LIST_PARTITIONS" in resource["Properties"].get("Environment", {}).get("Variables", {})
        }
        expected = {"LIST_PARTITIONS": "4", "DUE_SHARDS": "32", "WRITE_NEW_PARTITIONS": "true"}
        assert given == dict.fromkeys(self.WRITERS, expected)

    def test_are_the_first_ones_where_nobody_has_raised_them(self) -> None:
        assert {(e.list_partitions, e.due_shards, e.write_new_partitions) for e in ENVIRONMENTS} == {(1, 16, False)}

    def test_may_be_as_many_as_the_sweeper_and_the_lists_take(self) -> None:
        replace(PROD, list_partitions=MAX_LIST_PARTITIONS, due_shards=MAX_DUE_SHARDS)
        for shards in (16, 32, 64):
            replace(PROD, due_shards=shards)
            assert gcd(_FIRST_SHARD_STEP, shards) == 1

    @pytest.mark.parametrize("lower", [1, 2, 3, 4, 5])
    def test_of_lists_are_lowered_by_no_deployment(self, lower: int) -> None:
        """CloudFormation deletes no export that another stack imports, and updates the data stack first."""
        running, wanted = stage(replace(STAGING, list_partitions=4)), stage(replace(STAGING, list_partitions=lower))
        imported = set(re.findall(r'"Fn::ImportValue": "([^"]+)"', json.dumps(template_of(running.service))))
        exported = {o["Export"]["Name"] for o in template_of(wanted.data)["Outputs"].values() if "Export" in o}
        refused = {f"Staging-Data:ListPartitionsNotBelow{number}" for number in range(lower + 1, 5)}
        assert imported - exported == refused
        assert wanted.data in wanted.service.dependencies

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"list_partitions": 0}, "prod: list_partitions must be 1 to 8"),
            ({"list_partitions": 9}, "prod: list_partitions must be 1 to 8"),
            ({"due_shards": 8}, "prod: due_shards must be one of 16, 32, 64"),
            ({"due_shards": 20}, "prod: due_shards must be one of 16, 32, 64"),
            ({"due_shards": 128}, "prod: due_shards must be one of 16, 32, 64"),
            (
                {"write_new_partitions": True},
                "prod: write_new_partitions changes nothing as long as list_partitions is 1 and due_shards is 16",
            ),
        ],
    )
    def test_are_refused_with_a_sentence(self, changes: dict[str, Any], why: str) -> None:
        with pytest.raises(ValueError, match=f"^{why}$"):
            replace(PROD, **changes)


class TestTicketAlarms:
    def test_are_made_where_the_synthesis_says_so(self) -> None:
        given = DEV.given({"dev.ticket-alarms": "true"}.get)
        assert given.ticket_alarms
        assert DEV.given({"dev.ticket-alarms": True}.get) == given
        assert not given.given({"dev.ticket-alarms": "false"}.get).ticket_alarms
        assert given.given({}.get) == given
        alarms = len(of_type(service(given), "AWS::CloudWatch::Alarm"))
        assert alarms == len(of_type(template("Staging-Service"), "AWS::CloudWatch::Alarm"))
        assert len(of_type(template("Dev-Service"), "AWS::CloudWatch::Alarm")) < alarms / 2

    def test_are_no_other_word(self) -> None:
        with pytest.raises(ValueError, match=r"dev\.ticket-alarms must be true or false, not 'yes'"):
            DEV.given({"dev.ticket-alarms": "yes"}.get)

    @pytest.mark.parametrize("gradual", ["canary", "gradual_routing"])
    def test_are_needed_by_what_goes_back_after_an_alarm(self, gradual: str) -> None:
        with pytest.raises(ValueError, match="need ticket_alarms"):
            replace(DEV, **{gradual: True})  # type: ignore[arg-type]

    def test_are_needed_in_production(self) -> None:
        with pytest.raises(ValueError, match="production needs ticket_alarms"):
            replace(PROD, ticket_alarms=False, canary=False, gradual_routing=False)


PLANS = UsagePlanSettings(
    others=Throttle(rate_per_second=20, burst=40),
    merchants=(
        MerchantPlan(merchant="shop-1", throttle=Throttle(rate_per_second=30, burst=60), assigned=True),
        MerchantPlan(merchant="new", throttle=Throttle(rate_per_second=10, burst=20)),
    ),
    required=True,
)


def throttles(found: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Value of a key to rate and burst of its plan."""
    resources = found["Resources"]
    made = {}
    for link in of_type(found, "AWS::ApiGateway::UsagePlanKey"):
        key, plan = (resources[link[end]["Ref"]]["Properties"] for end in ("KeyId", "UsagePlanId"))
        made[key["Value"]] = (plan["Throttle"]["RateLimit"], plan["Throttle"]["BurstLimit"])
    return made


def identifiers(found: dict[str, Any]) -> dict[str, str]:
    """What the authorizer is given, by merchant."""
    (authorizer,) = (
        f for f in of_type(found, "AWS::Lambda::Function") if f["Handler"].endswith("api.authorizer.handler")
    )
    return dict(pair.split("=") for pair in authorizer["Environment"]["Variables"]["USAGE_IDENTIFIERS"].split(","))


class TestUsagePlans:
    def test_are_in_no_environment_by_default(self) -> None:
        for settings in ENVIRONMENTS:
            found = template(f"{settings.stage_id}-Service")
            assert not [r for r in found["Resources"].values() if r["Type"].startswith("AWS::ApiGateway::UsagePlan")]
            assert "USAGE_IDENTIFIERS" not in json.dumps(found)

    def test_throttle_each_listed_merchant_and_all_others_by_what_the_authorizer_names(self) -> None:
        found = service(replace(STAGING, usage_plans=PLANS))
        made, named = throttles(found), identifiers(found)
        assert len(made) == 3
        assert {merchant: made[identifier] for merchant, identifier in named.items()} == {
            "*": (20, 40),
            "shop-1": (30, 60),
        }
        assert all(20 <= len(value) <= 128 and value.isalnum() for value in made)
        (api,) = (api for api in of_type(found, "AWS::ApiGateway::RestApi") if api["Name"] == "payflowx-staging")
        assert api["ApiKeySourceType"] == "AUTHORIZER"

    def test_are_of_the_merchants_stage(self) -> None:
        found = service(replace(STAGING, usage_plans=PLANS))
        stages = {json.dumps(plan["ApiStages"]) for plan in of_type(found, "AWS::ApiGateway::UsagePlan")}
        (stage,) = map(json.loads, stages)
        resources = found["Resources"]
        assert resources[stage[0]["ApiId"]["Ref"]]["Properties"]["Name"] == "payflowx-staging"
        assert resources[stage[0]["Stage"]["Ref"]]["Type"] == "AWS::ApiGateway::Stage"

    def test_ask_a_key_of_routes_with_the_authorizer_and_of_no_other(self) -> None:
        methods = of_type(service(replace(STAGING, usage_plans=PLANS)), "AWS::ApiGateway::Method")
        asked = {(method["AuthorizationType"], method.get("ApiKeyRequired", False)) for method in methods}
        assert asked == {("CUSTOM", True), ("NONE", False)}

    def test_refuse_nobody_before_the_authorizer_names_them(self) -> None:
        """A request without an identifier is answered 403, so the authorizer names one a deployment earlier."""
        found = service(replace(STAGING, usage_plans=replace(PLANS, required=False)))
        assert not [m for m in of_type(found, "AWS::ApiGateway::Method") if m.get("ApiKeyRequired")]
        assert len(throttles(found)) == 3
        assert set(identifiers(found)) == {"*", "shop-1"}

    def test_of_two_environments_have_keys_of_their_own(self) -> None:
        """A key's value is unique in an account and region."""
        values = {usage_identifier(env, name) for env in ("dev", "staging") for name in ("*", "shop-1")}
        assert len(values) == 4

    @pytest.mark.parametrize(
        ("make", "why"),
        [
            (lambda: Throttle(rate_per_second=0, burst=1), "rate_per_second must be 1 to 10000, not 0"),
            (lambda: Throttle(rate_per_second=1, burst=5001), "burst must be 1 to 5000, not 5001"),
            (lambda: MerchantPlan(merchant="a,b=c", throttle=PLANS.others), "'a,b=c' is no merchant's id"),
            (lambda: replace(PLANS, merchants=2 * PLANS.merchants), "two usage plans: new, shop-1"),
            (
                lambda: replace(
                    PLANS, merchants=tuple(MerchantPlan(merchant=f"m{n}", throttle=PLANS.others) for n in range(21))
                ),
                "21 merchants have a usage plan, and 20 can",
            ),
            (
                lambda: replace(STAGING, usage_plans=replace(PLANS, others=Throttle(rate_per_second=51, burst=1))),
                r"staging: the usage plan of '\*' allows more than the API takes from all",
            ),
        ],
    )
    def test_that_make_no_sense_are_refused(self, make: Callable[[], object], why: str) -> None:
        with pytest.raises(ValueError, match=why):
            make()

    def test_fit_into_the_authorizers_variables(self) -> None:
        """Four KB are for all of a function's variables; most take less than one."""
        merchants = tuple(MerchantPlan(merchant=f"{n:040}", throttle=PLANS.others, assigned=True) for n in range(20))
        assert len(replace(PLANS, merchants=merchants).variable("staging")) < 2048


class TestEverywhere:
    def test_no_address_takes_old_tls(self) -> None:
        for stack in STACKS:
            for api in of_type(template(stack), "AWS::ApiGateway::RestApi"):
                assert api["SecurityPolicy"].startswith("SecurityPolicy_TLS13_1_2")

    def test_every_resource_says_whose_it_is_and_what_its_data_are(self) -> None:
        for stack in STACKS:
            for resource in template(stack)["Resources"].values():
                tags = resource.get("Properties", {}).get("Tags")
                if not isinstance(tags, list):
                    continue
                found = {tag["Key"]: tag["Value"] for tag in tags}
                assert found["owner"]
                assert found["data-class"] == ("payments" if stack.startswith("Prod") else "test")
