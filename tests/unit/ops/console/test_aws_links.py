"""Addresses in AWS's own console, taken apart as that console does."""

from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from botocore.exceptions import ClientError

from ops.console import aws_links
from ops.target import Target
from tests.support.world import World
from tests.unit.ops.console.conftest import handler_of, succeeded
from tests.unit.ops.console.harness import browser_of, text_of_page
from tests.unit.ops.test_commands import PAYMENT, LocalTarget, local
from tests.unit.ops.test_log_search import Logs

BEGUN = datetime(2026, 11, 28, 10, 0, 30, tzinfo=UTC)
CHANGED = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
GROUPS = ("Dev-Service-ApiLog1-x/y", "Dev-Service-WorkerLog2")


@dataclass(frozen=True, kw_only=True)
class DeployedTarget(LocalTarget):
    """`denied`: the caller may not list the stack's resources."""

    denied: bool = False

    def client(self, service: str) -> Any:
        if service == "lambda":
            return SimpleNamespace(meta=SimpleNamespace(region_name="ap-south-1"))
        assert service == "cloudformation", service
        if self.denied:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListStackResources")
        return Logs()


def deployed(**changes: Any) -> Target:
    return DeployedTarget(
        name="dev", outputs={}, options={}, base_url="https://api.test", stack_prefix="Dev", **changes
    )


def links(groups: tuple[str, ...] = GROUPS) -> tuple[str, str]:
    found = aws_links.of_payment(deployed(), PAYMENT, begun=BEGUN, changed=CHANGED, groups=groups)
    traces, lines = found.values()
    return traces, lines


def query_detail(address: str) -> str:
    """What follows `queryDetail=`: first `$` is a percent sign, and in each text then `*`."""
    return unquote(
        unquote(urlsplit(address).fragment.replace("$", "%")).partition("?queryDetail=")[2].replace("*", "%")
    )


def test_traces_are_filtered_by_the_payment_within_the_six_hours_that_x_ray_searches() -> None:
    address = urlsplit(links()[0])
    assert (address.scheme, address.netloc, address.path) == (
        "https",
        "ap-south-1.console.aws.amazon.com",
        "/xray/home",
    )
    assert parse_qs(address.query) == {"region": ["ap-south-1"]}
    page, _, asked = address.fragment.partition("?")
    assert page == "/traces"
    assert parse_qs(asked, strict_parsing=True) == {
        "timeRange": ["2026-11-28T09:59:30~2026-11-28T15:59:30"],
        "filter": [f'annotation.transactionId = "{PAYMENT}"'],
    }
    assert " " not in links()[0]
    assert '"' not in links()[0]


def test_log_lines_are_asked_of_every_function_from_the_payments_begin_to_a_day_after_its_last_change() -> None:
    address = links()[1]
    assert address.startswith(
        "https://ap-south-1.console.aws.amazon.com/cloudwatch/home?region=ap-south-1#logsV2:logs-insights$3FqueryDetail$3D~("
    )
    assert query_detail(address) == (
        "~(end~'2026-11-30T08:00:00.000Z~start~'2026-11-28T09:59:30.000Z~timeType~'ABSOLUTE~tz~'UTC"
        f"~editorString~'{aws_links.log_query(PAYMENT)}"
        "~source~(~'Dev-Service-ApiLog1-x/y~'Dev-Service-WorkerLog2))"
    )


def test_only_what_separates_is_not_encoded_in_the_query() -> None:
    text = links()[1].partition("editorString~'")[2].partition("~source")[0]
    assert text.startswith("fields*20*40timestamp*2c*20service")
    assert f"transactionId*20*3d*20*27{PAYMENT}*27*20*7c*20sort" in text
    assert set(text) - set("*-_.") <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


def test_without_log_groups_the_query_is_filled_in_all_the_same() -> None:
    detail = query_detail(links(())[1])
    assert detail.endswith(f"~editorString~'{aws_links.log_query(PAYMENT)})")


def test_the_local_environment_has_no_links_and_says_why(world: World) -> None:
    assert aws_links.of_payment(local(), PAYMENT, begun=BEGUN, changed=CHANGED, groups=GROUPS) == {}
    assert aws_links.groups_of(local()) == ()
    text = story_of(world, local())
    assert "X-Ray and Logs Insights exist only on AWS." in text
    assert "fields @timestamp, service, level" in text


@pytest.mark.parametrize("denied", [False, True])
def test_a_deployed_payments_story_has_both_links(world: World, denied: bool) -> None:
    text = story_of(world, deployed(denied=denied))
    assert "Traces in X-Ray" in text
    assert "Log lines in Logs Insights" in text
    assert ("choose the functions' log groups" in text) is denied


def story_of(world: World, target: Target) -> str:
    payment = succeeded(world)
    browser = browser_of(handler_of(world), environment=target.name, target=target).enter()
    return text_of_page(browser.get(f"/payments/{payment.merchant_id}/{payment.transaction_id}"))
