"""The small rules: ids, money, card data, transitions, audit logs, back-off, routing."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflowx.adapters.appconfig.document import decode_routing_document
from payflowx.domain.merchants.api_keys import compose_api_key, is_well_formed
from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.events import GENESIS_HASH, Event, chain_faults
from payflowx.domain.payments.hosted import HostedCapability
from payflowx.domain.payments.payment import CUSTOMER_FACTS, Address, Customer, PaymentMethod, customer_facts
from payflowx.domain.payments.transitions import (
    ATTEMPT_TRANSITIONS,
    PAYMENT_TRANSITIONS,
    check_attempt_transition,
    check_payment_transition,
)
from payflowx.domain.routing.routing import Availability, CheckoutFacts, RoutingFacts, decide_route
from payflowx.domain.routing.routing_check import document_faults
from payflowx.domain.shared.backoff import (
    inquiry_delay_ms,
    pending_delay_ms,
    resend_delay_ms,
    retry_delay_ms,
    search_delay_ms,
    wake_delay_ms,
)
from payflowx.domain.shared.card_data import contains_card_number, mask_card_numbers
from payflowx.domain.shared.errors import ConfigurationError, Refusal, TransitionError
from payflowx.domain.shared.identifiers import (
    TRANSACTION_ID_PATTERN,
    derive_id,
    derive_provider_key,
    derive_transaction_id,
)
from payflowx.domain.shared.limits import DAY_MS, HOUR_MS, MAX_AMOUNT, MINUTE_MS
from payflowx.domain.shared.money import CURRENCY_EXPONENTS, to_major, to_minor
from payflowx.domain.shared.statuses import (
    FINAL_STATUSES,
    NO_CHARGE_STATES,
    OPEN_STATES,
    AttemptState,
    CaptureMode,
    PaymentStatus,
)
from payflowx.providers.registry import connector

ROOT = Path(__file__).resolve().parents[4]
ABLE = {name: Capabilities(provider=name, simulated=True) for name in ("mock", "razorpay_mock", "cashfree_mock")}


class TestIds:
    def test_they_are_derived_and_never_change(self) -> None:
        """Golden: a changed derivation would make a second payment of every repeated key."""
        assert derive_transaction_id("acme", "order-1") == "pay_q6h7f5fzinceo5sp"
        assert derive_provider_key("pay_q6h7f5fzinceo5sp", 3) == "pfx-q6h7f5fzinceo5sp-3"

    @given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
    def test_parts_do_not_run_into_each_other(self, a: str, b: str, c: str) -> None:
        assert derive_id("x_", a + b, c) != derive_id("x_", a, b + c) or not b

    @given(st.text(min_size=1), st.text(min_size=1))
    def test_they_are_well_formed(self, merchant: str, key: str) -> None:
        found = derive_transaction_id(merchant, key)
        assert TRANSACTION_ID_PATTERN.fullmatch(found)
        assert len(derive_provider_key(found, 8)) == 22


class TestMoney:
    @given(st.integers(min_value=0, max_value=MAX_AMOUNT), st.sampled_from(sorted(CURRENCY_EXPONENTS)))
    def test_there_and_back(self, amount: int, currency: str) -> None:
        assert to_minor(to_major(amount, currency), currency) == amount

    @pytest.mark.parametrize(
        ("major", "currency"), [("0.001", "USD"), ("1.5", "JPY"), ("NaN", "USD"), ("Infinity", "USD"), ("1", "XXX")]
    )
    def test_what_is_no_whole_minor_unit(self, major: str, currency: str) -> None:
        assert to_minor(Decimal(major), currency) is None

    def test_decimals(self) -> None:
        assert [str(to_major(1234, c)) for c in ("USD", "JPY", "KWD")] == ["12.34", "1234", "1.234"]


class TestCardData:
    @pytest.mark.parametrize("number", ["4242424242424242", "5555555555554444", "378282246310005", "6011111111111117"])
    @given(before=st.sampled_from(["", "a", " ", "x:", "é"]), after=st.sampled_from(["", "b", " 12", ", 7"]))
    def test_found_wherever_it_is(self, number: str, before: str, after: str) -> None:
        text = before + number + after
        assert contains_card_number(text)
        assert number not in mask_card_numbers(text)

    @given(st.text(max_size=60))
    def test_masking_changes_only_texts_with_cards(self, text: str) -> None:
        if not contains_card_number(text):
            assert mask_card_numbers(text) == text
        else:
            assert not contains_card_number(mask_card_numbers(text))


class TestTransitions:
    def test_every_status_and_state_has_its_row(self) -> None:
        assert set(PAYMENT_TRANSITIONS) == set(PaymentStatus)
        assert set(ATTEMPT_TRANSITIONS) == set(AttemptState)
        assert not OPEN_STATES & NO_CHARGE_STATES

    @pytest.mark.parametrize("before", PaymentStatus)
    @pytest.mark.parametrize("after", PaymentStatus)
    def test_payments(self, before: PaymentStatus, after: PaymentStatus) -> None:
        if before is after or after in PAYMENT_TRANSITIONS[before]:
            check_payment_transition(before, after)
        else:
            with pytest.raises(TransitionError):
                check_payment_transition(before, after)

    def test_a_final_status_leaves_only_for_a_late_success(self) -> None:
        for status in FINAL_STATUSES:
            assert PAYMENT_TRANSITIONS[status] <= {PaymentStatus.SUCCESS, PaymentStatus.IN_REVIEW}

    def test_what_is_closed_takes_nothing_but_a_charge(self) -> None:
        for state in NO_CHARGE_STATES:
            opened_again = {AttemptState.STARTED} if state is AttemptState.NOT_SENT else set()
            assert ATTEMPT_TRANSITIONS[state] == {AttemptState.SUCCEEDED, AttemptState.MISMATCH} | opened_again
        with pytest.raises(TransitionError):
            check_attempt_transition(AttemptState.SUCCEEDED, AttemptState.DECLINED)


class TestAuditLog:
    def audit_log(self, length: int = 4) -> list[Event]:
        events: list[Event] = []
        for seq in range(1, length + 1):
            event = Event(
                merchant_id="acme",
                transaction_id="pay_x",
                seq=seq,
                type="t",
                status_from=None if seq == 1 else PaymentStatus.PENDING,
                status_to=PaymentStatus.PENDING,
                actor="api",
                at_ms=seq,
                facts={"n": seq},
                previous_hash=events[-1].hash if events else GENESIS_HASH,
            )
            events.append(replace(event, hash=event.compute_hash()))
        return events

    def test_a_whole_one(self) -> None:
        assert chain_faults(self.audit_log()) == []

    def test_any_change_is_found(self) -> None:
        for place in range(4):
            audit_log = self.audit_log()
            audit_log[place] = replace(audit_log[place], facts={"n": 99})
            assert chain_faults(audit_log)

    def test_a_gap_and_a_swap_are_found(self) -> None:
        audit_log = self.audit_log()
        assert chain_faults(audit_log[:1] + audit_log[2:])
        assert chain_faults([audit_log[1], audit_log[0], *audit_log[2:]])

    def test_the_hash_never_changes(self) -> None:
        """Golden: stored audit logs must stay verifiable."""
        assert self.audit_log(1)[0].hash == "4f9fb36d6fd77fa765723806c1412ecd7fafa28aa4a7b2138217fa94097325e4"


class TestBackoff:
    def test_inquiries(self) -> None:
        assert [inquiry_delay_ms(n) // 1000 for n in range(9)] == [5, 15, 45, 120, 300, 900, 3600, 3600, 3600]

    @pytest.mark.parametrize(
        ("first_seconds", "waits"),
        [
            (0, [5, 15, 45, 120]),
            (3, [3, 5, 15, 45]),
            (5, [5, 15, 45, 120]),
            (60, [60, 120, 300, 900, 3600, 3600]),
            (3600, [3600, 3600]),
        ],
    )
    def test_inquiries_wait_for_a_webhook_first(self, first_seconds: int, waits: list[int]) -> None:
        first_ms = first_seconds * 1000
        assert [inquiry_delay_ms(n, first_ms) // 1000 for n in range(len(waits))] == waits
        assert [pending_delay_ms(n, first_ms) // 1000 for n in range(len(waits))] == waits

    @given(st.integers(0, 1000), st.floats(0, 0.999))
    def test_retries_are_bounded(self, retries: int, jitter: float) -> None:
        assert 1000 <= retry_delay_ms(retries, jitter) <= 10 * MINUTE_MS

    @given(st.integers(0, 10 * DAY_MS), st.floats(0, 0.999))
    def test_what_could_not_be_sent_waits_as_long_as_it_has_waited(self, waited_ms: int, jitter: float) -> None:
        delay_ms = resend_delay_ms(waited_ms, jitter)
        assert 1000 <= delay_ms <= 5 * MINUTE_MS
        assert delay_ms <= max(2000, waited_ms)

    @given(st.integers(-DAY_MS, 10 * DAY_MS))
    def test_a_search_that_nobody_answers_is_repeated_ever_later(self, waited_ms: int) -> None:
        delay_ms = search_delay_ms(waited_ms)
        assert 5 * MINUTE_MS <= delay_ms <= HOUR_MS
        assert delay_ms <= search_delay_ms(waited_ms + MINUTE_MS)

    def test_what_is_pending_is_inquired_about_hourly_and_then_every_six_hours(self) -> None:
        delays = [pending_delay_ms(n) for n in range(60)]
        assert delays[:30] == [inquiry_delay_ms(n) for n in range(30)]
        assert set(delays[30:]) == {6 * HOUR_MS}

    def test_drives_outlast_a_day(self) -> None:
        delays = [wake_delay_ms(n) for n in range(40)]
        assert delays == sorted(delays)
        assert sum(delays) > DAY_MS
        assert max(delays) <= HOUR_MS


class TestApiKeys:
    def test_a_key_is_recognized_without_a_look_up(self) -> None:
        key = compose_api_key("live", "a" * 32)
        assert is_well_formed(key)
        assert key.startswith("pfx_live_sk_")

    @given(st.integers(0, 49), st.sampled_from("abcXYZ019"))
    def test_a_typing_error_is_found(self, place: int, char: str) -> None:
        key = compose_api_key("test", "0123456789abcdefghijABCDEFGHIJ42")
        changed = key[:place] + char + key[place + 1 :]
        assert is_well_formed(changed) == (changed == key)


def facts(**changes: object) -> RoutingFacts:
    values: dict[str, object] = {
        "transaction_id": "pay_aaaaaaaaaaaaaaaa",
        "merchant_id": "acme",
        "amount": 1999,
        "currency": "USD",
        "country": None,
        "capture": CaptureMode.AUTOMATIC,
        "payment_method": PaymentMethod(type="card", token="t"),
        "metadata": {},
        **changes,
    }
    return RoutingFacts(**values)


def available(**changes: object) -> Availability:
    values: dict[str, object] = {"capabilities": ABLE, "accounts": dict.fromkeys(ABLE, "main"), **changes}
    return Availability(**values)


def document(*rules: str) -> bytes:
    return ('{"version": "1", "rules": [' + ",".join(rules) + "]}").encode()


FALLBACK = '{"name": "rest", "when": {}, "use": {"providers": ["mock"]}}'


class TestRouting:
    DEFAULT = decode_routing_document((ROOT / "infra/routing/default.json").read_bytes())

    def test_the_breaker_leaves_a_checkout_alone(self) -> None:
        """Its attempts begin whenever the payer comes: by then other providers may fail."""
        rule = '{"name": "two", "when": {}, "use": {"providers": ["mock", "cashfree_mock"]}}'
        pages = HostedCapability(methods=frozenset({"card"}), min_lifetime_ms=HOUR_MS, max_lifetime_ms=DAY_MS)
        able = {name: replace(capabilities, hosted=pages) for name, capabilities in ABLE.items()}
        two = decode_routing_document(document(rule))
        failing = available(capabilities=able, failing={"mock": "it fails"})
        checkout = facts(payment_method=PaymentMethod(type="checkout"), checkout=CheckoutFacts())
        routes = [decide_route(two, asked, failing) for asked in (facts(), checkout)]
        providers = [[candidate.provider for candidate in route.candidates] for route in routes]
        assert providers == [["cashfree_mock"], ["mock", "cashfree_mock"]]

    @pytest.mark.parametrize(
        ("amount", "currency", "provider", "rule"),
        [
            (100, "INR", "razorpay_mock", "inr"),
            (99_000_000, "INR", "razorpay_mock", "inr"),
            (1_000_000, "USD", "cashfree_mock", "high-value"),
            (999_999, "USD", "mock", "default"),
            (1, "JPY", "mock", "default"),
            (1_000_000, "VND", "mock", "default"),
            (1_000_000, "IDR", "mock", "default"),
            (1_000_000, "EUR", "cashfree_mock", "high-value"),
        ],
    )
    def test_the_default_document(self, amount: int, currency: str, provider: str, rule: str) -> None:
        route = decide_route(self.DEFAULT, facts(amount=amount, currency=currency), available())
        assert (route.candidates[0].provider, route.rule) == (provider, rule)
        assert route.reasons[0].startswith(f"rule {rule}: ")

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"disabled": frozenset({"mock"})}, "mock is switched off"),
            ({"accounts": {"cashfree_mock": "main"}}, "no account at mock"),
            ({"capabilities": {"cashfree_mock": ABLE["cashfree_mock"]}}, "mock is not part of this deployment"),
            (
                {"capabilities": {**ABLE, "mock": replace(ABLE["mock"], currencies=frozenset({"INR"}))}},
                "mock does not support the currency USD",
            ),
        ],
    )
    def test_what_cannot_take_it_is_passed_over_and_said(self, change: dict[str, object], why: str) -> None:
        route = decide_route(self.DEFAULT, facts(), available(**change))
        assert route.candidates[0].provider == "cashfree_mock"
        assert any(why in reason for reason in route.reasons)

    NEEDY = replace(ABLE["mock"], needs=frozenset({"customer.phone", "customer.email"}))

    @pytest.mark.parametrize("given", [set(), {"customer.email"}, {"customer.phone", "customer.name"}])
    def test_a_provider_that_needs_more_of_the_payer_is_passed_over(self, given: set[str]) -> None:
        world = available(capabilities={**ABLE, "mock": self.NEEDY})
        route = decide_route(self.DEFAULT, facts(given=frozenset(given)), world)
        assert route.candidates[0].provider == "cashfree_mock"
        assert any(reason.startswith("passed over: mock needs customer.") for reason in route.reasons)
        everything = decide_route(self.DEFAULT, facts(given=self.NEEDY.needs), world)
        assert everything.candidates[0].provider == "mock"

    def test_the_only_provider_s_needs_are_a_refusal_that_names_the_field(self) -> None:
        world = available(capabilities={**ABLE, "mock": self.NEEDY}, accounts={"mock": "main"})
        with pytest.raises(Refusal, match=r"^mock needs customer\.email and customer\.phone, and no other") as refusal:
            decide_route(self.DEFAULT, facts(), world)
        assert (refusal.value.code, refusal.value.field) == ("field_missing", "customer.email")
        with pytest.raises(Refusal, match=r"^mock needs customer\.phone, and no other") as refusal:
            decide_route(self.DEFAULT, facts(given=frozenset({"customer.email"})), world)
        assert refusal.value.field == "customer.phone"

    def test_needs_are_not_asked_for_where_the_provider_could_not_take_it_anyway(self) -> None:
        world = available(capabilities={**ABLE, "mock": self.NEEDY}, accounts={"mock": "main"})
        with pytest.raises(Refusal, match="mock does not support manual") as refusal:
            decide_route(self.DEFAULT, facts(capture=CaptureMode.MANUAL), world)
        assert refusal.value.code == "no_provider_available"

    def test_saving_is_routed_to_a_provider_that_saves(self) -> None:
        saving = {**ABLE, "cashfree_mock": replace(ABLE["cashfree_mock"], saves_payment_methods=True)}
        route = decide_route(self.DEFAULT, facts(save_payment_method=True), available(capabilities=saving))
        assert [candidate.provider for candidate in route.candidates] == ["cashfree_mock"]
        assert "passed over: mock does not save payment methods" in route.reasons

    def test_every_need_of_a_connector_is_a_fact_that_a_request_can_give(self) -> None:
        for provider in ("stripe", "razorpay", "cashfree", "payu"):
            assert connector(provider).capabilities.needs <= CUSTOMER_FACTS
        assert connector("razorpay").capabilities.needs == {"customer.email", "customer.phone"}
        assert "customer.phone" in connector("cashfree").capabilities.needs
        address = Address(line1="1 Long Road")
        everything = Customer(id="c", name="n", email="e", phone="p", country="IN", address=address)
        assert customer_facts(everything) == CUSTOMER_FACTS
        assert customer_facts(None) == customer_facts(Customer()) == frozenset()
        assert customer_facts(Customer(phone="p")) == {"customer.phone"}

    def test_nobody_left_is_refused_with_all_reasons(self) -> None:
        with pytest.raises(Refusal, match=r"mock does not support manual.*cashfree_mock does not support manual"):
            decide_route(self.DEFAULT, facts(capture=CaptureMode.MANUAL), available())

    @pytest.mark.parametrize(
        ("when", "matching", "other"),
        [
            ('{"countries": ["IN"]}', {"country": "IN"}, {"country": None}),
            ('{"paymentMethodTypes": ["upi"]}', {"payment_method": PaymentMethod(type="upi", token="t")}, {}),
            ('{"merchants": ["acme"]}', {}, {"merchant_id": "other"}),
            ('{"metadata": {"tier": ["gold"]}}', {"metadata": {"tier": "gold"}}, {"metadata": {"tier": "tin"}}),
            ('{"amountBelow": 10}', {"amount": 9}, {"amount": 10}),
            ('{"amountAtLeast": 5, "currencies": ["USD"]}', {"amount": 5}, {"amount": 5, "currency": "EUR"}),
        ],
    )
    def test_each_condition(self, when: str, matching: dict[str, object], other: dict[str, object]) -> None:
        rule = f'{{"name": "special", "when": {when}, "use": {{"providers": ["cashfree_mock"]}}}}'
        rules = decode_routing_document(document(rule, FALLBACK))
        able = {name: replace(c, payment_method_types=frozenset({"card", "upi"})) for name, c in ABLE.items()}
        world = available(capabilities=able)
        assert decide_route(rules, facts(**matching), world).rule == "special"
        assert decide_route(rules, facts(**other), world).rule == "rest"

    def test_a_split_is_decided_by_the_id_and_comes_out_even(self) -> None:
        split = '{"name": "s", "when": {}, "use": {"split": [{"percent": 70, "providers": ["mock"]}, '
        split += '{"percent": 30, "providers": ["cashfree_mock"]}]}}'
        rules = decode_routing_document(document(split))
        chosen = [
            decide_route(rules, facts(transaction_id=f"pay_{n}"), available()).candidates[0].provider
            for n in range(2_000)
        ]
        assert 0.66 < chosen.count("mock") / len(chosen) < 0.74
        again = decide_route(rules, facts(transaction_id="pay_7"), available())
        assert again.candidates[0].provider == chosen[7]


class TestRoutingCheck:
    def faults(self, *rules: str) -> list[str]:
        return document_faults(decode_routing_document(document(*rules)), ABLE)

    def test_the_default_document_is_right(self) -> None:
        assert document_faults(TestRouting.DEFAULT, ABLE) == []

    @pytest.mark.parametrize(
        ("rules", "fault"),
        [
            (['{"name": "a", "when": {"currencies": ["INR"]}, "use": {"providers": ["mock"]}}'], "must be a fallback"),
            (['{"name": "a", "when": {}, "use": {"providers": ["stripe"]}}'], "stripe is not a provider"),
            ([FALLBACK, FALLBACK.replace("rest", "b")], "rule b is unreachable"),
            (
                [
                    '{"name": "wide", "when": {"currencies": ["INR", "USD"]}, "use": {"providers": ["mock"]}}',
                    (
                        '{"name": "narrow", "when": {"currencies": ["INR"], "amountAtLeast": 5}, '
                        '"use": {"providers": ["mock"]}}'
                    ),
                    FALLBACK,
                ],
                "rule narrow is unreachable",
            ),
            (['{"name": "a", "when": {"currencies": ["XYZ"]}, "use": {"providers": ["mock"]}}', FALLBACK], "ISO 4217"),
            (
                [
                    (
                        '{"name": "a", "when": {"currencies": ["USD"], "amountAtLeast": 9, "amountBelow": 9}, '
                        '"use": {"providers": ["mock"]}}'
                    ),
                    FALLBACK,
                ],
                "no amount is",
            ),
            (['{"name": "rest", "when": {}, "use": {"providers": ["mock", "mock"]}}'], "named twice"),
            (['{"name": "rest", "when": {}, "use": {"providers": []}}'], "name 1 to 8"),
            (
                ['{"name": "rest", "when": {}, "use": {"split": [{"percent": 50, "providers": ["mock"]}]}}'],
                "add up to 100",
            ),
            ([FALLBACK.replace('"when": {}', '"when": {"currencies": ["INR"]}'), FALLBACK], "two rules are named rest"),
        ],
    )
    def test_each_fault_is_said(self, rules: list[str], fault: str) -> None:
        assert any(fault in found for found in self.faults(*rules))

    @pytest.mark.parametrize(
        "amount", ['"amountAtLeast": 1000000', '"amountBelow": 5', '"amountAtLeast": 1, "amountBelow": 5']
    )
    def test_an_amount_is_of_currencies(self, amount: str) -> None:
        def rule(currencies: str) -> str:
            return f'{{"name": "a", "when": {{{currencies}{amount}}}, "use": {{"providers": ["mock"]}}}}'

        (fault,) = self.faults(rule(""), FALLBACK)
        assert fault.startswith("rule a: an amount needs currencies")
        (fault,) = self.faults(rule('"currencies": ["USD", "JPY"], '), FALLBACK)
        assert fault.startswith("rule a: its currencies have minor units of different size")
        assert self.faults(rule('"currencies": ["USD", "EUR"], '), FALLBACK) == []

    @pytest.mark.parametrize("name", ["default", "dev", "prod"])
    def test_the_shipped_documents_have_no_fault(self, name: str) -> None:
        shipped = decode_routing_document((ROOT / f"infra/routing/{name}.json").read_bytes())
        names = {provider for rule in shipped.rules for share in rule.shares for provider in share.providers}
        assert document_faults(shipped, {provider: connector(provider).capabilities for provider in names}) == []

    def test_bands_are_not_unreachable(self) -> None:
        low = '{"name": "low", "when": {"currencies": ["USD"], "amountBelow": 10}, "use": {"providers": ["mock"]}}'
        high = '{"name": "high", "when": {"currencies": ["USD"], "amountAtLeast": 10}, "use": {"providers": ["mock"]}}'
        assert self.faults(low, high, FALLBACK) == []

    @pytest.mark.parametrize("data", [b"", b"{}", b'{"version": "1"}', b'{"version": 1, "rules": []}', b"x" * 70_000])
    def test_no_document_at_all(self, data: bytes) -> None:
        with pytest.raises(ConfigurationError):
            decode_routing_document(data)

    def test_unknown_words_are_faults(self) -> None:
        with pytest.raises(ConfigurationError, match="curency"):
            decode_routing_document(document('{"name": "a", "when": {"curency": []}, "use": {"providers": ["mock"]}}'))
        with pytest.raises(ConfigurationError, match="either providers or split"):
            decode_routing_document(document('{"name": "a", "when": {}, "use": {}}'))
