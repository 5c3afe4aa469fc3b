"""The simulated world does what it says: accounts apart, webhooks on their way, operators, dashboards, reports."""

import json
from collections import Counter
from random import Random
from typing import Any

import pytest

from payflowx.domain.shared.transport import HttpRequest
from sandbox.http_types import Reply, Request
from sandbox.simulators import REAL_PROVIDERS, SIMULATORS
from sandbox.store import ConflictError
from simulation.accounts import ProviderAccount
from simulation.books import Books
from simulation.check import evidence_of
from simulation.checker.evidence import Evidence
from simulation.checkouts import EVERYWHERE, LAST_CHOICE, is_checkout
from simulation.faults import ALL_KINDS, APART, EPISODES, MAX_RATES, Faults
from simulation.history import History, Source
from simulation.kernel import EPOCH_MS
from simulation.releases import ADDED, UNKNOWN_WORD, NewerDynamoDBClient, is_unreadable, release_of
from simulation.reports import garbled, is_report, without_youngest
from simulation.services import Network
from simulation.trace import tell
from simulation.workload import MERCHANTS, Manner, Step, Wish, orders
from simulation.world import TRANSACTIONS, Plan, tables
from testing.dynamodb.database import Database

PEACE = frozenset({*MAX_RATES, *APART, *EPISODES})


def peaceful(*noisy: str, seed: int = 2) -> Evidence:
    return evidence_of(Plan(seed, without=PEACE - {*noisy}))


@pytest.fixture(scope="module")
def calm() -> Evidence:
    return peaceful()


class TestWorkload:
    def test_half_of_the_payments_are_held_and_more_than_half_are_at_real_providers(self) -> None:
        asked = [order for seed in range(50) for order in orders(Random(seed), 0)]
        held = sum(order.body.get("capture") == "manual" for order in asked) / len(asked)
        named = [order.body.get("metadata", {}) for order in asked]
        real = sum(n.get("gateway") in REAL_PROVIDERS or n.get("route") == EVERYWHERE for n in named) / len(asked)
        assert 0.45 < held < 0.55
        assert real > 0.5

    def test_a_fifth_of_the_payments_has_a_payer_who_is_present_at_every_provider(self) -> None:
        asked = [order for seed in range(50) for order in orders(Random(seed), 0)]
        checkouts = [order for order in asked if is_checkout(order.body)]
        assert 0.15 < len(checkouts) / len(asked) < 0.3
        assert not any("token" in order.body["paymentMethod"] for order in checkouts)
        routes = {order.body["metadata"].get("gateway", order.body["metadata"].get("route")) for order in checkouts}
        assert routes == {*REAL_PROVIDERS, LAST_CHOICE, EVERYWHERE, "split", None}
        shapes = {(o.body["paymentMethod"].get("presentation"), "customer" in o.body) for o in checkouts}
        assert shapes == {("direct", True), (None, True), (None, False)}
        assert any("orderId" in order.body for order in checkouts)

    def test_where_payers_hurry_there_are_more_of_them_and_the_others_stay_as_they_are(self) -> None:
        asked, hurried = orders(Random(7), 0), orders(Random(7), 0, hurry=1.0)
        assert sum(is_checkout(order.body) for order in hurried) > len(hurried) / 2
        others = [order for order in hurried if not is_checkout(order.body)]
        assert all(order in asked for order in others)

    def test_every_wish_is_asked_for_in_every_manner(self) -> None:
        steps = {(s.wish, s.manner, s.patient) for seed in range(50) for o in orders(Random(seed), 0) for s in o.steps}
        manners = {(wish, manner) for wish, manner, _ in steps}
        assert manners >= {(w, m) for w in (Wish.CAPTURE, Wish.REFUND) for m in Manner}
        wishes = frozenset(Wish) - {Wish.ERASE}
        assert {(wish, patient) for wish, _, patient in steps} == {(w, p) for w in wishes for p in (True, False)}

    def test_a_payers_data_are_the_payers_own(self) -> None:
        payers = [json.dumps(order.payer) for seed in range(5) for order in orders(Random(seed), 0)]
        assert len(set(payers)) == len(payers)

    def test_more_or_fewer_payments_leave_each_order_as_it_is(self) -> None:
        assert orders(Random(3), 0, payments=10) == orders(Random(3), 0)[:10]


