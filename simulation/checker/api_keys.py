"""KEYS: an API key works from when it is told until it ends, for its merchant, and a minute longer at most."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from simulation.checker.evidence import Evidence, Violation
from simulation.history import Call, Commanded
from simulation.world import IDEMPOTENCY

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_NEVER_MS: Final = 1 << 62
_CACHED_MS: Final = 60_000
"""API Gateway keeps the authorizer's answer for a minute (docs/architecture.md, docs/operations/secrets.md)."""
_ASKED_MS: Final = 5_000
"""The authorizer has read the key at most so long before its answer."""
_CLOCKS_MS: Final = 3_000
_UNAUTHENTICATED: Final = 401
_UNCLEAR: Final = frozenset({"unavailable"})
_ENDED: Final = frozenset({"revoked", "expired"})


@dataclass(slots=True)
class KeyEvidence:
    """A key as those who asked for it know it.

    It works from `told_ms`. `over_ms`: it is over by then for certain. `perhaps_over_ms`: it may be over since then,
    because a command that would end it had left.
    """

    key_id: str
    merchant: str
    told_ms: int
    over_ms: int = _NEVER_MS
    perhaps_over_ms: int = _NEVER_MS
    ways: frozenset[str] = frozenset()


def api_keys(evidence: Evidence) -> Iterator[Violation]:
    """Nobody gets in with a key a minute after its end; nobody is refused before it; a key acts for its merchant."""
    keys = known_keys(evidence)
    for call in evidence.result.history.calls:
        key = keys.get(call.api_key)
        if key is None:
            continue
        said = f"{call.method} {call.path} with {key.key_id}"
        if call.acted_for and call.acted_for != key.merchant:
            yield Violation("KEYS", "-", f"{said} of {key.merchant} acted for {call.acted_for}")
        late_ms = call.admitted_ms - key.over_ms if call.admitted_ms else 0
        if late_ms > _CACHED_MS + _ASKED_MS + _CLOCKS_MS:
            yield Violation("KEYS", "-", f"{said} was let in {late_ms} ms after the end of the key")
        if call.status == _UNAUTHENTICATED and call.answered_ms < key.perhaps_over_ms - _CLOCKS_MS:
            yield Violation("KEYS", "-", f"{said} was refused, and nothing had ended the key")
    yield from _refused_write_nothing(evidence)
    yield from _shown_truly(evidence, {key.key_id: key for key in keys.values()})


def known_keys(evidence: Evidence) -> dict[str, KeyEvidence]:
    """By the key itself: all keys that were told, with what ended them."""
    keys: dict[str, KeyEvidence] = {}
    for command in evidence.result.history.commands:
        answer = command.answer or {}
        if command.ok and "apiKey" in answer:
            merchant = str(command.command["merchantId"])
            keys[answer["apiKey"]] = KeyEvidence(str(answer["keyId"]), merchant, command.answered_ms)
            days = command.command.get("expiresInDays")
            if days is not None:
                key = keys[answer["apiKey"]]
                _end(key, command, days * _DAY_MS, "expiry")
    by_id = {key.key_id: key for key in keys.values()}
    for command in evidence.result.history.commands:
        ended = by_id.get(str(command.command.get("keyId")))
        if ended is not None and command.command["command"] == "rotate_key":
            _end(ended, command, command.command["overlapHours"] * _HOUR_MS, "rotation")
        elif ended is not None and command.command["command"] == "revoke_key":
            _end(ended, command, 0, "revocation")
    return keys


def _end(key: KeyEvidence, command: Commanded, lasts_ms: int, way: str) -> None:
    """A refused request ended nothing; without an answer, it may have."""
    code = (command.answer or {}).get("error", {}).get("code")
    if command.ok:
        key.over_ms = min(key.over_ms, command.answered_ms + lasts_ms)
        key.ways |= {way}
    if command.ok or command.answer is None or code in _UNCLEAR:
        key.perhaps_over_ms = min(key.perhaps_over_ms, command.at_ms + lasts_ms)


def _refused_write_nothing(evidence: Evidence) -> Iterator[Violation]:
    """A request that was refused each time has no row of its idempotency key."""
    rows: dict[str, set[str]] = defaultdict(set)
    for table, (partition, _) in evidence.result.items:
        if table == IDEMPOTENCY and partition.startswith("M#"):
            rows[partition.split("#")[1]].add(partition.rpartition("#")[2])
    asked: dict[tuple[str, str], list[Call]] = defaultdict(list)
    for call in evidence.result.history.calls:
        if call.method == "POST" and call.key:
            asked[call.merchant, call.key].append(call)
    for (merchant, key), calls in asked.items():
        if key in rows[merchant] and all(call.status == _UNAUTHENTICATED for call in calls):
            yield Violation("KEYS", "-", f"{key} of {merchant} was refused each time, and is stored")


def _shown_truly(evidence: Evidence, keys: Mapping[str, KeyEvidence]) -> Iterator[Violation]:
    """The list shows a key as ended once it is, and not before anybody ended it."""
    for command in evidence.result.history.commands:
        if command.command["command"] != "list_keys" or not command.ok:
            continue
        for shown in (command.answer or {})["items"]:
            key = keys.get(shown["keyId"])
            if key is None:
                continue
            said = f"{key.key_id} is shown as {shown['state']}"
            if shown["state"] in _ENDED and command.answered_ms < key.perhaps_over_ms - _CLOCKS_MS:
                yield Violation("KEYS", "-", f"{said}, and nothing had ended it")
            if shown["state"] not in _ENDED and command.at_ms > key.over_ms + _CLOCKS_MS:
                yield Violation("KEYS", "-", f"{said}, and had ended")


def count_api_keys(found: Counter[str], evidence: Evidence) -> None:
    """Count the answers to requests whose keys end."""
    keys = known_keys(evidence)
    refused: set[tuple[str, str | None]] = set()
    for call in evidence.result.history.calls:
        key = keys.get(call.api_key)
        if key is None:
            continue
        if call.status == _UNAUTHENTICATED:
            for way in key.ways:
                found[f"API key: refused after its {way}"] += 1
            refused.add((call.merchant, call.key))
        elif call.admitted_ms and call.admitted_ms > key.over_ms:
            found["API key: let in for the minute after its end"] += 1
        elif call.admitted_ms and key.over_ms < _NEVER_MS and call.key:
            found["API key: accepted before its end"] += call.status == 202
        if call.status == 202 and call.key and (call.merchant, call.key) in refused:
            found["API key: refused, and accepted with another one"] += 1
    borne: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for call in evidence.result.history.calls:
        if call.status == 202 and call.key:
            borne[call.merchant, call.path, call.key].add(call.api_key)
    found["API key: a request and its repetition bear two keys"] += sum(len(each) > 1 for each in borne.values())
