"""Dead letters: how many, what each was, what a replay would do; replayed in batches, purged with a reason."""

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from ops.commands.dlq import BATCH, QUEUES
from ops.console.parts import gather
from ops.console.screen import Action, Done, Page, Screen, ScreenRequest, View, fingerprint
from ops.errors import Exit, OperatorError

_PATH: Final = "/dead-letters"
_LOOK: Final = 50
_MAX_BATCHES: Final = 5
"""Messages that one press replays: as many batches as fit into a few seconds. The page says how many are left."""
_STEPS: Final[Mapping[str, str]] = {
    "resolve": "the provider is asked what became of an attempt",
    "charge": "an attempt begins; all earlier ones are proven to have no effect",
    "next_way": "a way of the payer's choice is switched off; the next one follows, or the payer chooses again",
    "end": "the payment ends without a charge",
    "tell": "an event is delivered to the merchant",
    "go_on": "a reconciliation goes on where it stopped",
    "apply": "a provider's webhook is applied",
    "skip": "no work is left, and the message is removed",
    "keep": "no work is left, but the message says something odd, so it stays for a person to read",
}
"""What a replay does, by the step that the operators' function plans."""


def _list(request: ScreenRequest) -> Page:
    depths = request.session.ask("count_dead_letters")["items"]
    return Page(
        template="dead_letters.html",
        title="Dead letters",
        values={"depths": depths, "dead": sum(int(depth["dead"]) for depth in depths)},
        commands=(request.command("dlq", "ls"), request.command("dlq", "explain"), request.command("dlq", "plan")),
    )


def _show(request: ScreenRequest) -> Page:
    queue = _queue(request)
    parts = gather(
        {
            "letters": partial(request.session.ask, "explain_dead_letters", queue=queue, limit=_LOOK),
            "depths": partial(request.session.ask, "count_dead_letters"),
        }
    )
    letters, depths = parts["letters"], parts["depths"]
    items = letters.value["items"] if letters.value else []
    known = depths.value["items"] if depths.value else []
    return Page(
        template="dead_letter_queue.html",
        title=f"Dead letters of {queue}",
        values={
            "queue": queue,
            "items": items,
            "fault": letters.fault,
            "steps": Counter(str(item["step"]) for item in items),
            "meanings": _STEPS,
            "dead": next((int(depth["dead"]) for depth in known if depth["queue"] == queue), len(items)),
            "most": BATCH * _MAX_BATCHES,
            "merchant": request.session.target.merchant,
            "seen": fingerprint(sorted(str(item["messageId"]) for item in items)),
            "path": f"{_PATH}/{queue}",
        },
        commands=(
            request.command("dlq", "explain", queue, limit=_LOOK),
            request.command("dlq", "replay", queue, reason="REASON"),
            request.command("dlq", "purge", queue, reason="REASON"),
        ),
    )


def _queue(request: ScreenRequest) -> str:
    queue = request.path["queue"]
    if queue not in QUEUES:
        raise OperatorError("There is no such queue.", Exit.REFUSED, hint="(not_found)")
    return queue


def _replay(request: ScreenRequest) -> Done:
    """Batch after batch until none can be replayed now, or a few are done."""
    queue = _queue(request)
    done: Counter[str] = Counter()
    for _ in range(_MAX_BATCHES):
        items: list[dict[str, Any]] = request.change("replay_dead_letters", queue=queue, limit=BATCH)["items"]
        done.update(str(item["step"]) for item in items)
        if len(items) < BATCH:
            break
    said = ", ".join(f"{count} {step}" for step, count in sorted(done.items()))
    return Done(
        location=f"{_PATH}/{queue}",
        message=f"{sum(done.values())} replayed: {said}." if done else "No dead letter can be replayed now.",
    )


def _purge(request: ScreenRequest) -> Done:
    queue = _queue(request)
    items = request.session.ask("explain_dead_letters", queue=queue, limit=_LOOK, withLog=False)["items"]
    request.refuse_if_changed(sorted(str(item["messageId"]) for item in items))
    request.change("purge_dead_letters", queue=queue)
    return Done(location=_PATH, message=f"The dead letters of {queue} are gone. Payments go on by their rows.")


DEAD_LETTERS: Final = Screen(
    name="dead-letters",
    title="Dead letters",
    path=_PATH,
    key="d",
    summary="messages that failed five times",
    views=(View(_PATH, _list), View(f"{_PATH}/{{queue}}", _show)),
    actions=(
        Action(f"{_PATH}/{{queue}}/replay", _replay, shown_by=_show),
        Action(f"{_PATH}/{{queue}}/purge", _purge, shown_by=_show),
    ),
)
