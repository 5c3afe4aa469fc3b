"""Who may open the console, and which requests change something."""

import asyncio
from dataclasses import replace
from threading import Barrier, Thread
from typing import Any

import pytest

from ops.console import forms as forms_module
from ops.console import server
from ops.console.access import Access
from ops.console.forms import Forms
from ops.console.screen import Action, Done, Page, Screen, ScreenRequest, View, fingerprint
from ops.errors import Exit, OperatorError
from tests.unit.ops.console.harness import HOST, ORIGIN, Browser, browser_of

PAGES = ["/", "/find", "/reviews", "/help", "/nowhere"]
WHY = {"reason": "TICKET-1"}


class Counter:
    """A screen with one action, which counts how often it ran."""

    def __init__(self) -> None:
        self.runs = 0
        self.seen = {"version": 1}
        self.error: OperatorError | None = None
        self.defect: Exception | None = None
        self.screen = Screen(
            name="counter",
            title="Counter",
            path="/counter",
            key="z",
            summary="",
            views=(View("/counter", self.show),),
            actions=(
                Action("/counter/add", self.add, shown_by=self.show),
                Action("/counter/read", self.read, shown_by=self.show, is_access=True),
            ),
        )

    def show(self, _request: ScreenRequest) -> Page:
        return Page(template="help.html", title=f"{self.runs} runs")

    def add(self, request: ScreenRequest) -> Done:
        if "seen" in request.form:
            request.refuse_if_changed(self.seen)
        self.runs += 1
        if self.error or self.defect:
            raise self.error or self.defect or AssertionError
        return Done(location="/counter", message=f"run {self.runs}")

    def read(self, _request: ScreenRequest) -> Done:
        self.runs += 1
        return Done(location="/counter", message="read", shown={"name": "Ada"})


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Counter:
    made = Counter()
    monkeypatch.setattr(server, "HIDDEN", (made.screen,))
    return made


@pytest.fixture
def browser(counter: Counter) -> Browser:
    return browser_of(may_write=True).enter()


def browser_with_hidden(counter: Counter) -> Browser:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "HIDDEN", (counter.screen,))
        return browser_of(may_write=True).enter()


def form_of(browser: Browser, address: str = "/counter/add") -> dict[str, str]:
    return browser.new_form(address)


# -- entering


@pytest.mark.parametrize("address", PAGES)
def test_no_page_opens_without_the_printed_address(address: str) -> None:
    assert browser_of().get(address).status_code == 403


def test_the_printed_address_opens_the_console_with_a_strict_cookie_that_scripts_cannot_read() -> None:
    browser = browser_of()
    answer = browser.get(browser.console.address)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Domain" not in cookie
    assert browser.get("/help").status_code == 200


def test_the_token_works_once() -> None:
    browser = browser_of().enter()
    other = Browser(browser.console, browser.app)
    assert other.get(browser.console.address).status_code == 403
    assert other.get("/help").status_code == 403
    assert browser.get("/help").status_code == 200


@pytest.mark.parametrize("token", ["", "x", "\u00e9", "a" * 10_000])
def test_a_wrong_token_opens_nothing_and_uses_nothing_up(token: str) -> None:
    browser = browser_of()
    assert browser.get("/enter", params={"token": token}).status_code == 403
    assert browser.enter().get("/help").status_code == 200


def test_the_token_and_the_session_end() -> None:
    now = [0.0]
    late = Access(clock=lambda: now[0])
    now[0] = 601.0
    assert late.enter(late.token) is None
    access = Access(clock=lambda: now[0])
    cookie = access.enter(access.token)
    assert access.admits(cookie)
    now[0] += 12 * 3_600 + 1
    assert not access.admits(cookie)


@pytest.mark.parametrize("cookie", ["", "x", "payflowx"])
def test_a_made_up_cookie_opens_nothing(cookie: str) -> None:
    browser = browser_of()
    browser.cookies.set("payflowx_console_7300", cookie)
    assert browser.get("/help").status_code == 403


def test_a_session_of_another_console_opens_nothing() -> None:
    cookies = browser_of().enter().cookies
    other = browser_of()
    other.cookies.update(cookies)
    assert other.get("/help").status_code == 403


# -- hosts and origins


@pytest.mark.parametrize("host", ["evil.example", "localhost:7300", "127.0.0.1", "127.0.0.1:80", f"{HOST}.evil.test"])
@pytest.mark.parametrize("address", ["/help", "/enter", "/static/console.js"])
def test_another_host_is_refused_so_that_a_rebound_name_reads_nothing(host: str, address: str) -> None:
    browser = browser_of().enter()
    assert browser.get(address, headers={"Host": host}).status_code == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:8000", "null", "https://127.0.0.1:7300"])
