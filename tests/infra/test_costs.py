"""The bill's page is what templates, counts and price list say, and each price says where it was read."""

import json
import re
from datetime import date
from pathlib import Path

import pytest

from bench.__main__ import JSON
from bench.__main__ import PAGE as PERFORMANCE
from bench.costs.__main__ import PAGE, idle_month, price_of_a_million, written
from bench.costs.bill import bill
from bench.costs.prices import COMPLETE, REGIONS, price_list
from bench.costs.quantities import RUNS, free_dashboards, idle, own_metrics, traced_share
from bench.log_bytes import FULL_BATCH
from bench.payment_counts import WEBHOOK, WITH_ENDPOINT, payment_counts
from infra.settings import ENVIRONMENTS
from payflowx.application.operators.payment_cost import Usage
from tests.infra.conftest import STAGES, resources, template

PRICES = price_list()


def stacks(stage: str) -> dict[str, dict[str, object]]:
    return {name: template(f"{stage}-{name}") for name in ("Data", "Service")}


def test_the_page_is_written_from_these_templates_counts_and_prices() -> None:
    assert PAGE.read_text() == written(), "run `make costs`"


def test_the_pages_of_costs_and_of_performance_have_the_same_sums() -> None:
    """Of a million payments, alone and in full batches, and of an idle month."""
    costs, performance = PAGE.read_text(), PERFORMANCE.read_text()
    (alone, batched) = re.findall(
        r"^\| \*\*all of the table above\*\* \| \*\*(.+)\*\* \| \*\*(.+)\*\* \|", costs, re.MULTILINE
    )[0]
    assert f"| **all** | **{alone}** | **{batched}** |" in performance
    assert f"| list price of a million, dollars | {alone}, in full batches {batched} |" in performance
    idle = [re.findall(rf"^\| {stage} \| [0-9.]+, ([0-9.]+) \|", costs, re.MULTILINE)[0] for stage in ("Dev", "Prod")]
    assert (
        f"| an idle month in {COMPLETE} after the free tiers, dollars | {idle[0]} in Dev, {idle[1]} in Prod |"
        in performance
    )


def test_the_dollars_of_the_page_of_performance_are_todays() -> None:
    counted = json.loads(JSON.read_text())["counted"]
    now = (price_of_a_million(), price_of_a_million(batch=FULL_BATCH), idle_month())
    assert (counted["dollarsAMillion"], counted["dollarsInFullBatches"], counted["idleMonth"]) == now, (
        "run `make counts`"
    )


def test_the_reads_of_a_payment_are_those_of_its_worker_its_read_and_its_webhook() -> None:
    """Counted here: the worker's and the deliverer's, one for GET, and two that match a webhook to its payment."""
    counts = payment_counts()
    assert counts[WEBHOOK]["readUnits"] == 2
    reads = counts[WITH_ENDPOINT]["readUnits"] + 1 + 2
    dollars = PRICES.price("read_units", COMPLETE).of(reads * 1_000_000)
    assert price_of_a_million()["read_units"] == pytest.approx(dollars)


def test_the_readme_names_the_sums_of_the_page() -> None:
    page = PAGE.read_text()
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    (listed, after_free) = re.findall(r"^\| Dev \| ([0-9.]+), ([0-9.]+) \|", page, re.MULTILINE)[0]
    (a_million,) = re.findall(
        r"^\| \*\*all\*\* \| \| \*\*([0-9.]+)\*\* \|", page.split("## A million payments")[1], re.MULTILINE
    )
    assert f"about {float(listed):.0f} dollars a month at list prices, about {float(after_free):.0f} after" in readme
    assert f"a thousand payments cost about {float(a_million) / 10:.0f} cents" in readme


@pytest.mark.parametrize("region", REGIONS)
def test_every_price_has_a_source_with_a_date(region: str) -> None:
    for name, entry in PRICES.prices.items():
        found = entry[region]
        if found is None:
            assert region != COMPLETE, name
            continue
        assert found["usd"] > 0, name
        assert date.fromisoformat(PRICES.sources[found["source"]]["date"]) <= date.fromisoformat(PRICES.read_on)


def test_every_source_is_used() -> None:
    used = {entry[region]["source"] for entry in PRICES.prices.values() for region in REGIONS if entry[region]}
    assert used | {"s3", "budgets"} >= set(PRICES.sources)


