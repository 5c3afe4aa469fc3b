"""All requests of a connector beside those of the provider's SDK."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from payflowx.domain.shared.transport import HttpRequest
from tests.sdk.differences import NOT_IN_THE_SDK, listed
from tests.sdk.official import Sdk
from tests.sdk.wire import ABSENT, Difference, differences


@dataclass(frozen=True, slots=True)
class Call:
    """What a merchant would write with the SDK to send the same request."""

    name: str
    arguments: tuple[Any, ...]
    named: dict[str, Any]


def call(name: str, *arguments: Any, **named: Any) -> Call:
    """`call("refunds.create", {"amount": 500})`."""
    return Call(name, arguments, named)


def compare_all(
    provider: str, sdk: Sdk, endpoint: str, ours: Mapping[str, HttpRequest], calls: Mapping[str, Call]
) -> None:
    """Every request has a call or stands among those that the SDK cannot send, and differs where it is listed."""
    without_call = NOT_IN_THE_SDK.get(provider, {})
    expected = sorted([*calls, *without_call])
    assert sorted(ours) == expected, f"we build {sorted(ours)}, and the SDK's calls are for {expected}"
    compare(provider, sdk, endpoint, {name: ours[name] for name in calls}, calls)


def compare(provider: str, sdk: Sdk, endpoint: str, ours: Mapping[str, HttpRequest], calls: Mapping[str, Call]) -> None:
    """Fails with everything that differs and is not listed, and with everything that is listed and does not differ."""
    wrong: dict[str, str] = {}
    for name, wanted in calls.items():
        sent = sdk.request_of(wanted.name, *wanted.arguments, **wanted.named)
        found = differences(ours[name], endpoint, sent)
        allowed = listed(provider, name)
        wrong |= {f"{name}, {place}": _shown(found[place]) for place in found.keys() - allowed}
        wrong |= {f"{name}, {place}": "is listed, but there is no difference" for place in allowed - found.keys()}
    assert not wrong, "\n".join(f"{place}: {what}" for place, what in sorted(wrong.items()))


def _shown(difference: Difference) -> str:
    ours, theirs = ("absent" if x is ABSENT else repr(x) for x in (difference.ours, difference.theirs))
    return f"ours: {ours}, the SDK's: {theirs}"