class TestAccounts:
    def test_a_merchants_account_opens_with_its_own_keys_only(self, calm: Evidence) -> None:
        sent = calm.result.history.sent
        assert {(s.merchant, s.credentials) for s in sent} == {(merchant, merchant) for merchant in MERCHANTS}
        assert {s.connector for s in sent} == {*SIMULATORS, *REAL_PROVIDERS}

    def test_two_merchants_never_share_a_secret_or_a_providers_id(self, calm: Evidence) -> None:
        accounts = [ProviderAccount(merchant, "stripe") for merchant in MERCHANTS]
        first, second = ({*account.valid[0].texts()} for account in accounts)
        assert not first & second
        owners = {(line["provider"], line["chargeId"]): line["merchant"] for line in calm.result.ledger}
        assert all(owners[line["provider"], line["chargeId"]] == line["merchant"] for line in calm.result.ledger)

    def test_a_rotated_pair_opens_beside_the_old_one_until_the_rotation_is_over(self) -> None:
        evidence = next(e for e in map(_rotating, range(1, 60)) if e is not None)
        texts = [text for text in evidence.result.secrets if text.endswith("-1")]
        assert texts, "no second key pair was issued"
        assert {sent.credentials for sent in evidence.result.history.sent} <= {*MERCHANTS}


def _rotating(seed: int) -> Evidence | None:
    if not Faults.drawn(Random(seed + 1)).rates["operator_rotates_credentials"] > 0.3:
        return None
    evidence = peaceful("operator_rotates_credentials", seed=seed)
    rotated = [c for c in evidence.result.history.commands if c.command["command"] == "rotate_credentials" and c.ok]
    return evidence if rotated else None


class TestBooks:
    def test_what_is_read_can_be_changed_without_changing_the_books(self) -> None:
        entered = list[str]()
        books = Books(lambda kind, record: entered.append(f"{kind} {record['id']}"))
        books.put("charge", "ch_1", {"id": "ch_1", "reference": "pfx-a-1"})
        read = books.get("charge", "ch_1") or {}
        read["state"] = "charged"
        assert "state" not in (books.get("charge", "ch_1") or {})
        books.put("charge", "ch_1", read)
        assert (books.get("charge", "ch_1") or {})["state"] == "charged"
        assert entered == ["charge ch_1"]
        assert books.keys["ch_1"] == "pfx-a-1"
        with pytest.raises(ConflictError):
            books.put("charge", "ch_1", read)

    def test_every_line_of_the_ledger_names_the_request_that_made_it(self, calm: Evidence) -> None:
        lines = calm.result.ledger
        assert lines
        assert {line["source"] for line in lines} <= {Source.REQUEST.value, Source.PAYER.value, "provider"}
        refunds = [line for line in lines if line["kind"] == "refund" and line["source"] == Source.REQUEST.value]
        keys = Counter(line["providerKey"] for line in refunds)
        assert refunds
        assert set(keys.values()) == {1}


class TestProviderEvents:
    def test_in_peace_each_is_posted_to_its_merchant_and_taken(self, calm: Evidence) -> None:
        webhooks = calm.result.history.webhooks
        assert len(webhooks) > 50
        for webhook in webhooks:
            assert webhook.merchant == webhook.address == webhook.signed_by
            assert webhook.status == 200, webhook.type

    def test_a_signature_of_another_key_is_refused_and_a_stranger_with_a_valid_one_changes_nothing(self) -> None:
        kinds = ("event_forged", "event_misaddressed", "event_foreign")
        runs = [peaceful(*kinds, seed=seed) for seed in (2, 3, 4)]
        webhooks = [webhook for run in runs for webhook in run.result.history.webhooks]
        forged = {w.status for w in webhooks if w.signed_by != w.address}
        foreign = {w.status for w in webhooks if w.signed_by == w.address != w.merchant and w.provider != "payu"}
        assert forged == {401}
        assert foreign <= {200, 401}
        assert 200 in foreign


class TestDashboards:
    def test_people_move_money_past_us(self) -> None:
        found = Counter[tuple[str, str]]()
        for seed in (4, 7, 9, 14, 27):
            run = peaceful("dashboard_refunds", "dashboard_captures", "dashboard_voids", seed=seed)
            found.update((e.kind, e.provider) for e in run.result.history.entries if e.source is Source.DASHBOARD)
        assert {kind for kind, _ in found} == {"refund", "capture", "void"}
        assert len({provider for _, provider in found}) >= 3

    def test_they_refund_a_charge_while_a_refund_of_ours_is_on_its_way_to_it(self) -> None:
        entries = peaceful("dashboard_refunds_beside", seed=112).result.history.entries
        refunds = [entry for entry in entries if entry.kind == "refund"]
        elsewhere = {entry.charge_id for entry in refunds if entry.source is Source.DASHBOARD}
        assert elsewhere & {entry.charge_id for entry in refunds if entry.source is Source.REQUEST}


