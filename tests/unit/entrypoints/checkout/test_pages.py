"""The payer's pages: each screen, each obstacle, each wrong request."""

import json
import logging
import re
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payflowx.adapters.dynamodb.merchants.configuration import MERCHANT as HEAD
from payflowx.application.checkout.page import Obstacle
from payflowx.application.payments.new_checkout import NewCheckout
from payflowx.domain.checkout.view import Screen
from payflowx.domain.payments.outcome import Accepted, ActionRequired, Declined, NextAction
from payflowx.domain.payments.payment import Customer, Payment, PaymentMethod
from payflowx.domain.payments.state_machine import erase
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError
from payflowx.domain.shared.limits import DAY_MS, SECOND_MS
from payflowx.domain.shared.metrics import Metric
from payflowx.domain.shared.statuses import DeclineKind
from payflowx.entrypoints.checkout import handler
from payflowx.entrypoints.checkout.texts.en import ENGLISH
from payflowx.wiring.checkout import CheckoutWiring
from tests.support.tables import CONFIGURATION
from tests.support.world import MERCHANT, new_payment
from tests.unit.application.checkout.conftest import PAGES
from tests.unit.entrypoints.checkout.conftest import Answer, Browser, PageShop

FORM = {"content-type": "application/x-www-form-urlencoded"}
HOSTILE = "<script>alert(1)</script>\"'&{merchant}<b onclick=x>\u202e{0}%s"


def needs(shop: PageShop, provider: str, *facts: str) -> None:
    """Have a provider's page need these facts about the payer."""
    scripted = shop.at(provider)
    assert scripted.able.hosted is not None
    hosted = replace(scripted.able.hosted, needs=frozenset(facts))
    scripted.able = replace(scripted.able, hosted=hosted)


def set_merchant(shop: PageShop, **attributes: object) -> None:
    """Attributes of the merchant's own item."""
    shop.world._put(CONFIGURATION, {"pk": f"M#{MERCHANT}", "sk": HEAD, "name": "Acme", **attributes})
    shop.world.deploy()


def policy_of(answer: Answer) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: value for name, _, value in parts}


