"""The queue model of a burst, held to a drill of the real functions; and the ceilings that it is fed with."""

from dataclasses import replace
from functools import cache

import pytest

from bench.burst import PROVIDER_MS, WHOLE, Load, Times, modelled, whole
from bench.ceilings import CONSUMER_MB, DELIVERY_CPU_MS, JOB_CPU_MS, a_second, batch_ms, ceilings
from bench.drill import DRILL, drilled, model_of_drill
from bench.last_run import last_run
from bench.layout import ROOT
from infra.settings import ENVIRONMENTS

WITHIN = 0.2
PAGE = (ROOT / "docs" / "scale.md").read_text()


@cache
def ten_minutes(executions: int) -> Times:
    return whole(executions)


class TestTheDrill:
    def test_holds_the_model(self) -> None:
        real, model = drilled(DRILL), model_of_drill(DRILL)
        assert (real.lost, real.charged_twice, real.refused) == (0, 0, 0)
        assert real.messages_a_payment == 1
        assert real.times.payments == model.payments
        assert real.times.p99_ms == pytest.approx(model.p99_ms, rel=WITHIN)
        assert real.times.p50_ms == pytest.approx(model.p50_ms, rel=WITHIN)

    def test_of_a_queue_that_is_late_for_minutes_feeds_itself_with_nothing(self) -> None:
        """Messages wait for longer than the 90 s after which a payment is due: the sweeper wakes none of them twice."""
        real = drilled(replace(DRILL, stopped_seconds=130))
        assert real.times.longest_ms > 130_000
        assert (real.lost, real.charged_twice) == (0, 0)
        assert real.messages_a_payment < 1.05

    def test_of_merchants_above_what_a_partition_takes_loses_nothing(self) -> None:
        brief = Load(per_second=20, seconds=5, burst_from=1, burst_seconds=1)
        real = drilled(replace(DRILL, load=brief, partition_writes=20))
        assert real.refused > 30, "the list of a merchant's day takes no more"
        assert (real.lost, real.charged_twice) == (0, 0)


class TestTheModel:
    def test_without_a_burst_a_payment_takes_as_long_as_its_batch(self) -> None:
        calm = Load(per_second=100, seconds=60, burst_from=0, burst_seconds=0)
        times = modelled(calm, executions=100, batch_ms=lambda _n: 500, accept_ms=20, scales=False)
        assert times.p99_ms == 520

    def test_ten_minutes_with_a_burst_at_an_execution_for_every_five_payments_a_second(self) -> None:
        times = ten_minutes(200)
        assert times.payments == WHOLE.per_second * (WHOLE.seconds + 9 * WHOLE.burst_seconds)
        assert times.p99_ms < 60_000

    def test_more_executions_are_never_slower(self) -> None:
        p99 = [ten_minutes(executions).p99_ms for executions in (100, 200)]
        assert p99 == sorted(p99, reverse=True)

    @pytest.mark.parametrize("executions", [100, 200, 400])
    def test_the_page_has_its_times(self, executions: int) -> None:
        times = ten_minutes(executions)
        seconds = " | ".join(f"{ms / 1_000:.1f} s" for ms in (times.p50_ms, times.p99_ms, times.longest_ms))
        payments = a_second(executions, batch_ms(PROVIDER_MS))
        assert f"| {executions} | {payments:,.0f} | {seconds} |" in PAGE


class TestCeilings:
    def test_the_last_run_took_no_more_than_the_processor_times_that_are_assumed_and_at_least_a_quarter(self) -> None:
        last = last_run()
        assert JOB_CPU_MS / 4 <= last.job_cpu_ms <= JOB_CPU_MS
        assert DELIVERY_CPU_MS / 4 <= last.delivery_cpu_ms <= DELIVERY_CPU_MS

    def test_a_batch_takes_its_slowest_call_and_the_time_of_all_ten_on_a_part_of_a_processor(self) -> None:
        assert CONSUMER_MB == 512
        assert batch_ms(300) == 300 + round(10 * 14 * 1_769 / 512)

    def test_each_queue_of_prod_takes_what_the_api_admits(self) -> None:
        (prod,) = (settings for settings in ENVIRONMENTS if settings.name == "prod")
        found = ceilings()
        assert found["workers, provider of 300 ms"] > prod.api_rate_per_second
        assert found["deliveries, endpoints of 300 ms"] > prod.api_rate_per_second
        assert found["provider events"] > prod.webhook_rate_per_second

    def test_the_page_says_them(self) -> None:
        for name, count in ceilings().items():
            said = f"{count:.1f}" if count < 10 else f"{round(count, -1):,.0f}" if count < 1_000 else f"{count:,.0f}"
            assert f"{said} " in PAGE, (name, said)
