"""What `payflowx doctor` finds in the account."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.commands.account_checks import concurrency, pages_concurrency, subscribers
from ops.target import Target

OUTPUTS = {"AlarmTopicArn": "arn:page", "TicketTopicArn": "arn:ticket"}


class FakeAws:
    def __init__(self, *, limit: int = 1_000, reserved: int | None = None, **confirmed: tuple[int, int]) -> None:
        self.reserved = reserved
        self.limit, self.confirmed = limit, {"page": (1, 0), "ticket": (1, 0)} | confirmed

    def __call__(self, _service: str) -> "FakeAws":
        return self

    def get_topic_attributes(self, *, TopicArn: str) -> Any:  # noqa: N803 - AWS's name
        confirmed, pending = self.confirmed[TopicArn.removeprefix("arn:")]
        return {"Attributes": {"SubscriptionsConfirmed": str(confirmed), "SubscriptionsPending": str(pending)}}

    def get_account_settings(self) -> Any:
        return {"AccountLimit": {"ConcurrentExecutions": 1_000, "UnreservedConcurrentExecutions": self.limit}}

    def get_function_concurrency(self, *, FunctionName: str) -> Any:  # noqa: N803 - AWS's name
        assert FunctionName == "Prod-Checkout"
        return {} if self.reserved is None else {"ReservedConcurrentExecutions": self.reserved}

    def get_paginator(self, _operation: str) -> "FakeAws":
        return self

    def paginate(self) -> Any:
        ours, other = "arn:aws:lambda:eu-west-1:1:function:Prod-Service-Worker:live", "arn:aws:lambda:x:1:function:Y"
        yield {"EventSourceMappings": [{"FunctionArn": ours, "ScalingConfig": {"MaximumConcurrency": 50}}]}
        yield {"EventSourceMappings": [{"FunctionArn": other, "ScalingConfig": {"MaximumConcurrency": 900}}]}


def target(**outputs: str) -> Target:
    return Target(name="prod", outputs=outputs or OUTPUTS, options={}, base_url="", stack_prefix="Prod")


def test_two_topics_with_subscribers_are_good_news() -> None:
    assert [check["health"] for check in subscribers(FakeAws(), target())] == ["ok", "ok"]


@pytest.mark.parametrize(("counts", "advice"), [((0, 0), "page_to"), ((0, 1), "Follow the link")])
def test_a_topic_nobody_has_confirmed_is_an_error(counts: tuple[int, int], advice: str) -> None:
    page, ticket = subscribers(FakeAws(page=counts), target())
    assert (page["health"], ticket["health"]) == ("error", "ok")
    assert advice in page["advice"]


def test_a_stack_of_an_older_release_has_one_topic() -> None:
    _, ticket = subscribers(FakeAws(), target(AlarmTopicArn="arn:page"))
    assert ticket["health"] == "error"


def test_what_may_not_be_read_is_a_warning() -> None:
    def denied(_service: str) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetTopicAttributes")

    assert {check["health"] for check in subscribers(denied, target())} == {"warning"}
    assert concurrency(denied, target())["health"] == "warning"


@pytest.mark.parametrize(("limit", "health"), [(10, "error"), (69, "error"), (70, "ok"), (1_000, "ok")])
def test_the_accounts_limit_leaves_room_for_the_api(limit: int, health: str) -> None:
    assert concurrency(FakeAws(limit=limit), target())["health"] == health


@pytest.mark.parametrize(("reserved", "health"), [(None, "warning"), (0, "ok"), (20, "ok")])
def test_the_pages_should_not_take_all_executions(reserved: int | None, health: str) -> None:
    deployed = target(**OUTPUTS, CheckoutFunctionName="Prod-Checkout")
    (found,) = pages_concurrency(FakeAws(reserved=reserved), deployed)
    assert found["health"] == health
    assert ("checkout_concurrency" in found["advice"]) == (health == "warning")


def test_an_environment_without_pages_gets_no_check_of_them() -> None:
    assert list(pages_concurrency(FakeAws(), target())) == []
