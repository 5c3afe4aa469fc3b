"""The parts of a page: markup, amounts, the way back to the shop, static files."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflowx.domain.merchants.checkout_profile import DEFAULT_ACCENT, INK, PAPER, contrast, text_colour_on
from payflowx.entrypoints.checkout.amounts import machine_time, shown_amount, shown_time
from payflowx.entrypoints.checkout.html import element
from payflowx.entrypoints.checkout.links import shop_address
from payflowx.entrypoints.checkout.static import SCRIPT, STYLES, accent_name, find
from tests.support.pages import BrowserPage


class TestHtml:
    @given(st.text())
    def test_a_text_never_becomes_markup(self, text: str) -> None:
        markup = element("p", text, title=text).markup
        page = BrowserPage("https://pay.example/", markup)
        (only,) = page.root.children
        assert only.children == []
        assert markup.count("<") == 2

    @pytest.mark.parametrize(
        "address",
        [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            " javascript:alert(1)",
            "data:text/html,x",
            "//evil.example/",
            "\\\\evil.example",
            "http://evil.example/",
            "vbscript:x",
        ],
    )
    def test_an_address_has_a_scheme_that_is_listed(self, address: str) -> None:
        with pytest.raises(ValueError, match="scheme"):
            element("a", "x", href=address)
        with pytest.raises(ValueError, match="scheme"):
            element("form", action=address)

    @pytest.mark.parametrize(
        "address", ["https://a.example/?b=c:d", "abc", "../abc/return", "abc?x=a:b", "#method", "mailto:a@b.example"]
    )
    def test_addresses_of_pages_pass(self, address: str) -> None:
        assert f'href="{address}"' in element("a", "x", href=address).markup

    def test_attributes(self) -> None:
        made = element("input", type="radio", checked=True, disabled=False, value=None, aria_label="a", for_="b")
        assert made.markup == '<input type="radio" checked aria-label="a" for="b">'


class TestAmounts:
    @pytest.mark.parametrize(
        ("amount", "currency", "shown"),
        [
            (1, "USD", "0.01 USD"),
            (1999, "EUR", "19.99 EUR"),
            (123_456_789, "INR", "1 234 567.89 INR"),
            (1000, "JPY", "1 000 JPY"),
            (1, "KWD", "0.001 KWD"),
            (999_999_999_999, "USD", "9 999 999 999.99 USD"),
        ],
    )
    def test_by_the_exponent_of_the_currency(self, amount: int, currency: str, shown: str) -> None:
        assert re.sub(r"\s", " ", shown_amount(amount, currency)) == shown
        assert " " not in shown_amount(amount, currency), "it may not break between its parts"

    def test_times(self) -> None:
        assert machine_time(1_764_338_700_123) == "2025-11-28T14:05:00Z"
        assert re.sub(r"\s", " ", shown_time(1_764_338_700_123)) == "2025-11-28 14:05 UTC"


class TestWayBack:
    @pytest.mark.parametrize(
        ("return_url", "address"),
        [
            ("https://shop.example/done", "https://shop.example/done?transactionId=pay_1"),
            ("https://shop.example", "https://shop.example?transactionId=pay_1"),
            ("https://shop.example/?a=1&b=%20x", "https://shop.example/?a=1&b=%20x&transactionId=pay_1"),
            ("https://shop.example/?a=1#part", "https://shop.example/?a=1&transactionId=pay_1#part"),
            ("https://shop.example/?transactionId=pay_0", "https://shop.example/?transactionId=pay_1"),
            ("https://shop.example/?&", "https://shop.example/?transactionId=pay_1"),
        ],
    )
    def test_the_shops_own_query_stays(self, return_url: str, address: str) -> None:
        assert shop_address(return_url, "pay_1") == address


class TestStatic:
    def test_a_name_holds_the_hash_of_the_content(self) -> None:
        for file in (STYLES, SCRIPT):
            assert re.fullmatch(r"page-[0-9a-f]{16}\.(css|js)", file.name)
            assert find(file.name) == file

    @pytest.mark.parametrize("name", ["", "page.css", "page-0000000000000000.css", "../handler.py", "accent-xyz.css"])
    def test_an_unknown_name(self, name: str) -> None:
        assert find(name) is None

    def test_a_colour_is_a_stylesheet(self) -> None:
        found = find(accent_name("#1f5fa8"))
        assert found is not None
        assert found.text == ":root { --accent: #1f5fa8; --on-accent: #ffffff; }\n"

    def test_a_colour_without_contrast_is_none(self) -> None:
        unreadable = next(
            colour for level in range(256) if text_colour_on(colour := f"#{level:02x}{level:02x}{level:02x}") is None
        )
        assert find(accent_name(unreadable)) is None

    def test_every_colour_of_the_stylesheet_is_readable_on_its_ground(self) -> None:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", STYLES.text))
        assert colours["ink"] == INK
        assert colours["paper"] == PAPER
        for name in ("ink", "quiet", "error"):
            assert contrast(colours[name], PAPER) >= 4.5, name
        assert contrast(colours["line"], PAPER) >= 3
        assert text_colour_on(DEFAULT_ACCENT) == PAPER

    def test_the_styles_and_the_script_load_nothing_from_elsewhere(self) -> None:
        assert "url(" not in STYLES.text
        assert "@import" not in STYLES.text
        assert "innerHTML" not in SCRIPT.text
        assert "http" not in SCRIPT.text


class TestColours:
    @pytest.mark.parametrize(
        ("one", "other", "ratio"), [("#000000", "#ffffff", 21), ("#ffffff", "#ffffff", 1), ("#777777", "#ffffff", 4.48)]
    )
    def test_the_ratio_of_wcag(self, one: str, other: str, ratio: float) -> None:
        assert contrast(one, other) == pytest.approx(ratio, abs=0.01)

    @given(st.integers(min_value=0, max_value=0xFFFFFF))
    def test_the_text_on_a_colour_is_readable_or_the_colour_is_refused(self, value: int) -> None:
        colour = f"#{value:06x}"
        text = text_colour_on(colour)
        if text is None:
            assert max(contrast(PAPER, colour), contrast(INK, colour)) < 4.5
        else:
            assert contrast(text, colour) >= 4.5