@pytest.mark.parametrize("stage", STAGES)
def test_what_stands_in_the_templates_is_counted(stage: str) -> None:
    """Each kind that AWS bills while nothing happens, counted here without the module."""
    found = idle(stacks(stage))
    service = f"{stage}-Service"
    alarms = resources(service, "AWS::CloudWatch::Alarm").values()
    assert found["alarm_metric"] == sum(
        len([q for q in a.get("Metrics", [0]) if q == 0 or "MetricStat" in q]) for a in alarms
    )
    assert found["composite_alarm"] == len(resources(service, "AWS::CloudWatch::CompositeAlarm"))
    assert found["key"] == 1
    assert found["web_acl_rule"] == 3 if stage != "Dev" else "web_acl_rule" not in found
    assert found["queue_requests"] == len(resources(service, "AWS::Lambda::EventSourceMapping")) * 657_000
    assert found["scheduled_runs"] == 730 * 61


@pytest.mark.parametrize("stage", STAGES)
def test_the_dashboards_stay_in_the_free_tier(stage: str) -> None:
    """Of one environment in an account: AWS gives three, of fifty metrics each."""
    assert free_dashboards(stacks(stage)) == len(resources(f"{stage}-Service", "AWS::CloudWatch::Dashboard"))


def test_a_schedule_or_a_map_of_prices_that_nobody_counted_is_an_error() -> None:
    with pytest.raises(ValueError, match="nobody has counted"):
        idle(
            {
                "x": {
                    "Resources": {
                        "A": {
                            "Type": "AWS::Scheduler::Schedule",
                            "Properties": {"ScheduleExpression": "cron(0 1 * * ? *)"},
                        }
                    }
                }
            }
        )
    with pytest.raises(KeyError):
        bill({"gold": 1}, PRICES, region=COMPLETE, free_dashboards=0)


def test_free_tiers_cover_counts_and_never_more() -> None:
    small, large = (
        bill({"invocations": count}, PRICES, region=COMPLETE, free_dashboards=0) for count in (10, 3_000_000)
    )
    assert small.dollars > 0
    assert small.dollars_after_free == 0
    assert large.dollars_after_free == pytest.approx(0.40)


def test_a_price_that_was_not_read_is_the_complete_lists_and_says_so() -> None:
    found = bill({"web_acl": 1, "write_units": 1_000_000}, PRICES, region="ap-south-1", free_dashboards=0)
    assert found.guessed == PRICES.price("web_acl", COMPLETE).usd
    assert found.dollars == pytest.approx(5.71)


def test_the_share_of_traces_is_the_setting() -> None:
    for settings, stage in zip(ENVIRONMENTS, STAGES, strict=True):
        assert traced_share(stacks(stage)) == settings.traced_share


def test_the_prices_of_a_payments_cost_are_those_of_the_list() -> None:
    pieces = {
        Usage(write_units=1_000_000): PRICES.price("write_units", COMPLETE).of(1_000_000),
        Usage(half_read_units=2_000_000): PRICES.price("read_units", COMPLETE).of(1_000_000),
        Usage(messages=1_000_000): PRICES.price("queue_requests", COMPLETE).of(3_000_000),
        Usage(api_requests=1_000_000): PRICES.price("api_requests", COMPLETE).of(1_000_000),
    }
    for usage, dollars in pieces.items():
        assert usage.micro_dollars / 1e6 == pytest.approx(dollars), usage


def test_messages_of_one_event_share_its_invocation_and_its_waiting() -> None:
    """Counted here for each queue: ten sends, one receipt and one deletion, instead of ten each."""
    alone, together = (price_of_a_million(batch=batch) for batch in (1, 10))
    million = {"queue_requests": 3.6e6, "invocations": 4.3e6}
    for name, count in million.items():
        assert together[name] == pytest.approx(PRICES.price(name, COMPLETE).of(count), abs=0.01)
    worker = [run for run in RUNS if run.function == "Worker"]
    assert [run.billed_seconds(10) for run in worker] == pytest.approx([(0.95 + 9 * 0.06) / 10])
    assert {name for name in alone if together[name] != alone[name]} == {*million, "gb_seconds", "log_gb"}
    assert all(together[name] <= alone[name] for name in alone)


def test_own_metrics_are_few() -> None:
    """Each combination costs thirty cents a month."""
    assert own_metrics() < 120