class TestChoosing:
    def test_the_page_shows_whom_how_much_and_what_for(self, shop: PageShop, browser: Browser) -> None:
        page = browser.open(shop.sell(description="Order 7"))
        assert page.heading == "Pay 19.99\u00a0USD to Acme".replace("\u00a0", " ")
        assert "Order 7" in page.text
        assert page.choices() == ["card", "upi", "netbanking"]
        assert page.barriers() == []

    def test_the_choice_is_open_until_the_time_that_the_page_names(self, shop: PageShop, browser: Browser) -> None:
        """No provider's page is made for its last moments, so that the choice ends before the checkout."""
        payment = shop.sell()
        body = browser.get(browser.address(payment)).body
        named = datetime.fromisoformat(re.findall(r'<time datetime="([^"]+)"', body)[0])
        shop.world.clock.advance(named.timestamp() - shop.world.clock.now_ms() / SECOND_MS)
        assert browser.open(payment).choices() == ["card", "netbanking"]
        shop.world.clock.advance(1)
        assert browser.open(payment).heading == ENGLISH.screens[Screen.EXPIRED].heading

    def test_opening_it_changes_nothing(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.sell()
        for _ in range(3):
            browser.open(payment)
            assert browser.send("HEAD", browser.address(payment)).status == 200
        assert shop.world.now(payment) == payment
        assert shop.world.jobs.sent == []

    def test_a_choice_leads_to_the_page_and_then_to_the_provider(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.sell()
        answer = browser.submit(browser.open(payment).form("Continue"), method="card")
        assert answer.page.heading == ENGLISH.screens[Screen.OPENING].heading
        assert answer.page.has_form("Check again")
        shop.settle(payment)
        page = browser.submit(answer.page.form("Check again")).page
        assert page.link("Go to the payment page").startswith("https://bank.example/")
        assert page.barriers() == []

    @pytest.mark.parametrize("declared", ["https://bank.example", "https://other.example"])
    def test_an_address_that_is_known_in_time_is_opened_at_once_if_the_policy_names_it(
        self, shop: PageShop, browser: Browser, declared: str
    ) -> None:
        """Browsers stop at any other: an account may have a domain of its own at the provider. A link leads there."""
        scripted = shop.at("alpha")
        assert scripted.able.hosted is not None
        scripted.able = replace(scripted.able, hosted=replace(scripted.able.hosted, form_hosts=frozenset({declared})))
        payment = shop.sell()
        wired = shop.world.wired(CheckoutWiring)
        wired.page = replace(wired.page, wait_seconds=4, pause=shop._pause)
        policy = policy_of(browser.get(browser.address(payment)))["form-action"]
        answer = browser.post(f"{browser.address(payment)}/attempts", "method=card")
        assert answer.status == 303
        is_named = declared == "https://bank.example"
        assert answer.headers["Location"].startswith("https://bank.example/" if is_named else "../")
        assert is_named == ("https://bank.example" in policy.split())
        assert browser.open(payment).link("Go to the payment page").startswith("https://bank.example/")

    def test_a_page_that_is_opened_by_a_form_gets_one_plain_form(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.sell()
        action = NextAction(kind="form_post", url="https://bank.example/pay", fields={"session": HOSTILE, "a": ""})
        shop.at("alpha").charges.append(ActionRequired(reference="obj-1", action=action))
        shop.choose(payment)
        answer = browser.get(browser.address(payment))
        form = answer.page.form("Go to the payment page")
        assert (form.action, form.method, form.fields) == ("https://bank.example/pay", "post", dict(action.fields))
        assert policy_of(answer)["form-action"] == "'self' https://bank.example"
        assert answer.page.barriers() == []

    def test_a_single_way_needs_no_list(self, shop: PageShop, browser: Browser) -> None:
        page = browser.open(shop.sell(checkout=NewCheckout(methods=("upi",))))
        assert page.choices() == []
        assert page.form("Continue: UPI").fields == {"method": "upi"}
        assert page.barriers() == []

    def test_a_way_that_cannot_be_closed_says_so(self, shop: PageShop, browser: Browser) -> None:
        page = browser.open(shop.sell())
        (hint,) = [node for node in page.root.every("span") if node.get("id") == "method-netbanking-hint"]
        assert hint.text == ENGLISH.labels["one_way"]

    def test_without_a_choice_the_page_says_it_at_the_list(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.sell()
        answer = browser.submit(browser.open(payment).form("Continue"))
        assert answer.status == 422
        assert answer.page.link("Choose how to pay.").endswith("#method-card")
        assert answer.page.root.first("title").text.startswith("Error: ")
        assert answer.page.barriers() == []
        assert shop.world.now(payment) == payment

    def test_forms_lead_only_to_our_page_and_to_those_of_the_ways(self, shop: PageShop, browser: Browser) -> None:
        scripted = shop.at("beta")
        assert scripted.able.hosted is not None
        hosted = replace(scripted.able.hosted, form_hosts=frozenset({"https://beta.example"}))
        scripted.able = replace(scripted.able, hosted=hosted)
        payment = shop.sell()
        assert policy_of(browser.get(browser.address(payment)))["form-action"] == "'self' https://beta.example"
        shop.world.set_merchant(disabled=frozenset({"beta"}))
        assert policy_of(browser.get(browser.address(payment)))["form-action"] == "'self'"

    def test_the_policy_is_good_for_the_forms_that_the_script_brings_in_later(
        self, shop: PageShop, browser: Browser
    ) -> None:
        """A document keeps the policy that it came with: the choice after a closing must reach the provider."""
        scripted = shop.at("beta")
        assert scripted.able.hosted is not None
        hosted = replace(scripted.able.hosted, form_hosts=frozenset({"https://beta.example"}))
        scripted.able = replace(scripted.able, hosted=hosted)
        payment = shop.sell()
        shop.choose(payment)
        answer = browser.get(browser.address(payment))
        assert answer.page.link("Go to the payment page")
        assert policy_of(answer)["form-action"] == "'self' https://beta.example"


class TestDetails:
    def test_they_are_asked_for_where_a_provider_needs_them(self, shop: PageShop, browser: Browser) -> None:
        needs(shop, "alpha", "customer.email", "customer.phone")
        payment = shop.sell(customer=None)
        page = browser.open(payment)
        assert {"email", "phone"} <= {node.get("name") for node in page.root.every("input")}
        assert "Needed for: Card, UPI." in page.text
        assert page.barriers() == []
        answer = browser.submit(page.form("Continue"), method="upi", email=" a@b.example ", phone="+91 98123-45678")
        assert answer.page.heading == ENGLISH.screens[Screen.OPENING].heading
        customer = shop.world.now(payment).customer
        assert customer is not None
        assert (customer.email, customer.phone) == ("a@b.example", "+919812345678")

    def test_what_is_known_is_not_asked_for(self, shop: PageShop, browser: Browser) -> None:
        needs(shop, "alpha", "customer.email")
        page = browser.open(shop.sell(customer=Customer(email="known@b.example")))
        assert "known@b.example" not in page.markup
        assert [node.get("name") for node in page.root.every("input") if node.get("type") != "radio"] == []

    @pytest.mark.parametrize(
        ("field", "value", "error"),
        [
            ("email", "", "email"),
            ("email", "nobody", "email"),
            ("email", "a" * 250 + "@b.example", "email"),
            ("email", "a@b.example\u202e", "email"),
            ("email", "4111111111111111@b.example", "card_number"),
            ("phone", "98123", "phone"),
            ("phone", "+12", "phone"),
            ("phone", "+9198123456789999", "phone"),
            ("phone", "+378282246310005", "card_number"),
            ("phone", "378282246310005", "card_number"),
            ("phone", "4111111111111111", "card_number"),
        ],
    )
    def test_a_wrong_one_is_named_at_its_field_and_nothing_is_stored(
        self, shop: PageShop, browser: Browser, field: str, value: str, error: str
    ) -> None:
        needs(shop, "alpha", "customer.email", "customer.phone")
        payment = shop.sell(customer=None)
        typed = {"email": "a@b.example", "phone": "+919812345678", field: value}
        answer = browser.post(f"{browser.address(payment)}/attempts", urlencode({"method": "card", **typed}))
        page = answer.page
        assert answer.status == 422
        assert page.link(ENGLISH.errors[error]).endswith(f"#{field}")
        (wrong,) = [node for node in page.root.every("input") if node.get("aria-invalid") == "true"]
        assert wrong.get("name") == field
        assert wrong.get("aria-describedby").endswith(f"{field}-error")
        kept = {node.get("name"): node.get("value") for node in page.root.every("input") if node.get("name") in typed}
        assert kept[field] == value.strip()
        assert "checked" in next(n for n in page.root.every("input") if n.get("value") == "card").attributes
        assert page.barriers() == []
        assert shop.world.now(payment) == payment

    @pytest.mark.parametrize("field", ["name", "email", "phone"])
    def test_one_that_the_provider_does_not_take_is_named_at_its_field(
        self, shop: PageShop, browser: Browser, field: str
    ) -> None:
        typed = {"name": "Zoe Example", "email": "a@b.example", "phone": "+919812345678"}
        scripted = shop.at("alpha")
        assert scripted.able.hosted is not None
        needed, forms = frozenset(f"customer.{name}" for name in typed), {f"customer.{field}": re.compile("never")}
        scripted.able = replace(scripted.able, hosted=replace(scripted.able.hosted, needs=needed, forms=forms))
        payment = shop.sell(customer=Customer(**typed))
        page = browser.open(payment)
        assert [node.get("name") for node in page.root.every("input") if node.get("type") != "radio"] == [field]
        answer = browser.post(f"{browser.address(payment)}/attempts", urlencode({"method": "card", **typed}))
        assert answer.status == 422
        assert answer.page.link(ENGLISH.errors[f"{field}_not_taken"]).endswith(f"#{field}")
        assert answer.page.barriers() == []
        assert shop.world.now(payment) == payment

    def test_a_way_that_needs_nothing_is_taken_without(self, shop: PageShop, browser: Browser) -> None:
        needs(shop, "alpha", "customer.email")
        payment = shop.sell(customer=None)
        answer = browser.submit(browser.open(payment).form("Continue"), method="netbanking")
        assert answer.page.heading == ENGLISH.screens[Screen.OPENING].heading


class TestScreens:
    def shown(self, shop: PageShop, browser: Browser, screen: Screen) -> Payment:
        """Bring a payment to a screen."""
        payment = shop.sell(return_url="https://shop.example/done?a=1", description=HOSTILE)
        match screen:
            case Screen.CHOOSE:
                pass
            case Screen.OPENING:
                browser.post(f"{browser.address(payment)}/attempts", "method=card")
            case Screen.OPEN:
                shop.choose(payment)
            case Screen.CLOSING:
                shop.choose(payment)
                browser.post(f"{browser.address(payment)}/close")
            case Screen.BLOCKED:
                shop.choose(payment, "netbanking")
                shop.at("gamma").inquiries.append(
                    Declined(kind=DeclineKind.SOFT, code="expired", reopens_for_seconds=3600)
                )
                shop.wait(payment, 61)
            case Screen.PROCESSING:
                shop.choose(payment)
                shop.at("alpha").inquiries += [Accepted(reference=None)] * 2
                shop.wait(payment, 61)
            case Screen.PAID:
                shop.choose(payment)
                shop.at("alpha").is_paid = True
                shop.wait(payment, 61)
            case Screen.EXPIRED:
                shop.wait(payment, 86_401)
            case Screen.CANCELLED:
                shop.world.cancel(MERCHANT, payment.transaction_id)
            case Screen.GONE:
                stored = shop.world.now(payment)
                shop.world.outcome_writer.commit(erase(stored, shop.page()._context()))
            case Screen.FAILED:
                shop.wait(payment, 86_401)
        return shop.world.now(payment)

    @pytest.mark.parametrize("screen", [screen for screen in Screen if screen is not Screen.FAILED])
    def test_each_is_complete_for_everybody(self, shop: PageShop, browser: Browser, screen: Screen) -> None:
        address = browser.address(shop.sell(return_url="https://shop.example/done?a=1", description=HOSTILE))
        payment = self.shown(shop, browser, screen)
        answer = browser.get(address)
        page = answer.page
        assert answer.status == 200
        expected = ENGLISH.screens[screen].heading.format(amount="19.99 USD", merchant="Acme")
        assert page.heading == expected
        assert page.barriers() == []
        assert "onclick" not in page.markup.replace("&lt;b onclick", "")
        assert page.root.first("main").get("data-state").startswith(screen.value)
        is_waiting = screen in {Screen.OPENING, Screen.OPEN, Screen.CLOSING, Screen.PROCESSING}
        assert (page.root.first("main").get("data-waits") == "true") is is_waiting
        assert page.has_form("Check again") is (is_waiting or screen is Screen.BLOCKED)
        if screen is not Screen.GONE:
            back = f"https://shop.example/done?a=1&transactionId={payment.transaction_id}"
            assert page.link("Back to Acme") == back

    def test_a_failed_payment(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.sell()
        for _ in range(8):
            shop.choose(payment)
            shop.at("alpha").inquiries.append(Declined(kind=DeclineKind.HARD, code="no", message=""))
            shop.wait(payment, 61)
            if shop.screen(payment) is not Screen.CHOOSE:
                break
        assert shop.screen(payment) is Screen.FAILED
        page = browser.open(payment)
        assert page.heading == ENGLISH.screens[Screen.FAILED].heading
        assert page.barriers() == []

    def test_the_receipt(self, shop: PageShop, browser: Browser) -> None:
        payment = self.shown(shop, browser, Screen.PAID)
        page = browser.open(payment)
        rows = [node.text for node in page.root.first("dl").every("dd")]
        assert rows[:2] == ["Acme", "19.99 USD"]
        assert payment.transaction_id in rows
        settled_at_ms = payment.attempts[0].settled_at_ms
        assert settled_at_ms is not None
        assert page.root.first("time").get("datetime").endswith("Z")

    def test_without_a_return_address_the_receipt_is_the_end(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.choose(shop.sell(return_url=None))
        shop.at("alpha").is_paid = True
        shop.wait(payment, 61)
        assert list(browser.open(payment).root.every("a")) == []

    def test_the_blocked_page_says_until_when(self, shop: PageShop, browser: Browser) -> None:
        payment = self.shown(shop, browser, Screen.BLOCKED)
        page = browser.open(payment)
        assert ENGLISH.labels["blocked_until"].strip() in page.text
        assert not page.has_form("Continue")


class TestClosing:
    def test_after_a_proven_closing_the_payer_chooses_again(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.choose(shop.sell())
        answer = browser.submit(browser.open(payment).form("Choose another way to pay"))
        assert answer.page.heading == ENGLISH.screens[Screen.CLOSING].heading
        shop.settle(payment)
        assert browser.open(payment).has_form("Continue")

    def test_where_nothing_proves_a_closing_there_is_no_button(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.choose(shop.sell(), "netbanking")
        assert not browser.open(payment).has_form("Choose another way to pay")
        answer = browser.post(f"{browser.address(payment)}/close")
        assert answer.headers["Location"].endswith("?obstacle=not_closable")


class TestObstacles:
    @pytest.mark.parametrize("obstacle", list(Obstacle))
    def test_each_is_a_sentence_on_the_page(self, shop: PageShop, browser: Browser, obstacle: Obstacle) -> None:
        page = browser.get(f"{browser.address(shop.sell())}?obstacle={obstacle.value}").page
        (remark,) = [node for node in page.root.every("p") if node.get("class") == "remark"]
        assert (remark.text, remark.get("role")) == (ENGLISH.obstacles[obstacle], "alert")
        assert page.barriers() == []

    @pytest.mark.parametrize("code", ["", "x", HOSTILE, "busy&obstacle=x"])
    def test_an_unknown_code_says_nothing(self, shop: PageShop, browser: Browser, code: str) -> None:
        payment = shop.sell()
        shown = browser.get(f"{browser.address(payment)}?obstacle={code}").body
        assert shown == browser.get(browser.address(payment)).body

    def test_a_second_choice_is_led_to_the_first_one(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.sell()
        form = browser.open(payment).form("Continue")
        browser.submit(form, method="card")
        answer = browser.submit(form, method="upi")
        assert ENGLISH.obstacles[Obstacle.ALREADY_CHOSEN] in answer.page.text
        assert shop.settle(payment).checkout is not None
        assert len(shop.world.now(payment).attempts) == 1

    def test_a_fourth_start_within_a_minute_is_refused_and_counted(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.sell()
        for _ in range(3):
            shop.choose(payment)
            browser.post(f"{browser.address(payment)}/close")
            shop.settle(payment)
        answer = browser.submit(browser.open(payment).form("Continue"), method="card")
        assert (answer.status, answer.headers["Retry-After"]) == (429, "60")
        assert answer.page.barriers() == []
        assert answer.page.link("Back to the payment") == browser.address(payment)
        assert shop.world.telemetry.total(Metric.CHECKOUT_STARTS_REFUSED) == 1

    def test_a_choice_for_an_expired_link_is_led_to_the_page(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.sell()
        form = browser.open(payment).form("Continue")
        shop.wait(payment, 86_401)
        assert browser.submit(form, method="card").page.heading == ENGLISH.screens[Screen.EXPIRED].heading


class TestComingBack:
    def test_the_address_shows_and_can_do_no_more(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.choose(shop.sell())
        back = f"{PAGES}/{shop.way_back(payment)}"
        answer = browser.get(f"{back}/return?razorpay_payment_id=x&obstacle=busy&status=paid")
        assert answer.status == 200
        page = answer.page
        assert page.heading == ENGLISH.screens[Screen.OPEN].heading
        assert not page.has_form("Choose another way to pay")
        assert page.form("Check again").action == f"{back}/return"
        assert shop.token(payment) not in answer.body
        assert page.barriers() == []
        for method, rest in (("GET", ""), ("POST", "/attempts"), ("POST", "/close")):
            assert browser.send(method, back + rest, "method=card").status == 404

    def test_the_pages_address_is_no_way_back(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.choose(shop.sell())
        assert browser.get(f"{browser.address(payment)}/return").status == 404

    def test_a_form_of_the_provider_is_led_to_the_page_and_proves_nothing(
        self, shop: PageShop, browser: Browser
    ) -> None:
        payment = shop.choose(shop.sell())
        answer = browser.post(f"{PAGES}/{shop.way_back(payment)}/return", "status=success&hash=x" * 999)
        assert (answer.status, answer.headers["Location"]) == (303, "return")
        assert shop.screen(payment) is Screen.OPEN

    def test_where_the_payer_could_choose_it_says_where(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.choose(shop.sell())
        back = f"{PAGES}/{shop.way_back(payment)}/return"
        browser.post(f"{browser.address(payment)}/close")
        shop.settle(payment)
        page = browser.get(back).page
        assert ENGLISH.labels["use_link"] in page.text
        assert page.choices() == []
        assert page.barriers() == []


class TestUnknownAddresses:
    def test_they_all_get_one_page(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.sell()
        token = shop.token(payment)
        changed = token[:-1] + ("A" if token[-1] != "A" else "B")
        wrong = ["x", "", "é", "%20", "a" * 161, changed, token + "A", token[1:], token + "="]
        pages = {browser.get(f"{PAGES}/{each}").body for each in wrong if each}
        shop.world.clock.advance(86_400 + DAY_MS / 1000 + 1)
        expired = browser.get(browser.address(payment))
        pages.add(expired.body)
        assert expired.status == 404
        assert len(pages) == 1
        assert expired.page.barriers() == []
        assert "Acme" not in expired.body

    def test_forms_too(self, browser: Browser) -> None:
        for rest in ("/attempts", "/close"):
            answer = browser.post(f"{PAGES}/unknown{rest}", "method=card")
            assert (answer.status, answer.page.heading) == (404, "This page does not exist")

    def test_of_a_deleted_merchant(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.sell()
        shop.world.dynamodb.delete_item(TableName=CONFIGURATION, Key={"pk": {"S": f"M#{MERCHANT}"}, "sk": {"S": HEAD}})
        shop.world.deploy()
        assert browser.get(browser.address(payment)).status == 404


class TestHeaders:
    def test_of_a_page(self, shop: PageShop, browser: Browser) -> None:
        answer = browser.get(browser.address(shop.sell()))
        headers = answer.headers
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Robots-Tag"] == "noindex, nofollow"
        assert headers["X-Content-Type-Options"] == "nosniff"
        policy = policy_of(answer)
        assert policy == {
            "default-src": "'none'",
            "style-src": "'self'",
            "script-src": "'self'",
            "connect-src": "'self'",
            "form-action": "'self'",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
        }

    def test_of_every_other_answer(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.sell()
        address = browser.address(payment)
        for answer in (
            browser.get(f"{PAGES}/x"),
            browser.post(f"{address}/attempts", ""),
            browser.post(f"{address}/attempts", "method=card"),
            browser.post(f"{address}/close"),
            browser.send("PUT", address),
        ):
            assert answer.headers["Cache-Control"] == "no-store", answer
            assert answer.headers["Referrer-Policy"] == "no-referrer", answer
            assert "Set-Cookie" not in answer.headers

    def test_static_files_are_kept_for_good(self, shop: PageShop, browser: Browser) -> None:
        page = browser.open(shop.sell())
        names = [node.get("href") for node in page.root.every("link")] + [page.root.first("script").get("src")]
        assert len(names) == 3
        for name in names:
            answer = browser.get(f"{PAGES}/{name}")
            assert answer.status == 200, name
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert browser.get(f"{PAGES}/assets/page.css").status == 404


class TestWrongRequests:
    @pytest.mark.parametrize(
        ("method", "rest", "allowed"),
        [
            ("PUT", "", "GET, HEAD"),
            ("DELETE", "", "GET, HEAD"),
            ("POST", "", "GET, HEAD"),
            ("OPTIONS", "", "GET, HEAD"),
            ("GET", "/attempts", "POST"),
            ("HEAD", "/attempts", "POST"),
            ("GET", "/close", "POST"),
            ("PATCH", "/return", "GET, HEAD, POST"),
        ],
    )
    def test_a_method_that_a_route_has_not(
        self, shop: PageShop, browser: Browser, method: str, rest: str, allowed: str
    ) -> None:
        payment = shop.sell()
        answer = browser.send(method, browser.address(payment) + rest)
        assert (answer.status, answer.headers["Allow"]) == (405, allowed)
        assert shop.world.now(payment) == payment

    def test_head_has_the_headers_of_get_and_no_body(self, shop: PageShop, browser: Browser) -> None:
        address = browser.address(shop.sell())
        head, get = browser.send("HEAD", address), browser.get(address)
        assert (head.status, head.headers, head.body) == (get.status, get.headers, "")

    @pytest.mark.parametrize(
        ("changed", "status"),
        [
            ({"body": "x" * 5000}, 413),
            ({"body": "eA==" * 3000, "isBase64Encoded": True}, 413),
            ({"body": "%%%", "isBase64Encoded": True}, 400),
            ({"body": "bWV0aG9k/w==", "isBase64Encoded": True}, 400),
            ({"body": "method=%ff"}, 400),
            ({"body": "method=ü"}, 400),
            ({"body": "&".join(f"a{n}=1" for n in range(11))}, 400),
            ({"body": "method=card", "headers": {"Content-Type": "application/json"}}, 400),
            ({"body": "method=card", "headers": None}, 400),
            ({"body": "method=\x00"}, 422),
            ({"body": None}, 422),
            ({"body": "method=card&method=upi"}, 303),
            ({"body": "bWV0aG9kPWNhcmQ=", "isBase64Encoded": True}, 303),
        ],
    )
    def test_bodies(self, shop: PageShop, browser: Browser, changed: dict[str, object], status: int) -> None:
        address = f"{browser.address(shop.sell())}/attempts"
        answer = browser.send("POST", address, "method=card", changed)
        assert answer.status == status

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(body=st.text(max_size=300), base64=st.booleans(), token=st.text(max_size=40))
    def test_no_request_is_an_error_of_ours(self, body: str, base64: bool, token: str) -> None:
        shop = PageShop()
        with handler.wiring.use(lambda: shop.world.wired(CheckoutWiring)):
            browser, payment = Browser(shop), shop.sell()
            for rest in ("attempts", "close", "return"):
                for bearer in (shop.token(payment), token):
                    answer = browser.send(
                        "POST",
                        f"{PAGES}/x/{rest}",
                        body,
                        {"isBase64Encoded": base64, "pathParameters": {"token": bearer}, "headers": FORM},
                    )
                    assert answer.status in {303, 400, 404, 413, 422}, answer

    def test_an_unknown_route(self, browser: Browser) -> None:
        assert browser.send("GET", f"{PAGES}/x", None, {"resource": "/other"}).status == 404

    def test_storage_that_does_not_answer(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.sell()
        with shop.world.refusing("get_item"):
            answer = browser.get(browser.address(payment))
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert answer.page.barriers() == []

    def test_a_fault_of_ours(self, shop: PageShop, browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
        payment = shop.sell()
        wired = shop.world.wired(CheckoutWiring)
        wired.page = None  # type: ignore[assignment]
        with caplog.at_level(logging.INFO):
            answer = browser.get(browser.address(payment))
        assert answer.status == 500
        assert answer.page.barriers() == []


class TestPrivacy:
    def test_no_log_line_holds_a_token_or_what_was_typed(
        self, shop: PageShop, browser: Browser, capfd: pytest.CaptureFixture[str]
    ) -> None:
        needs(shop, "alpha", "customer.email", "customer.phone")
        payment = shop.sell(customer=None)
        address = browser.address(payment)
        typed = urlencode({"method": "card", "email": "secret@b.example", "phone": "+919812345678"})
        browser.post(f"{address}/attempts", "method=card&email=secret@&phone=98")
        browser.post(f"{address}/attempts", typed)
        shop.settle(payment)
        browser.get(f"{PAGES}/{shop.way_back(payment)}/return?x=secret")
        browser.post(f"{address}/close")
        with shop.world.refusing("get_item"):
            browser.get(address)
        wired = shop.world.wired(CheckoutWiring)
        wired.page = None  # type: ignore[assignment]
        browser.get(address)
        written = capfd.readouterr()
        lines = json.dumps(shop.world.telemetry.lines) + written.out + written.err
        assert "storage unavailable" in lines
        for hidden in (shop.token(payment), shop.way_back(payment), "secret", "9812345678"):
            assert hidden not in lines

    def test_personal_data_is_not_shown_to_whoever_has_the_link(self, shop: PageShop, browser: Browser) -> None:
        customer = Customer(id="c-1", name="Ada Example", email="ada@b.example", phone="+919812345678", country="IN")
        payment = shop.sell(customer=customer)
        for text in ("Ada", "ada@b.example", "9812345678"):
            assert text not in browser.open(payment).markup


class TestBrand:
    def test_hostile_texts_stay_texts(self, shop: PageShop, browser: Browser) -> None:
        set_merchant(shop, name=HOSTILE)
        page = browser.open(shop.sell(description=HOSTILE, return_url="https://shop.example/?a=%22%3E"))
        assert len(list(page.root.every("script"))) == 1
        assert list(page.root.every("b")) == []
        assert page.root.first("header").text == " ".join(HOSTILE.split())
        assert page.barriers() == []

    def test_a_merchants_name_support_and_colour(self, shop: PageShop, browser: Browser) -> None:
        set_merchant(shop, checkout={"shownName": "Blue Shoes", "support": "help@b.example", "accent": "#ffdd00"})
        page = browser.open(shop.sell())
        assert page.heading == "Pay 19.99 USD to Blue Shoes"
        assert page.link("help@b.example") == "mailto:help@b.example"
        styles = [node.get("href") for node in page.root.every("link")]
        assert styles[0] == "assets/accent-ffdd00.css"
        assert "--on-accent: #1b1b1b" in browser.get(f"{PAGES}/{styles[0]}").body
        assert page.barriers() == []

    def test_new_checkouts_can_be_refused_while_others_are_paid(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.sell()
        set_merchant(shop, checkout={"newCheckouts": False})
        with pytest.raises(Refusal) as refused:
            shop.sell("order-2")
        assert refused.value.code == "checkout_unavailable"
        assert shop.sell() == payment, "a repeated request is answered as before"
        answer = browser.submit(browser.open(payment).form("Continue"), method="card")
        assert answer.page.heading == ENGLISH.screens[Screen.OPENING].heading

    def test_a_merchants_limit_refuses_new_checkouts_until_the_hour_is_over(
        self, shop: PageShop, browser: Browser
    ) -> None:
        set_merchant(shop, checkout={"maxRefusedStarts": 2})
        payment = shop.sell()
        create = replace(shop.create, refused_starts=shop.world.wired(CheckoutWiring).page.refused_starts)
        request = new_payment("order-2", payment_method=PaymentMethod(type="checkout"), checkout=NewCheckout())
        for _ in range(3):
            shop.choose(payment)
            browser.post(f"{browser.address(payment)}/close")
            shop.settle(payment)
        for status in (429, 429):
            assert browser.submit(browser.open(payment).form("Continue"), method="card").status == status
        with pytest.raises(Refusal, match="test of stolen cards"):
            create(request)
        shop.world.clock.advance(3600)
        assert create(request).payment.checkout is not None
        answer = browser.submit(browser.open(payment).form("Continue"), method="card")
        assert answer.status == 200, "who has an address can pay all the while"

    def test_without_a_limit_nothing_is_counted(self, shop: PageShop, browser: Browser) -> None:
        payment = shop.sell()
        for _ in range(3):
            shop.choose(payment)
            browser.post(f"{browser.address(payment)}/close")
            shop.settle(payment)
        sent = shop.world.requests_of("update_item")
        assert browser.submit(browser.open(payment).form("Continue"), method="card").status == 429
        assert sent == []

    def test_storage_errors_never_show_their_text(self, shop: PageShop, browser: Browser) -> None:
        wired = shop.world.wired(CheckoutWiring)

        class Failing:
            def show(self, _token: str) -> None:
                raise StorageUnavailableError("canary")

        wired.page = Failing()  # type: ignore[assignment]
        assert "canary" not in browser.get(f"{PAGES}/x").body
