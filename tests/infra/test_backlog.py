"""A million due payments are woken in under an hour at the deployed size."""

from bench.backlog import ItemCalls, counted, drained
from bench.ceilings import CONSUMER_MB
from infra.settings import ENVIRONMENTS
from tests.infra.conftest import resources

(PROD,) = (settings for settings in ENVIRONMENTS if settings.name == "prod")
HOUR_MINUTES = 60
SLOW_CALL_CPU_MS = 2.0
"""Above what `python -m bench.backlog` measures on two shared cores."""


def test_an_item_takes_one_update_and_a_tenth_of_a_send() -> None:
    calls = counted(100)
    assert (calls.updates, calls.reads) == (1, 0)
    assert 0.1 <= calls.sends <= 0.26  # pages of sixteen shards end before ten are full


def test_a_million_are_drained_in_under_an_hour() -> None:
    found = drained(
        1_000_000, counted(500), call_cpu_ms=SLOW_CALL_CPU_MS, slots=PROD.worker_concurrency, provider_ms=300
    )
    assert found.minutes < HOUR_MINUTES


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
