"""Broken designs of replays: what an operator's function does with dead letters."""

from typing import Final

from payflowx.application.recovery.plan_replay import PlanReplay
from payflowx.application.recovery.replay_dead_letters import ReplayDeadLetters
from simulation.mutants.mutant import Edit, Mutant, broken

_ROOM: Final = "recovery"
_SCENARIO: Final = "poison"

REPLAYING: Final[tuple[Mutant, ...]] = (
    broken(
        _ROOM,
        "a replay drops the message of a reconciliation",
        Edit(ReplayDeadLetters, "_send", "self.run_queue.send(run_id)", "pass"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a replay drops a provider's event",
        Edit(ReplayDeadLetters, "_send", "self.provider_events.send(message)", "pass"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a replay drops a delivery",
        Edit(ReplayDeadLetters, "_send", "self.deliveries.send(replace(message, slow=False))", "pass"),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a replay drops the order to read a charge's refunds",
        Edit(
            ReplayDeadLetters,
            "_send",
            "case Job(read_refunds=True):\n            self.jobs.send(replace(message, slow=False))",
            "case Job(read_refunds=True):\n            pass",
        ),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a replay drops the event of a refund made at the provider",
        Edit(
            PlanReplay,
            "_provider_event",
            "if (charge := self.find.payment_of_refund(inbound)) is not None:",
            "if (charge := None) is not None:",
        ),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a dead letter is removed before it is sent again",
        Edit(
            ReplayDeadLetters,
            "_replay",
            "sent = plan.step is not ReplayStep.SKIP",
            "self.dead_letters.delete(queue, letter)\n    sent = plan.step is not ReplayStep.SKIP",
        ),
        scenario=_SCENARIO,
    ),
    broken(
        _ROOM,
        "a replay removes what it keeps for an operator",
        Edit(
            ReplayDeadLetters,
            "_replay",
            "return Replayed(plan=plan, sent=False)",
            "self.dead_letters.delete(queue, letter)\n        return Replayed(plan=plan, sent=False)",
        ),
        scenario=_SCENARIO,
    ),
)