def test_another_origin_changes_nothing(browser: Browser, counter: Counter, origin: str) -> None:
    assert browser.post("/counter/add", form_of(browser), Origin=origin).status_code == 403
    assert counter.runs == 0


def test_a_change_without_an_origin_is_refused(browser: Browser, counter: Counter) -> None:
    assert browser.request("POST", "/counter/add", data=form_of(browser)).status_code == 403
    assert counter.runs == 0


def test_a_page_of_the_same_site_but_another_port_changes_nothing(browser: Browser, counter: Counter) -> None:
    assert browser.post("/counter/add", form_of(browser), Sec_Fetch_Site="same-site").status_code == 403
    assert counter.runs == 0


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(browser: Browser, method: str) -> None:
    assert browser.request(method, "/help", headers={"Origin": ORIGIN}).status_code == 405


@pytest.mark.parametrize("address", ["/help", "/nowhere", "/static/console.css", "/enter?token=x"])
def test_every_answer_forbids_what_is_inline_remote_framed_or_stored(address: str) -> None:
    for browser in (browser_of(), browser_of().enter()):
        headers = browser.get(address).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert "http" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in headers


# -- forms


def test_a_change_needs_a_form_of_this_session(browser: Browser, counter: Counter) -> None:
    good = form_of(browser)["form"]
    nonce, at, signature = good.split(".")
    other = form_of(browser_of(may_write=True).enter())["form"]
    made_up = ("", "a.b.c", f"{nonce}.{at}.{'0' * 64}", f"x{nonce}.{at}.{signature}", f"{nonce}.1.{signature}")
    for forged in (*made_up, other):
        assert browser.post("/counter/add", {"form": forged, **WHY}).status_code == 409
    assert browser.post("/counter/add", WHY).status_code == 409
    assert counter.runs == 0


def test_a_form_acts_at_its_own_address_only(browser: Browser, counter: Counter) -> None:
    assert browser.post("/counter/add", form_of(browser, "/counter/read")).status_code == 409
    assert counter.runs == 0


def test_a_reload_a_second_click_and_a_second_tab_get_the_first_result(browser: Browser, counter: Counter) -> None:
    form = form_of(browser)
    first = browser.post("/counter/add", form)
    assert first.status_code == 303
    again = browser.post("/counter/add", {**form, "reason": "another"})
    assert (again.status_code, again.headers["location"]) == (303, first.headers["location"])
    assert counter.runs == 1
    assert "run 1" in browser.get(first.headers["location"]).text