LISTS: dict[str, tuple[Request, dict[str, Any]]] = {
    "stripe": (Request(method="GET", path="/v1/balance_transactions"), {"data": [{"source": {"amount": 100}}]}),
    "razorpay": (Request(method="GET", path="/v1/payments", query={"from": "1"}), {"items": [{"amount": 100}]}),
    "cashfree": (Request(method="POST", path="/pg/recon"), {"data": [{"event_amount": 1.0}]}),
    "payu": (
        Request(method="POST", path="/merchant/postservice.php", body=b"command=get_transaction_info"),
        {"Transaction_details": [{"amount": "1.00"}]},
    ),
}


class TestReports:
    @pytest.mark.parametrize("provider", LISTS)
    def test_lines_are_left_out_repeated_or_have_another_amount(self, provider: str) -> None:
        request, answer = LISTS[provider]
        assert is_report(provider, request)
        (name,) = answer
        for kind, change in (
            ("report_omits", "omitted"),
            ("report_repeats", "repeated"),
            ("report_other_amount", "other amount"),
        ):
            faults = Faults.none(Random(0))
            faults.rates[kind] = 1.0
            seen = list[str]()
            reply = garbled(
                provider,
                Reply(status=200, body=json.dumps(answer).encode()),
                faults,
                lambda what, _line, seen=seen: seen.append(what),  # type: ignore[misc]
            )
            lines = json.loads(reply.body)[name]
            assert seen == [change]
            assert len(lines) == {"omitted": 0, "repeated": 2, "other amount": 1}[change]
            assert (lines == answer[name]) is False

    @pytest.mark.parametrize(
        ("provider", "field", "old", "young"),
        [
            ("stripe", "created", 1_790_000_000, 1_790_000_001),
            ("razorpay", "created_at", 1_790_000_000, 1_790_000_001),
            ("cashfree", "event_time", "2026-09-21T19:43:20+05:30", "2026-09-21T19:43:21+05:30"),
            ("payu", "addedon", "2026-09-21 19:43:20", "2026-09-21 19:43:21"),
        ],
    )
    def test_a_report_lacks_what_is_young(self, provider: str, field: str, old: object, young: object) -> None:
        (name,) = LISTS[provider][1]
        lines = [{field: young}, {field: old}]
        reply = Reply(status=200, body=json.dumps({name: lines}).encode())
        kept, left_out = without_youngest(provider, reply, 1_790_000_000_001)
        assert (json.loads(kept.body)[name], left_out) == ([{field: old}], 1)

    @pytest.mark.parametrize("provider", LISTS)
    def test_a_question_about_one_charge_is_no_report(self, provider: str) -> None:
        assert not is_report(provider, Request(method="GET", path="/v1/payments/pay_1"))


class TestFaults:
    def test_a_world_without_faults_has_a_rate_for_every_kind(self) -> None:
        quiet = Faults.none(Random(0))
        assert quiet.rates.keys() == set(ALL_KINDS)
        assert not any(quiet.strikes(kind) for kind in ALL_KINDS)

    @pytest.mark.parametrize("rates", [{}, {**dict.fromkeys(ALL_KINDS, 0.0), "no_such_kind": 0.0}])
    def test_a_list_of_rates_that_lacks_or_invents_a_kind_is_refused_at_once(self, rates: dict[str, float]) -> None:
        with pytest.raises(ValueError, match="have no rate"):
            Faults(Random(0), rates, frozenset())


class TestUnreadableItems:
    def test_what_no_release_can_read_is_met_again_and_again_until_the_newer_release_is_back(self) -> None:
        evidence = peaceful("unreadable_items", seed=2)
        writes = [write for write in evidence.result.history.writes if is_unreadable(write.key[0])]
        assert {write.key[1] for write in writes} == {"PAYMENT", f"{UNKNOWN_WORD}#1"}
        postponed = Counter(write.key for write in writes if write.before is not None and write.after is not None)
        assert min(postponed.values()) > 10
        assert len(postponed) == 12
        assert not any(is_unreadable(partition) for _, (partition, _) in evidence.result.items)


