"""DELIVERY, of endpoints: when an event is posted again, to whom it is not posted any more, and why one is disabled."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from simulation.checker.evidence import Evidence, Stored, Violation
from simulation.history import Delivered, Write
from simulation.world import CONFIGURATION, TRANSACTIONS
from testing.dynamodb.values import plain_item

_SECOND_MS: Final = 1_000
_MINUTE_MS: Final = 60 * _SECOND_MS
_HOUR_MS: Final = 60 * _MINUTE_MS
_DAY_MS: Final = 24 * _HOUR_MS
_CLOCKS_MS: Final = 7 * _SECOND_MS
_STEPS_MS: Final = (
    *(5 * _SECOND_MS, 5 * _MINUTE_MS, 30 * _MINUTE_MS),
    *(hours * _HOUR_MS for hours in (2, 5, 10, 14, 20, 24)),
)
"""The wait after each try of a delivery: docs/webhooks-out.md."""
_PATIENCE_MS: Final = 3 * _DAY_MS
_GONE: Final = 410
_EVENT: Final = "EVENT#"


def tries_keep_their_times(evidence: Evidence) -> Iterator[Violation]:
    """A delivery that failed waits for its step of the schedule, and no try begins before.

    What an endpoint has got, and that is stored, is not posted to it again.
    """
    if evidence.result.forgotten is not None:
        return
    posts, urls = _posts(evidence), _urls(evidence)
    delivered_ms: dict[tuple[str, str], int] = {}
    planned: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for event_id, write, before, after in _results(evidence):
        for endpoint_id, delivery in after.items():
            place = (event_id, urls.get(endpoint_id, ""))
            planned[place].append((write.at_ms, delivery.get("nextAt", 0)))
            if delivery["state"] == "DELIVERED":
                delivered_ms.setdefault(place, write.at_ms)
            mine = [post for post in posts[place] if post.process == write.process and post.at_ms <= write.at_ms]
            if mine and delivery["attempts"] > before.get(endpoint_id, {}).get("attempts", 0):
                yield from _too_soon(event_id, endpoint_id, delivery, mine[-1].at_ms)
    for place, times in planned.items():
        yield from _out_of_turn(evidence, place, posts[place], times, delivered_ms.get(place, 1 << 62))


def _too_soon(event_id: str, endpoint_id: str, delivery: Stored, posted_ms: int) -> Iterator[Violation]:
    waits_ms = delivery.get("nextAt", 0) - posted_ms
    if (
        delivery["state"] == "PENDING"
        and waits_ms + _CLOCKS_MS < _STEPS_MS[min(delivery["attempts"], len(_STEPS_MS)) - 1]
    ):
        what = f"is tried again at {endpoint_id} {waits_ms} ms after try {delivery['attempts']}"
        yield Violation("DELIVERY", event_id, what)


def _out_of_turn(
    evidence: Evidence,
    place: tuple[str, str],
    posts: Sequence[Delivered],
    times: Sequence[tuple[int, int]],
    delivered_ms: int,
) -> Iterator[Violation]:
    """`times`: when the next try was stored, and its time. What a process knew is what was stored when it began."""
    started = evidence.result.history.invocations
    for post in posts:
        begun_ms = started[post.process].at_ms if post.process in started else 0
        next_ms = max((at for at in times if at[0] <= begun_ms), default=(0, 0))[1]
        if post.at_ms + _CLOCKS_MS < next_ms:
            yield Violation("DELIVERY", place[0], f"was posted to {place[1]} before its time")
        if begun_ms > delivered_ms:
            yield Violation("DELIVERY", place[0], f"was posted to {place[1]} again, which had it")


def disabled_for_a_reason(evidence: Evidence) -> Iterator[Violation]:
    """An endpoint is disabled because it said that it is gone, or because nothing got there for three days.

    Who said so gets nothing any more. What was posted in a time that a restore forgot is only in the list of faults.
    """
    history = evidence.result.history
    told = {strike.process for strike in history.strikes if strike.kind == "endpoint_gone"}
    gone_ms: dict[str, int] = {}
    for post in history.deliveries:
        if post.status == _GONE:
            gone_ms.setdefault(post.url, post.at_ms)
    off_ms: dict[str, int] = {}
    for write, before, after in _changes(evidence):
        for url, endpoint in after.items():
            was_on = before.get(url, {}).get("status", "ENABLED") == "ENABLED"
            if endpoint["status"] == "ENABLED" or not was_on:
                continue
            off_ms.setdefault(url, write.at_ms)
            failing_ms = before.get(url, {}).get("failingSince", write.at_ms)
            is_over = write.at_ms - failing_ms + _CLOCKS_MS >= _PATIENCE_MS
            is_gone = gone_ms.get(url, write.at_ms + 1) <= write.at_ms or write.process in told
            if not is_gone and not is_over:
                yield Violation("DELIVERY", url, f"was disabled for {endpoint.get('disabledReason')}, without a reason")
    for post in history.deliveries:
        started = history.invocations.get(post.process)
        if started is not None and started.at_ms > off_ms.get(post.url, started.at_ms):
            yield Violation("DELIVERY", post.url, "was disabled, and got an event")
    if evidence.result.forgotten is None:
        yield from _asked_on(evidence, gone_ms, off_ms)


def successes_end_failures(evidence: Evidence) -> Iterator[Violation]:
    """An endpoint that takes events is not failing any more: else it is disabled three days later, while it works.

    A process may die before it stores what an endpoint said; several in a row do not.
    """
    for (table, key), item in evidence.result.items.items():
        if table != CONFIGURATION or not key[0].startswith("E#") or key[1] != "ENDPOINTS":
            continue
        for url, endpoint in _by_url(plain_item(item)).items():
            since_ms = endpoint.get("failingSince")
            if since_ms is None or endpoint["status"] != "ENABLED":
                continue
            posts = [post for post in evidence.result.history.deliveries if post.url == url]
            later = [post for post in posts if post.at_ms > since_ms + _CLOCKS_MS and 200 <= post.status < 300]
            taken = {post.process for post in later} - _unanswered(evidence)
            if len(taken) >= _SURELY_STORED:
                what = (
                    f"is stored as failing since {since_ms}, and has taken events of {len(taken)} processes after that"
                )
                yield Violation("DELIVERY", url, what)


_SURELY_STORED: Final = 4
"""Of so many processes, one has stored its result."""


def _asked_on(evidence: Evidence, gone_ms: Mapping[str, int], off_ms: Mapping[str, int]) -> Iterator[Violation]:
    """Only a process that nothing happened to is sure to have stored what it was told."""
    strikes = evidence.result.history.strikes
    struck = {strike.process for strike in strikes if not strike.kind.startswith("endpoint_")} | _unanswered(evidence)
    for post in evidence.result.history.deliveries:
        if post.status == _GONE and post.process not in struck and post.url in gone_ms and post.url not in off_ms:
            yield Violation("DELIVERY", post.url, "said that it is gone, and is not disabled")


def _unanswered(evidence: Evidence) -> set[int]:
    """The processes that did not wait for the endpoint's answer."""
    return {strike.process for strike in evidence.result.history.strikes if strike.kind == "endpoint_late"}


