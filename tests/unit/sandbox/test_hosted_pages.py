"""The pages of hosted objects: their HTML, their form, and the answers that are lost on purpose."""

import re

import pytest

from sandbox.hosted_pages import (
    Act,
    HostedCall,
    HostedPage,
    PageState,
    amount_text,
    answered,
    lose_answers,
    page_request_of,
    page_url,
    show,
    with_query,
)
from sandbox.http_types import Request, json_reply
from sandbox.store import MemoryStore

PAGE = HostedPage(provider="stripe", amount=49_900, currency="INR", methods=("card", "upi"))


def html(page: HostedPage) -> str:
    return show(page).body.decode()


def form(body: str, path: str = "/pages/cs_1") -> Request:
    return Request(method="POST", path=path, body=body.encode())


def test_an_open_page_has_each_method_and_each_button() -> None:
    text = html(PAGE)
    assert re.findall(r"value='(\w+)'( checked)?>", text)[:2] == [("card", " checked"), ("upi", "")]
    assert re.findall(r"<button name='act' value='\w+'>([^<]+)", text) == [
        "Pay",
        "Fail",
        "Insufficient funds",
        "Bank answers in 10 seconds",
        "Bank answers later",
        "Leave",
    ]
    assert "499.00 INR" in text
    assert "<script" not in text


@pytest.mark.parametrize("state", [PageState.PAID, PageState.PROCESSING, PageState.CLOSED])
def test_any_other_page_has_no_form_and_a_way_back(state: PageState) -> None:
    text = html(
        HostedPage(provider="x", amount=1, currency="JPY", methods=(), state=state, back_url="https://a/?b=1&c")
    )
    assert "<form" not in text
    assert "href='https://a/?b=1&amp;c'" in text


def test_texts_of_others_are_escaped() -> None:
    text = html(HostedPage(provider="<i>", amount=1, currency="INR", methods=(), description="<b>", error="'><u>"))
    assert not re.search(r"<[ibu]>", text)


@pytest.mark.parametrize("act", Act)
def test_each_button_is_read(act: Act) -> None:
    asked = page_request_of(form(f"act={act}&method=upi"))
    assert asked is not None
    assert (asked.object_id, asked.act, asked.method) == ("cs_1", act, "upi")


@pytest.mark.parametrize("request_", [form("act=steal"), form(""), form("act=pay", "/pages/"), form("act=pay", "/x/1")])
def test_any_other_form_is_none(request_: Request) -> None:
    assert page_request_of(request_) is None


def test_opening_a_page_is_no_act() -> None:
    asked = page_request_of(Request(method="GET", path="/pages/cs_1"))
    assert asked is not None
    assert asked.act is None


def test_addresses_and_amounts() -> None:
    assert page_url("https://a/stripe/", "cs_1") == "https://a/stripe/pages/cs_1"
    assert with_query("https://a/b?c=d", e="f g") == "https://a/b?c=d&e=f+g"
    assert [amount_text(*of) for of in ((500, "jpy"), (5, "USD"), (1234, "KWD"))] == [
        "500 JPY",
        "0.05 USD",
        "1.234 KWD",
    ]


def test_only_the_planned_answers_are_lost() -> None:
    store, reply = MemoryStore(), json_reply(200, {})
    lose_answers(store, {"create": 2})
    assert [answered(store, HostedCall.CREATE, reply).drop for _ in range(3)] == [True, True, False]
    assert answered(store, HostedCall.READ, reply) is reply
    lose_answers(store, {"create": 1})
    lose_answers(store, {"create": 0})
    assert answered(store, HostedCall.CREATE, reply) is reply


@pytest.mark.parametrize("plan", [{"charge": 1}, {"read": -1}, {"read": True}])
def test_another_plan_is_refused(plan: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"HostedCall|whole number"):
        lose_answers(MemoryStore(), plan)