def test_two_tabs_at_the_same_moment_act_once(browser: Browser, counter: Counter) -> None:
    form, start, answers = form_of(browser), Barrier(4), []

    def click() -> None:
        start.wait()
        answers.append(browser.post("/counter/add", form).status_code)

    threads = [Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (answers, counter.runs) == ([303] * 4, 1)


@pytest.mark.parametrize("code", [Exit.UNAVAILABLE, Exit.REFUSED])
def test_a_change_whose_answer_was_an_error_is_not_sent_again_by_a_reload(
    browser: Browser, counter: Counter, code: Exit
) -> None:
    counter.error = OperatorError("The answer was lost.", code, hint="It may have been done all the same.")
    form = form_of(browser)
    first, again = browser.post("/counter/add", form), browser.post("/counter/add", form)
    assert first.status_code == again.status_code == {Exit.UNAVAILABLE: 503, Exit.REFUSED: 409}[code]
    assert "It may have been done all the same." in again.text
    assert counter.runs == 1


def test_a_defect_after_a_change_does_not_repeat_the_change(browser: Browser, counter: Counter) -> None:
    form = browser.new_form("/counter/add") | WHY
    counter.defect = ValueError("an answer that nobody foresaw")
    sent = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
    assert browser.request("POST", "/counter/add", data=form, headers=sent, defects=True).status_code == 500
    counter.defect = None
    again = browser.post("/counter/add", form)
    assert (again.status_code, counter.runs) == (409, 1)
    assert "It was not sent again." in again.text
    assert browser.post("/counter/add", browser.new_form("/counter/add") | WHY).status_code == 303


def test_a_websocket_is_closed_before_any_page_sees_it(browser: Browser) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/static/console.js", "headers": [], "query_string": b""}
    asyncio.run(browser.app(scope, receive, send))  # type: ignore[arg-type]
    assert sent == [{"type": "websocket.close"}]


def test_a_stale_form_is_refused_when_what_it_showed_has_changed(browser: Browser, counter: Counter) -> None:
    form = form_of(browser) | {"seen": fingerprint(counter.seen)}
    counter.seen = {"version": 2}
    assert browser.post("/counter/add", form).status_code == 409
    assert counter.runs == 0


def test_an_old_form_is_refused(counter: Counter) -> None:
    now = [1_000_000.0]
    browser = browser_of(may_write=True, forms=Forms(clock=lambda: now[0])).enter()
    form = form_of(browser)
    now[0] += 3_601
    assert browser.post("/counter/add", form).status_code == 409
    assert counter.runs == 0


def test_an_answer_that_exists_once_is_forgotten_after_minutes(counter: Counter) -> None:
    now = [1_000_000.0]
    forms = Forms(clock=lambda: now[0])
    browser = browser_of(forms=forms).enter()
    answer = browser.post("/counter/read", form_of(browser, "/counter/read"))
    nonce = answer.headers["location"].partition("done=")[2]
    assert forms.done(nonce).shown == {"name": "Ada"}
    now[0] += 601
    assert forms.done(nonce) == Done(location="/counter", message="read")


def test_more_changes_than_the_limit_are_refused_and_old_results_make_room(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms_module, "_MAX_RESULTS", 2)
    now = [1_000_000.0]
    browser = browser_of(may_write=True, forms=Forms(clock=lambda: now[0])).enter()
    assert [browser.post("/counter/add", form_of(browser)).status_code for _ in range(3)] == [303, 303, 409]
    now[0] += 7_201
    assert browser.post("/counter/add", form_of(browser)).status_code == 303
    assert counter.runs == 3


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_change_needs_a_reason(browser: Browser, counter: Counter, reason: str) -> None:
    assert browser.post("/counter/add", {**form_of(browser), "reason": reason}).status_code == 422
    assert counter.runs == 0


def test_without_write_nothing_changes_and_an_access_is_recorded_with_its_reason(counter: Counter) -> None:
    browser = browser_of().enter()
    refused = browser.post("/counter/add", form_of(browser))
    assert (refused.status_code, counter.runs) == (409, 0)
    assert "--write" in refused.text
    assert browser.post("/counter/read", {**form_of(browser, "/counter/read"), "reason": ""}).status_code == 422
    assert browser.post("/counter/read", form_of(browser, "/counter/read")).status_code == 303
    assert counter.runs == 1


def test_production_looks_different_and_asks_for_its_name(counter: Counter) -> None:
    browser = browser_of(may_write=True, environment="prod").enter()
    page = browser.get("/help").text
    assert "Production: real money" in page
    assert "<title>[prod] " in page
    form = form_of(browser)
    assert browser.post("/counter/add", form).status_code == 422
    assert browser.post("/counter/add", {**form, "environment": "dev"}).status_code == 422
    assert browser.post("/counter/add", {**form, "environment": "prod"}).status_code == 303
    assert counter.runs == 1


@pytest.mark.parametrize("body", [b"form=" + b"x" * 1_000_001, b"&".join([b"a=b"] * 101), b"form=%ff%fe", b"form"])
def test_a_body_that_no_form_of_ours_sends_is_refused(browser: Browser, counter: Counter, body: bytes) -> None:
    headers = {"Origin": ORIGIN, "Content-Type": "application/x-www-form-urlencoded"}
    assert browser.request("POST", "/counter/add", content=body, headers=headers).status_code in {409, 422}
    assert counter.runs == 0


def test_single_keys_can_be_turned_off(browser: Browser) -> None:
    assert 'data-keys="on"' in browser.get("/help").text
    form = browser.form("/help", "/keys")
    assert browser.post("/keys", form).status_code == 303
    assert 'data-keys="off"' in browser.get("/help").text
    assert browser.post("/keys", {"form": "forged", "keys": "on"}).status_code == 409


def test_a_defect_says_so_and_its_answer_is_guarded_like_every_other(counter: Counter) -> None:
    def broken(_request: ScreenRequest) -> Page:
        raise KeyError("secret of the payment")

    counter.screen = replace(counter.screen, views=(View("/counter", broken),))
    browser = browser_with_hidden(counter)
    answer = browser.get("/counter", defects=True)
    assert answer.status_code == 500
    assert "This page has a defect" in answer.text
    assert "secret of the payment" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
