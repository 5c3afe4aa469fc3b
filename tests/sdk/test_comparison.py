"""What finds differences must find them. These tests need no SDK."""

from pathlib import Path
from typing import Any

import pytest

from payflowx.domain.shared.transport import HttpRequest
from tests.sdk.comparison import call, compare, compare_all
from tests.sdk.differences import DIFFERENCES, NOT_IN_THE_SDK
from tests.sdk.official import Sent
from tests.sdk.wire import differences

ENDPOINT = "https://provider.example/base"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def ours(body: bytes = b"", kind: str = FORM, path: str = "/things?limit=1", **headers: str) -> HttpRequest:
    return HttpRequest(method="POST", path=path, headers={"Content-Type": kind, **headers}, body=body)


def theirs(body: bytes = b"", kind: str = FORM, path: str = "/things?limit=1", **headers: str) -> Sent:
    shown = {"content-type": kind, "user-agent": "an SDK", "accept": "*/*", **headers}
    return Sent(method="POST", url=ENDPOINT + path, headers=shown, body=body)


@pytest.mark.parametrize(
    ("left", "right", "places"),
    [
        (ours(), theirs(), set()),
        (ours(b"b=2&a=1"), theirs(b"a=1&b=2"), set()),
        (ours(b'{"a":10.10,"b":{"c":[1]}}', JSON), theirs(b'{"b": {"c": [1]}, "a": 10.1}', JSON), set()),
        (ours(b"a=1"), theirs(b"a=2"), {"body.a"}),
        (ours(b"a[]=1"), theirs(b"a[0]=1"), {"body.a[]", "body.a[0]"}),
        (ours(b'{"a":1}', JSON), theirs(b'{"a":"1"}', JSON), {"body.a"}),
        (ours(b'{"a":true}', JSON), theirs(b'{"a":1}', JSON), {"body.a"}),
        (
            ours(b'{"a":1}', JSON),
            theirs(b'{"a":1,"b":null,"c":[],"d":{"e":1}}', JSON),
            {"body.b", "body.c", "body.d.e"},
        ),
        (ours(path="/things"), theirs(), {"query.limit"}),
        (ours(path="/thing?limit=1"), theirs(), {"address"}),
        (ours(Key="k"), theirs(), {"header.key"}),
        (ours(Key="k"), theirs(key="l"), {"header.key"}),
        (ours(), theirs(b"{}", JSON), {"header.content-type", "body"}),
        (HttpRequest(method="GET", path="/things?limit=1"), theirs(), {"method", "header.content-type"}),
    ],
)
def test_everything_that_differs_is_found(left: HttpRequest, right: Sent, places: set[str]) -> None:
    assert set(differences(left, ENDPOINT, right)) == places


class FakeSdk:
    """Answers every call with one request."""

    def __init__(self, sent: Sent) -> None:
        self.sent = sent

    def request_of(self, *_call: Any, **_named: Any) -> Sent:
        return self.sent


def test_what_is_not_listed_fails() -> None:
    with pytest.raises(AssertionError, match="ours: '1', the SDK's: absent"):
        compare("stripe", FakeSdk(theirs()), ENDPOINT, {"report": ours(b"a=1")}, {"report": call("x")})


def test_what_is_listed_and_does_not_differ_fails() -> None:
    with pytest.raises(AssertionError, match="is listed, but there is no difference"):
        compare("stripe", FakeSdk(theirs()), ENDPOINT, {"report": ours()}, {"report": call("x")})


def test_a_request_without_a_call_fails() -> None:
    requests = {"refund/refund": ours(), "a new request": ours()}
    with pytest.raises(AssertionError, match="a new request"):
        compare_all("stripe", FakeSdk(theirs()), ENDPOINT, requests, {"refund/refund": call("x")})


def test_the_tables_name_requests_that_are_compared() -> None:
    """A name that nothing compares would excuse nothing, and nobody would detect it."""
    named = {(entry.provider, request) for entry in DIFFERENCES for request in entry.requests}
    texts = {provider: Path(__file__).with_name(f"test_{provider}.py").read_text() for provider, _ in named}
    assert [pair for pair in sorted(named) if f'"{pair[1]}": ' not in texts[pair[0]]] == []
    assert set(NOT_IN_THE_SDK) <= set(texts)
    assert all(entry.reason and entry.places for entry in DIFFERENCES)