class TestNewerRelease:
    def test_every_map_of_a_payment_gets_an_attribute_and_free_maps_stay(self) -> None:
        database = Database(tables())
        network = Network(Faults.none(Random(0)))
        client = NewerDynamoDBClient(database, network)
        network.platform = _Still()  # type: ignore[assignment]
        item = {
            "pk": {"S": "M#acme#P#pay_a"},
            "sk": {"S": "PAYMENT"},
            "lease": {"M": {"epoch": {"N": "1"}}},
            "attempts": {"L": [{"M": {"progress": {"M": {"order": {"S": "o"}}}}}]},
            "metadata": {"M": {"shop": {"S": "x"}}},
        }
        client.put_item(TableName=TRANSACTIONS, Item=item)
        stored = database.get_item(TableName=TRANSACTIONS, Key={name: item[name] for name in ("pk", "sk")})["Item"]
        (attempt,) = stored["attempts"]["L"]
        assert ADDED in stored
        assert ADDED in stored["lease"]["M"]
        assert ADDED in attempt["M"]
        assert attempt["M"]["progress"] == {"M": {"order": {"S": "o"}}}
        assert stored["metadata"] == item["metadata"]


class _Still:
    """A platform on which nothing takes time."""

    history = History()

    def travel(self) -> None: ...
    def come_back(self) -> None: ...


def test_a_payments_story_has_its_operations_webhooks_deliveries_and_books(calm: Evidence) -> None:
    posted = " ".join(
        d.headers["webhook-id"] for d in calm.result.history.deliveries if d.body.get("type") == "payment.succeeded"
    )
    told = [n for n, p in calm.payments.items() if p.transaction_id.removeprefix("pay_") in posted]
    name = max(told, key=lambda n: len(calm.payments[n].operations))
    story = "\n".join(tell(calm, name))
    for said in ("POST /payments", "-> 202", "reaches", "posts", "is told payment.succeeded", "CHARGES", "REFUNDS"):
        assert said in story, said
    for operation in calm.payments[name].operations:
        assert f"{operation}: " in story or f"{operation}," in story


def test_a_step_is_an_operation_that_can_be_left_out() -> None:
    plan = Plan(1, only=frozenset({0, 1}), without=PEACE)
    steps = frozenset((order, step) for order in (0, 1) for step in range(20))
    asked = evidence_of(plan).result.history.calls
    bare = evidence_of(Plan(1, only=frozenset({0, 1}), without=PEACE, without_steps=steps)).result.history.calls
    posted = {call.path for call in bare if call.method == "POST" and not (call.key or "").startswith("vain-")}
    assert posted <= {"/payments", "/webhook-endpoints"}
    assert len(bare) <= len(asked)
    assert min(call.at_ms for call in bare) >= EPOCH_MS


def test_steps_are_values() -> None:
    assert Step(Wish.REFUND) == Step(Wish.REFUND, None, Manner.ONCE)


class TestTheNewerReleasesRequests:
    def sent(self) -> Evidence:
        """A run in which the newer release charges, captures, voids and refunds."""
        return evidence_of(Plan(23))

    def test_charges_captures_voids_and_refunds_have_other_bytes_than_those_of_the_tested_release(self) -> None:
        evidence = self.sent()
        newer = {number for number, started in evidence.result.history.invocations.items() if started.is_newer}
        acts = [sent for sent in evidence.result.history.sent if sent.release is not None]
        by_newer = [sent for sent in acts if sent.process in newer]
        assert {sent.release for sent in acts if sent.process not in newer} == {""}
        assert {kind for sent in by_newer if sent.release for kind in ("refunds", "captures") if kind in sent.path}

    @pytest.mark.parametrize(
        ("method", "path", "body", "is_read"),
        [
            ("GET", "/v1/charges/ch_1", b"", True),
            ("POST", "/merchant/postservice", b"command=verify_payment&var1=x", True),
            ("POST", "/merchant/postservice", b"command=cancel_refund_transaction&var1=x", False),
            ("POST", "/v1/charges", b"{}", False),
        ],
    )
    def test_a_read_is_no_request_whose_bytes_count(
        self, method: str, path: str, body: bytes, *, is_read: bool
    ) -> None:
        assert (release_of(HttpRequest(method=method, path=path, body=body)) is None) == is_read
