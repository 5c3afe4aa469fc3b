"""A million due payments are woken in under an hour at the deployed size, and again in under two."""

import pytest

from bench.backlog import WAKES, ItemCalls, counted, drained
from bench.ceilings import CONSUMER_MB
from bench.layout import ROOT
from infra.settings import ENVIRONMENTS
from tests.infra.conftest import resources

(PROD,) = (settings for settings in ENVIRONMENTS if settings.name == "prod")
HOUR_MINUTES = 60
CALL_CPU_MS_OF_PAGE = 1.8
SLOW_CALL_CPU_MS = 2.0
"""Above what `python -m bench.backlog` measures on two shared cores."""


@pytest.mark.parametrize("earlier_wakes", [0, 1, 3])
def test_an_item_takes_one_update_at_its_first_wake_up_and_two_at_each_later_one(earlier_wakes: int) -> None:
    """And a tenth of a send each time. A later one is refused once: it assumes that the item was never woken."""
    calls = counted(100, earlier_wakes=earlier_wakes)
    assert (calls.updates, calls.reads) == (1 if earlier_wakes == 0 else 2, 0)
    assert 0.1 <= calls.sends <= 0.26  # pages of sixteen shards end before ten are full


def test_a_million_are_drained_in_under_an_hour() -> None:
    found = drained(
        1_000_000, counted(500), call_cpu_ms=SLOW_CALL_CPU_MS, slots=PROD.worker_concurrency, provider_ms=300
    )
    assert found.minutes < HOUR_MINUTES


def test_a_million_that_were_woken_before_are_woken_in_under_two_hours() -> None:
    first, later = (
        drained(
            1_000_000,
            counted(500, earlier_wakes=earlier_wakes),
            call_cpu_ms=SLOW_CALL_CPU_MS,
            slots=PROD.worker_concurrency,
            provider_ms=300,
        )
        for earlier_wakes in WAKES.values()
    )
    assert 1.8 < later.minutes / first.minutes < 2, "the sweeper is the bound of both"
    assert later.minutes < 2 * HOUR_MINUTES


def test_docs_scale_says_both_for_each_environment() -> None:
    page = (ROOT / "docs" / "scale.md").read_text()
    wakes = [counted(500, earlier_wakes=earlier_wakes) for earlier_wakes in WAKES.values()]
    for settings in ENVIRONMENTS:
        slots = settings.worker_concurrency
        found = [
            drained(1_000_000, calls, call_cpu_ms=CALL_CPU_MS_OF_PAGE, slots=slots, provider_ms=300) for calls in wakes
        ]
        cells = " | ".join(f"{drain.minutes:.0f} min" for drain in found)
        assert f"| {settings.name} | {cells} |" in page, (settings.name, cells)


def test_three_calls_an_item_and_a_third_of_a_processor_would_take_hours() -> None:
    """The design of before, in the same model."""
    before = ItemCalls(updates=1, sends=1, reads=1)
    found = drained(1_000_000, before, call_cpu_ms=1.5 / 0.29, slots=PROD.worker_concurrency, provider_ms=300)
    assert found.minutes > 4 * HOUR_MINUTES


def test_a_slow_provider_is_the_bound_and_not_the_sweeper() -> None:
    found = drained(1_000_000, counted(50), call_cpu_ms=1.5, slots=PROD.worker_concurrency, provider_ms=12_000)
    assert found.working_an_hour < found.waking_an_hour


def test_consumers_have_the_part_of_a_processor_that_the_models_take() -> None:
    found = resources("Prod-Service", "AWS::Lambda::Function").values()
    memory = {function["Handler"].split(".")[2]: function["MemorySize"] for function in found}
    assert {memory[name] for name in ("worker", "deliverer", "provider_events")} == {CONSUMER_MB}
