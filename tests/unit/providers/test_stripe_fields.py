"""The merchant's own words at Stripe: forwarded within its limits, and part of the request's hash."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest

from payflowx.domain.payments.payment import Address, Customer
from payflowx.domain.providers.ports import ChargeRequest
from payflowx.domain.shared.money import ACTIVE_CURRENCIES
from payflowx.domain.shared.statuses import CaptureMode, Initiator
from payflowx.providers.registry import _MODULES, connector
from payflowx.providers.stripe.connector import CONNECTOR

PLAIN = ChargeRequest(
    provider_key="pfx-abcdefghijklmnop-1",
    amount=1999,
    currency="USD",
    token="pm_1",
    payment_method_type="card",
    capture=CaptureMode.AUTOMATIC,
)
ADDRESS = Address(line1="1 MG Road", city="Bengaluru", state="KA", postal_code="560001", country="IN")
PAYER = Customer(name="Asha Rao", email="asha@example.com", phone="+919812345678", country="IN", address=ADDRESS)


def body(request: ChargeRequest) -> bytes:
    (step,) = CONNECTOR.charge_steps
    return step.build(request).body


def sent(**changes: Any) -> dict[str, str]:
    return dict(parse_qsl(body(replace(PLAIN, **changes)).decode(), strict_parsing=True))


def test_a_payment_without_these_words_keeps_the_bytes_of_release_0_2_0() -> None:
    assert body(replace(PLAIN, sent_at_ms=1, customer=Customer(id="acme-77", name="Ada", email="a@b.c"))) == (
        b"amount=1999&currency=usd&confirm=true&payment_method=pm_1&payment_method_types%5B%5D=card"
        b"&capture_method=automatic&metadata%5Bpayflowx_key%5D=pfx-abcdefghijklmnop-1&error_on_requires_action=true"
    )


def test_all_of_them() -> None:
    fields = sent(
        description="Two tickets",
        metadata={"order": "17", "channel": "web"},
        statement_descriptor_suffix="TICKETS 17",
        receipt_email="asha@example.com",
        customer=PAYER,
    )
    assert fields["description"] == "Two tickets"
    assert (fields["metadata[order]"], fields["metadata[channel]"]) == ("17", "web")
    assert fields["metadata[payflowx_key]"] == PLAIN.provider_key
    assert fields["statement_descriptor_suffix"] == "TICKETS 17"
    assert fields["receipt_email"] == "asha@example.com"
    assert {name: value for name, value in fields.items() if name.startswith("shipping")} == {
        "shipping[name]": "Asha Rao",
        "shipping[address][line1]": "1 MG Road",
        "shipping[address][city]": "Bengaluru",
        "shipping[address][state]": "KA",
        "shipping[address][postal_code]": "560001",
        "shipping[address][country]": "IN",
    }


@pytest.mark.parametrize(
    "customer",
    [
        Customer(name="Asha Rao"),
        Customer(address=ADDRESS),
        Customer(name="Asha Rao", address=Address()),
        Customer(name="", address=ADDRESS),
    ],
)
def test_a_name_without_an_address_and_an_address_without_a_name_are_left_out(customer: Customer) -> None:
    assert not [name for name in sent(customer=customer) if name.startswith("shipping")]


class TestLimits:
    def test_texts_are_cut_by_code_points(self) -> None:
        fields = sent(description="\U0001f600" * 1_200, metadata={"note": "\u0928" * 600})
        assert fields["description"] == "\U0001f600" * 1_000
        assert fields["metadata[note]"] == "\u0928" * 500

    @pytest.mark.parametrize("name", ["a" * 41, "a[b]", "[", "payflowx_key", "payflowx_capture", ""])
    def test_a_name_that_stripe_does_not_take_or_that_is_ours_is_left_out(self, name: str) -> None:
        fields = sent(metadata={name: "theirs", "kept": "1"})
        assert fields["metadata[kept]"] == "1"
        assert "theirs" not in fields.values()

    def test_at_most_fifty_with_the_two_of_ours(self) -> None:
        fields = sent(metadata={f"name{number:02}": "x" for number in range(60)})
        ours = [name for name in fields if name.startswith("metadata[")]
        assert len(ours) == 49  # a capture adds the fiftieth

    def test_a_blank_value_would_unset_a_name_and_is_left_out(self) -> None:
        assert "metadata[empty]" not in sent(metadata={"empty": " "})

    @pytest.mark.parametrize(
        ("given", "sent_suffix"),
        [
            ("TICKETS", "TICKETS"),
            ("A<B>C'D\"E*F\\G", "ABCDEFG"),
            ("caf\u00e9", "caf"),
            ("X" * 40, "X" * 22),
            ("12345", None),
            ("***", None),
            ("", None),
        ],
    )
    def test_the_statement_descriptor_keeps_the_characters_that_stripe_takes(
        self, given: str, sent_suffix: str | None
    ) -> None:
        assert sent(statement_descriptor_suffix=given).get("statement_descriptor_suffix") == sent_suffix


class TestWhoIsPresent:
    def test_a_charge_by_the_merchant_says_that_the_payer_is_absent(self) -> None:
        fields = sent(initiator=Initiator.MERCHANT, return_url="https://shop.example/back")
        assert fields["off_session"] == "true"
        assert not {"return_url", "error_on_requires_action", "setup_future_usage"} & set(fields)

    def test_a_charge_by_the_payer_says_nothing_of_the_kind(self) -> None:
        assert not {"off_session", "setup_future_usage"} & set(sent())

    def test_a_payment_method_is_kept_for_charges_without_the_payer(self) -> None:
        fields = sent(save_payment_method=True, return_url="https://shop.example/back")
        assert (fields["setup_future_usage"], fields["return_url"]) == ("off_session", "https://shop.example/back")
        assert CONNECTOR.capabilities.saves_payment_methods

    def test_the_two_exclude_each_other_at_stripe(self) -> None:
        fields = sent(initiator=Initiator.MERCHANT, save_payment_method=True)
        assert "setup_future_usage" not in fields


@pytest.mark.parametrize(
    "change",
    [
        {"description": "other"},
        {"metadata": {"a": "1"}},
        {"statement_descriptor_suffix": "OTHER"},
        {"receipt_email": "b@example.com"},
        {"initiator": Initiator.MERCHANT},
        {"save_payment_method": True},
        {"customer": PAYER},
    ],
)
def test_each_is_part_of_the_request(change: dict[str, Any]) -> None:
    assert body(replace(PLAIN, **change)) != body(PLAIN)


def test_the_order_of_the_metadata_does_not_change_the_bytes() -> None:
    one, two = {"a": "1", "b": "2"}, {"b": "2", "a": "1"}
    assert body(replace(PLAIN, metadata=one)) == body(replace(PLAIN, metadata=two))


def test_every_currency_of_every_connector_is_active() -> None:
    """A withdrawn code is refused at accept, so a connector that lists it instead of its successor takes neither."""
    for name in _MODULES:
        assert (connector(name).capabilities.currencies or frozenset()) <= ACTIVE_CURRENCIES.keys(), name


def test_stripe_takes_the_caribbean_guilder() -> None:
    assert "XCG" in (connector("stripe").capabilities.currencies or ())
