"""Which addresses of shops and of webhook endpoints are taken."""

import json
from pathlib import Path

import pytest

from payflowx.domain.shared.urls import same_address, why_not_allowed

VECTORS = json.loads((Path(__file__).resolve().parents[4] / "clients" / "vectors.json").read_text())
"""One table for the service and for the clients' test doubles."""

HERE = ("http://127.0.0.1:8000/", "http://localhost/thanks?a=1", "http://[::1]:8000/")
NOT_HERE = (
    "http://127.0.0.1.evil.example/",
    "http://user@127.0.0.1/",
    "http://127.0.0.2/",
    "http://169.254.169.254/",
    "http://shop.example.com/",
    "https://127.0.0.1/",
    "ftp://127.0.0.1/",
    "javascript://127.0.0.1/%0aalert(1)",
    "http://127.0.0.1:8000/\\n",
    "http://127.0.0.1:99999/",
    "http://localhost/" + "a" * 2_048,
)


@pytest.mark.parametrize("url", HERE)
def test_this_machine_is_taken_only_where_it_is_allowed(url: str) -> None:
    assert why_not_allowed(url, loopback_allowed=True) is None
    assert why_not_allowed(url) is not None


@pytest.mark.parametrize("url", NOT_HERE)
def test_nothing_else_becomes_allowed(url: str) -> None:
    assert why_not_allowed(url, loopback_allowed=True) is not None


def test_a_public_address_is_taken_everywhere() -> None:
    assert why_not_allowed("https://shop.example.com/thanks") is None
    assert why_not_allowed("https://shop.example.com/thanks", loopback_allowed=True) is None


NO_HOST_NAMES = (
    "https://10.0.0%2e1/",
    "https://10.0%2e0%2e1/",
    "https://xn%2d%2dpple-43d.com/",
    "https://a.example.com%00.evil.example/",
    "https://a.com;b.com/",
    "https://a.com,b.com/",
    'https://a.com"b/',
    "https://a.com<b/",
    "https://a.com'b/",
    "https://a.com&b.com/",
    "https://*.example.com/",
    "https://(a).example.com/",
    "https://[v1.example]/",
    "https://-a.example.com/",
    "https://a-.example.com/",
    f"https://{'a' * 64}.com/",
    f"https://{'.'.join(['a' * 60] * 5)}.com/",
)


@pytest.mark.parametrize("url", NO_HOST_NAMES)
def test_a_host_has_the_form_of_a_host_name(url: str) -> None:
    """A browser decodes `%2e` in a host: `10.0.0%2e1` is an address, and `xn%2d%2d` begins a name of other letters."""
    assert why_not_allowed(url) == "its host is no host name"


@pytest.mark.parametrize(
    "host", ["a.co", "A.CO", "exa_mple.example.com", "shop.example.com.", f"{'a' * 63}.com", "3com.example"]
)
def test_every_host_name_is_taken(host: str) -> None:
    assert why_not_allowed(f"https://{host}/thanks") is None


@pytest.mark.parametrize(("one", "other"), VECTORS["sameAddress"])
def test_spellings_of_one_address(one: str, other: str) -> None:
    assert why_not_allowed(one, loopback_allowed=True) is None
    assert why_not_allowed(other, loopback_allowed=True) is None
    assert same_address(one, other)
    assert same_address(other, one)


@pytest.mark.parametrize(("one", "other"), VECTORS["otherAddress"])
def test_addresses_that_differ(one: str, other: str) -> None:
    assert not same_address(one, other)
