"""Which addresses of shops and of webhook endpoints are taken."""

import pytest

from payflowx.domain.shared.urls import why_not_allowed

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
