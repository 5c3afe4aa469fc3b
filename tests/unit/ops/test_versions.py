"""`payflowx versions` against Lambda and CloudFormation as they answer."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from ops.errors import Exit
from ops.target import Target
from tests.unit.ops.test_commands import FakeFunction, Run, runner_of

NOW = datetime.now(UTC)
DEPLOYED, BEFORE, LONG_AGO = (NOW - timedelta(hours=h) for h in (0.25, 30, 90))


class Pages:
    def __init__(self, *pages: dict[str, Any]) -> None:
        self.pages = pages

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield from self.pages


class FakeAws:
    """Two functions with versions, one without the alias; keeps what is changed."""

    def __init__(self) -> None:
        self.published = {"Api": {1: LONG_AGO, 2: BEFORE, 4: DEPLOYED}, "Sweeper": {1: LONG_AGO, 3: BEFORE}}
        self.live = {"Api": "4", "Sweeper": "3"}
        self.weights: dict[str, float] = {}
        self.updated: list[dict[str, Any]] = []
        self.deleted: list[tuple[str, str]] = []

    def get_paginator(self, operation: str) -> Any:
        if operation == "list_stack_resources":
            kinds = [("AWS::Lambda::Function", name) for name in ("Sweeper", "Api", "Custom")]
            rows = [{"ResourceType": k, "PhysicalResourceId": n} for k, n in (*kinds, ("AWS::SQS::Queue", "Jobs"))]
            return Pages({"StackResourceSummaries": rows[:2]}, {"StackResourceSummaries": rows[2:]})
        return self

    def paginate(self, *, FunctionName: str) -> Iterator[dict[str, Any]]:  # noqa: N803 - AWS's name
        yield {"Versions": [{"Version": "$LATEST", "LastModified": iso(NOW)}]}
        yield {
            "Versions": [{"Version": str(n), "LastModified": iso(at)} for n, at in self.published[FunctionName].items()]
        }

    def list_aliases(self, *, FunctionName: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - as above
        if FunctionName not in self.live:
            return {"Aliases": []}
        routing = {"RoutingConfig": {"AdditionalVersionWeights": self.weights}} if self.weights else {}
        return {"Aliases": [{"Name": "live", "FunctionVersion": self.live[FunctionName], **routing}]}

    def update_alias(self, **given: Any) -> None:
        self.updated.append(given)

    def delete_function(self, *, FunctionName: str, Qualifier: str) -> None:  # noqa: N803 - as above
        self.deleted.append((FunctionName, Qualifier))


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def runner(aws: FakeAws) -> Run:
    class FakeTarget(Target):
        def client(self, service: str) -> Any:
            assert service in {"lambda", "cloudformation"}
            return aws

        def who(self) -> str:
            return "arn:aws:iam::1:user/ada"

    target = FakeTarget(name="prod", outputs={}, options={}, base_url="", stack_prefix="Prod")
    return runner_of(FakeFunction(), target)


def test_list_shows_what_a_rollback_would_take() -> None:
    result = runner(FakeAws())("versions", "list", "--json")
    assert '"function": "Api"' in result.output
    assert '"before": 2' in result.output
    assert "Custom" not in result.output


def test_rollback_takes_back_the_functions_of_the_last_deployment_and_no_others() -> None:
    aws = FakeAws()
    aws.weights = {"5": 0.1}
    result = runner(aws)("versions", "rollback", "--reason", "errors")
    assert result.exit_code == 0, result.output
    (update,) = aws.updated
    assert (update["FunctionName"], update["Name"], update["FunctionVersion"]) == ("Api", "live", "2")
    assert update["RoutingConfig"] == {"AdditionalVersionWeights": {}}, "a canary that runs ends"
    assert update["Description"] == "Rolled back by arn:aws:iam::1:user/ada: errors"


def test_rollback_of_a_longer_time_goes_further_back() -> None:
    aws = FakeAws()
    assert runner(aws)("versions", "rollback", "--hours", "48", "--reason", "errors").exit_code == 0
    assert [(u["FunctionName"], u["FunctionVersion"]) for u in aws.updated] == [("Api", "1"), ("Sweeper", "1")]


def test_rollback_changes_nothing_when_one_function_has_nothing_to_go_back_to() -> None:
    aws = FakeAws()
    del aws.published["Sweeper"][1]
    result = runner(aws)("versions", "rollback", "--hours", "48", "--reason", "errors")
    assert result.exit_code == Exit.REFUSED
    assert aws.updated == []


def test_rollback_without_a_deployment_is_refused() -> None:
    aws = FakeAws()
    aws.live["Api"] = "2"
    assert runner(aws)("versions", "rollback", "--reason", "errors").exit_code == Exit.REFUSED


def test_prune_keeps_the_newest_and_what_the_alias_names() -> None:
    aws = FakeAws()
    aws.live["Api"], aws.weights = "4", {"1": 0.1}
    assert "0 versions" in runner(aws)("versions", "prune", "--keep", "2").output
    aws.weights = {}
    assert "1 versions" in runner(aws)("versions", "prune", "--keep", "2").output
    assert aws.deleted == [("Api", "1")]