def _posts(evidence: Evidence) -> Mapping[tuple[str, str], list[Delivered]]:
    found: dict[tuple[str, str], list[Delivered]] = defaultdict(list)
    for post in evidence.result.history.deliveries:
        found[post.headers.get("webhook-id", ""), post.url].append(post)
    return found


def _urls(evidence: Evidence) -> Mapping[str, str]:
    """The address of each endpoint, by its id."""
    return {
        endpoint["id"]: endpoint["url"]
        for (table, key), item in evidence.result.items.items()
        if table == CONFIGURATION and key[0].startswith("E#") and key[1] == "ENDPOINTS"
        for endpoint in plain_item(item)["endpoints"]
    }


def _results(evidence: Evidence) -> Iterator[tuple[str, Write, Stored, Stored]]:
    """The writes of events' deliveries, with the deliveries before and after them."""
    for write in evidence.result.history.writes:
        partition, sort = write.key
        if write.table != TRANSACTIONS or not sort.startswith(_EVENT) or write.after is None or "#P#" not in partition:
            continue
        if "deliveries" not in write.after:
            continue
        after = plain_item(write.after)
        before = plain_item(write.before or {})
        event_id = f"evt_{partition.rpartition('_')[2]}_{after['seq']}"
        yield event_id, write, before.get("deliveries", {}), after["deliveries"]


def _changes(evidence: Evidence) -> Iterator[tuple[Write, dict[str, Any], dict[str, Any]]]:
    """The writes of merchants' endpoints, with the endpoints before and after them by their address."""
    for write in evidence.result.history.writes:
        if write.table == CONFIGURATION and write.key[1] == "ENDPOINTS" and write.after is not None:
            yield write, _by_url(plain_item(write.before or {})), _by_url(plain_item(write.after))


def _by_url(item: Stored) -> dict[str, Any]:
    known: Sequence[Stored] = item.get("endpoints", [])
    return {endpoint["url"]: endpoint for endpoint in known}
