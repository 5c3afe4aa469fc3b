"""`payflowx dlq`."""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import click

from ops.errors import Exit, OperatorError
from ops.options import confirm, reason_option, target_options, yes_option
from ops.output import key_values, table
from ops.session import Session, pass_session

QUEUES: Final = ("jobs", "slow-jobs", "notices", "deliveries", "slow-deliveries", "runs")
_MAX_LOOK: Final = 50
BATCH: Final = 10
_NOTHING: Final = "There are no dead letters."
_PLAN: Final = {
    "queue": "queue",
    "message": "messageId",
    "payment": "transactionId",
    "status": "status",
    "step": "step",
    "why": "why",
}
_DEPTHS: Final = {"queue": "queue", "waiting": "waiting", "dead": "dead", "dead, hidden": "deadHidden"}

_queue = click.argument("queue", type=click.Choice(QUEUES), required=False)
_limit = click.option(
    "--limit", type=click.IntRange(1, _MAX_LOOK), default=10, show_default=True, help="Look at so many."
)


@click.group()
def dlq() -> None:
    """Dead letters: messages that failed five times. No payment is lost by them: each is due by its row."""


@dlq.command("ls")
@target_options
@pass_session
def ls(session: Session) -> None:
    """How many messages wait and how many are dead, queue by queue. SQS counts approximately."""
    session.show_table(session.ask("count_dead_letters")["items"], _DEPTHS, nothing="There are no queues.")


@dlq.command("explain")
@_queue
@_limit
@target_options
@pass_session
def explain(session: Session, *, queue: str | None, limit: int) -> None:
    """Explain each message: what it was, its payment's state, why it died, and what a replay would do."""
    items = [
        {"queue": name, **item}
        for name in _named(queue)
        for item in session.ask("explain_dead_letters", queue=name, limit=limit)["items"]
    ]
    session.show(items, "\n\n".join(_explanation(item) for item in items) or _NOTHING)


@dlq.command("plan")
@_queue
@_limit
@target_options
@pass_session
def plan(session: Session, *, queue: str | None, limit: int) -> None:
    """A dry run, a message at a time: what a replay would do, and why. Nothing is sent or written.

    resolve: ask what became of an attempt. charge: begin one, all earlier ones being proven uncharged. end: record
    that nothing more may be tried. apply: a webhook. skip: nothing to do. keep: left for a person.
    """
    items = [
        {"queue": name, **item}
        for name in _named(queue)
        for item in session.ask("explain_dead_letters", queue=name, limit=limit, withLog=False)["items"]
    ]
    if not items:
        session.show(items, _NOTHING)
        return
    session.show(items, f"{table(items, _PLAN)}\n\n{_tally(Counter(item['step'] for item in items))}")
    depth = _depth(session, queue)
    if depth > len(items):
        session.say(f"About {depth - len(items)} more were not looked at: --limit {_MAX_LOOK} shows up to that many.")


@dlq.command("replay")
@_queue
@click.option("--rate", type=click.IntRange(1, 100), default=10, show_default=True, help="Messages a second at most.")
@click.option("--limit", type=click.IntRange(1), help="Stop after so many. Default: all.")
@reason_option
@target_options
@pass_session
def replay(session: Session, *, queue: str | None, rate: int, limit: int | None, reason: str) -> None:
    """Wake what the messages were about, at a bounded pace. Interrupt it at will; started again, it goes on.

    A replay cannot charge an unknown: what is sent is a wake-up, and the worker resolves what is open before anything
    else. Messages that mean nothing any more are removed, those that nobody understands are left.
    """
    most = limit if limit is not None else _depth(session, queue)
    done: Counter[str] = Counter()
    items: list[dict[str, Any]] = []
    try:
        with click.progressbar(length=most, label="Replaying", file=sys.stderr) as bar:
            for some in _replayed(session, queue, rate, limit, reason):
                items += some
                done.update(item["step"] for item in some)
                bar.update(len(some))
    except KeyboardInterrupt:
        session.say(f"Interrupted after {len(items)} messages. Run it again to go on.")
        raise
    except OperatorError as error:
        if error.exit_code == int(Exit.UNAVAILABLE) and items:
            session.say(f"{len(items)} messages were replayed before. Run it again to go on.")
        raise
    session.show(items, _tally(done) if items else "No dead letters can be replayed now.")
    if done["keep"]:
        session.say(f"{done['keep']} messages were left for a person: payflowx dlq explain, in five minutes.")


@dlq.command("purge")
@_queue
@yes_option
@reason_option
@target_options
@pass_session
def purge(session: Session, *, queue: str | None, yes: bool, reason: str) -> None:
    """Throw dead letters away. Payments go on by their rows; look with `dlq explain` first."""
    names = _named(queue)
    confirm(f"Purge about {_depth(session, queue)} dead letters of {' and '.join(names)}?", yes=yes)
    for name in names:
        session.change("purge_dead_letters", reason, queue=name)
    session.show({"purged": names}, f"The dead letters of {' and '.join(names)} are gone.")


def _replayed(
    session: Session, queue: str | None, rate: int, limit: int | None, reason: str
) -> Iterator[list[dict[str, Any]]]:
    """A batch at a time, queue by queue, until none is left. No batch begins before its time."""
    count, names = 0, _named(queue)
    while names and (limit is None or count < limit):
        started = time.monotonic()
        size = min(BATCH, rate, limit - count if limit is not None else BATCH)
        items = session.change("replay_dead_letters", reason, queue=names[0], limit=size)["items"]
        if not items:
            names = names[1:]
            continue
        count += len(items)
        yield items
        rest = len(items) / rate - (time.monotonic() - started)
        if rest > 0:
            time.sleep(rest)


def _named(queue: str | None) -> list[str]:
    """Every queue, where none is named."""
    return [queue] if queue else list(QUEUES)


def _depth(session: Session, queue: str | None) -> int:
    depths = session.ask("count_dead_letters")["items"]
    return sum(int(depth["dead"]) for depth in depths if depth["queue"] in _named(queue))


def _explanation(item: dict[str, Any]) -> str:
    failures = item["failures"]
    died = (
        "the log did not answer in time" if failures is None else "; ".join(failures) or "nothing in the log any more"
    )
    return key_values(
        {
            "Message": f"{item['messageId']} ({item['queue']})",
            "Was": item["what"],
            "Sent": item["sentAt"],
            "Status now": item["status"],
            "Died of": died,
            "A replay would": f"{item['step']}: {item['why']}",
        }
    )


def _tally(steps: Counter[str]) -> str:
    return ", ".join(f"{count} {step}" for step, count in sorted(steps.items()))
