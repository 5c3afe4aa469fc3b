"""PayU's simulator: requests and hashes written from PayU's documentation, without the connector."""

import hashlib
import html
import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from sandbox import payu
from sandbox.behaviours import BEHAVIOURS
from sandbox.http_types import Reply, Request
from sandbox.payu import PayUSimulator
from sandbox.simulator import Credentials
from sandbox.store import MemoryStore
from tests.support.left_out import CONTRACTS

VECTORS = CONTRACTS / "vectors.json"
NOW = 1_700_000_000.0
KEY, SALT = "gtKFFx", "eCwWELxi"
FORM = "application/x-www-form-urlencoded"


def sha512(text: str) -> str:
    return hashlib.sha512(text.encode()).hexdigest()


class Client:
    """Sends requests as a merchant's server and a payer's browser do."""

    def __init__(self, **options: Any) -> None:
        credentials = Credentials(key_id=KEY, key_secret=SALT)
        self.provider = PayUSimulator(MemoryStore(), credentials, public_url="https://payu.test", **options)

    def send(self, path: str, fields: dict[str, str], at: float = NOW, kind: str = FORM, form: str = "2") -> Reply:
        body, headers = urlencode(fields).encode(), {"content-type": kind}
        query = {"form": form} if form and path != "/_payment" else {}
        return self.provider.handle(Request(method="POST", path=path, query=query, headers=headers, body=body), at)

    def browse(self, at: float = NOW, **changes: str) -> Reply:
        return self.send("/_payment", page(**changes), at)

    def ask(self, command: str, var1: str, at: float = NOW, **more: str) -> dict[str, Any]:
        reply = self.send("/merchant/postservice.php", order(command, var1, **more), at)
        assert reply.status == 200
        assert reply.headers["content-type"].startswith("text/html")
        return json.loads(reply.body)

    def charge(self, token: str, txnid: str = "t-1", at: float = NOW, **changes: Any) -> Reply:
        return self.send("/merchant/postservice.php", order("si_transaction", si(token, txnid, **changes)), at)

    def verify(self, txnid: str = "t-1", at: float = NOW) -> dict[str, Any]:
        return self.ask("verify_payment", txnid, at)["transaction_details"][txnid]

    def authorized(self) -> str:
        self.browse(pre_authorize="1")
        return self.verify()["mihpayid"]

    def captured(self) -> str:
        self.charge("tok_success")
        return self.verify()["mihpayid"]

    def refund(self, name: str, token: str, amount: str, at: float = NOW) -> dict[str, Any]:
        return self.ask("cancel_refund_transaction", name, at, var2=token, var3=amount)

    def action(self, name: str, at: float = NOW) -> dict[str, Any]:
        return self.ask("check_action_status", name, at)["transaction_details"][name][name]

    def charges(self, at: float = NOW) -> list[dict[str, Any]]:
        return [entry for entry in self.provider.ledger(at) if entry["kind"] == "charge"]

    def posts(self, at: float = NOW) -> list[dict[str, Any]]:
        due = self.provider.webhooks_due(at)
        return [json.loads(w.body) if w.type == "refund" else dict(parse_qsl(w.body.decode(), True)) for w in due]


def page(**changes: str) -> dict[str, str]:
    fields = {
        "key": KEY,
        "txnid": "t-1",
        "amount": "19.99",
        "productinfo": "Order 1",
        "firstname": "Asha",
        "email": "asha@example.com",
        "phone": "9999999999",
        "surl": "https://shop.test/ok",
        "furl": "https://shop.test/no",
        **changes,
    }
    names = ("key", "txnid", "amount", "productinfo", "firstname", "email", "udf1", "udf2", "udf3", "udf4", "udf5")
    text = "|".join(fields.get(name, "") for name in names) + "||||||" + SALT
    return {"hash": sha512(text), **fields}


def order(command: str, var1: str, **more: str) -> dict[str, str]:
    fields = {"key": KEY, "command": command, "var1": var1, **more}
    return {"hash": sha512(f"{KEY}|{command}|{var1}|{SALT}"), **fields}


def si(token: str, txnid: str = "t-1", **changes: Any) -> str:
    fields = {
        "authpayuid": token,
        "invoiceDisplayNumber": "1",
        "amount": "19.99",
        "txnid": txnid,
        "udf2": "x",
        **changes,
    }
    return json.dumps({name: value for name, value in fields.items() if value is not None})


def detail(reply: Reply, txnid: str = "t-1") -> dict[str, Any]:
    return json.loads(reply.body)["details"][txnid]


def words(answer: dict[str, Any]) -> tuple[Any, Any]:
    return answer["status"], answer["unmappedstatus"]


@pytest.fixture
def client() -> Client:
    return Client()


# -- server to server: a standing instruction


SI_WORDS = {
    "tok_success": ("captured", ("success", "captured"), "charged"),
    "tok_soft_decline": ("failed", ("failure", "failed"), "declined"),
    "tok_hard_decline": ("failed", ("failure", "failed"), "declined"),
    "tok_insufficient_funds": ("failed", ("failure", "failed"), "declined"),
    "tok_requires_action": ("in-progress", ("pending", "in progress"), "waiting for the payer"),
    "tok_slow_success": ("captured", ("success", "captured"), "charged"),
    "tok_timeout_after_charge": ("captured", ("success", "captured"), "charged"),
    "tok_timeout_before_charge": (None, None, None),
    "tok_500_after_charge": (None, ("success", "captured"), "charged"),
    "tok_500_before_charge": (None, None, None),
    "tok_garbage": (None, ("success", "captured"), "charged"),
    "tok_wrong_amount": ("captured", ("success", "captured"), "charged"),
    "tok_async_success": ("pending", ("pending", "pending"), "pending"),
    "tok_async_failure": ("pending", ("pending", "pending"), "pending"),
    "tok_rate_limited": (None, None, None),
    "tok_reopened_decline": ("", ("failure", "dropped"), "declined"),
}


@pytest.mark.parametrize("token", BEHAVIOURS)
def test_every_token(client: Client, token: str) -> None:
    said, read, booked = SI_WORDS[token]
    reply = client.charge(token)
    if said is not None:
        assert detail(reply)["status"] == said
    if read is not None:
        assert words(client.verify()) == read
    else:
        assert client.verify() == {"mihpayid": "Not Found", "status": "Not Found"}
    assert [entry["status"] for entry in client.charges()] == ([booked] if booked else [])


def test_a_success(client: Client) -> None:
    answer = json.loads(client.charge("tok_success").body)
    assert (answer["status"], answer["message"]) == (1, "Transaction Processed successfully")
    debit = answer["details"]["t-1"]
    assert (debit["transactionid"], debit["amount"], debit["udf2"]) == ("t-1", "19.99", "x")
    found = client.verify()
    assert (found["mihpayid"], found["amt"], found["error_code"]) == (debit["payuid"], "19.99", "E000")
    by_id = client.ask("check_payment", debit["payuid"])["transaction_details"][debit["payuid"]]
    assert by_id == found
    (entry,) = client.provider.ledger(NOW)
    assert (entry["reference"], entry["amount"], entry["currency"]) == ("t-1", 1999, "INR")


def test_declines_have_codes(client: Client) -> None:
    codes = set()
    for token in ("tok_soft_decline", "tok_hard_decline", "tok_insufficient_funds"):
        client.charge(token, token.replace("_", "-"))
        found = client.verify(token.replace("_", "-"))
        codes.add(found["error_code"])
        assert (found["net_amount_debit"], found["field9"]) == ("0.00", found["error_Message"])
    assert len(codes) == 3


def test_a_wrong_amount_is_said(client: Client) -> None:
    assert detail(client.charge("tok_wrong_amount"))["amount"] == "20.00"
    assert client.verify()["amt"] == "20.00"


def test_a_txnid_is_good_for_one_payment(client: Client) -> None:
    client.charge("tok_success")
    for again in ("tok_success", "tok_soft_decline"):
        assert json.loads(client.charge(again).body) == {"status": 0, "message": "Duplicate txnid"}
    assert b"Duplicate txnid" in client.browse().body
    assert len(client.charges()) == 1


@pytest.mark.parametrize("token", ["tok_500_before_charge", "tok_timeout_before_charge"])
def test_what_never_began_can_be_sent_again(client: Client, token: str) -> None:
    assert client.charge(token).status == 500
    assert detail(client.charge(token))["status"] == "captured"


def test_a_dropped_payment_may_be_captured_later(client: Client) -> None:
    client.charge("tok_reopened_decline")
    assert words(client.verify(at=NOW + 9)) == ("failure", "dropped")
    assert words(client.verify(at=NOW + 10)) == ("success", "captured")
    assert [words(post) for post in client.posts(NOW + 10)] == [("failure", "dropped"), ("success", "captured")]


@pytest.mark.parametrize(("token", "end"), [("tok_async_success", "success"), ("tok_async_failure", "failure")])
def test_later(client: Client, token: str, end: str) -> None:
    client.charge(token)
    assert client.posts(NOW + 2) == []
    assert client.verify(at=NOW + 3)["status"] == end
    assert [post["status"] for post in client.posts(NOW + 3)] == [end]


def test_rate_limits_are_words(client: Client) -> None:
    assert json.loads(client.charge("tok_rate_limited").body) == {"status": 0, "msg": "Requests limit reached"}


def test_a_registered_mandate_can_be_charged(client: Client) -> None:
    client.browse(si="1", txnid="mandate")
    name = client.verify("mandate")["mihpayid"]
    assert detail(client.charge(name))["status"] == "captured"
    client.browse(txnid="plain")
    refused = json.loads(client.charge(client.verify("plain")["mihpayid"], "t-2").body)
    assert refused == {"status": 0, "message": "Invalid authpayuid"}


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": None},
        {"authpayuid": None},
        {"invoiceDisplayNumber": ""},
        {"txnid": "has spaces"},
        {"txnid": "x" * 26},
        {"amount": "0.00"},
        {"amount": "1.999"},
        {"amount": "-1"},
        {"amount": True},
        {"currency": "INR"},
        {"email": 1},
        {"authpayuid": "tok_nobody"},
    ],
)
def test_what_an_instruction_may_not_say(client: Client, changes: dict[str, Any]) -> None:
    answer = json.loads(client.charge("tok_success", **changes).body)
    assert answer["status"] == 0
    assert client.provider.ledger(NOW) == []


@pytest.mark.parametrize("var1", ["{", "[]", "x"])
def test_an_instruction_that_is_no_object(client: Client, var1: str) -> None:
    assert client.ask("si_transaction", var1) == {"status": 0, "message": "Invalid JSON in var1"}


# -- the payment page


def returned(reply: Reply) -> tuple[str, dict[str, str]]:
    text = reply.body.decode()
    action = re.search(r'action="([^"]*)"', text)
    assert action is not None
    fields = re.findall(r'name="([^"]*)" value="([^"]*)"', text)
    return html.unescape(action[1]), {name: html.unescape(value) for name, value in fields}


def reverse(fields: dict[str, str], salt: str = SALT) -> str:
    names = ("udf5", "udf4", "udf3", "udf2", "udf1", "email", "firstname", "productinfo", "amount", "txnid", "key")
    return sha512(f"{salt}|{fields['status']}||||||" + "|".join(fields[name] for name in names))


def test_the_page_sends_the_payer_back_with_a_hash(client: Client) -> None:
    url, fields = returned(client.browse(udf1="pfx-1", productinfo='Tea & "Cakes"'))
    assert url == "https://shop.test/ok"
    assert (words(fields), fields["txnid"], fields["amount"]) == (("success", "captured"), "t-1", "19.99")
    assert fields["hash"] == reverse(fields)
    assert client.provider.browser_return("t-1", NOW) == (url, fields)
    assert client.posts() == [fields]


def test_amounts_come_back_with_two_decimals(client: Client) -> None:
    fields = returned(client.browse(amount="10"))[1]
    assert (fields["amount"], fields["hash"]) == ("10.00", reverse(fields))


@pytest.mark.parametrize("field", ["udf1", "udf5", "productinfo", "sandbox_token"])
def test_where_the_token_may_be(client: Client, field: str) -> None:
    url, fields = returned(client.browse(**{field: "tok_hard_decline"}))
    assert (url, words(fields), fields["error"]) == ("https://shop.test/no", ("failure", "failed"), "E310")
    assert fields["hash"] == reverse(fields)


def test_the_payer_decides_before_the_merchant(client: Client) -> None:
    assert returned(client.browse(udf1="tok_success", sandbox_token="tok_hard_decline"))[1]["status"] == "failure"


@pytest.mark.parametrize(("suffix", "end"), [("", ("success", "captured")), ("/cancel", ("failure", "userCancelled"))])
def test_a_payer_who_takes_time(client: Client, suffix: str, end: tuple[str, str]) -> None:
    reply = client.browse(udf1="tok_requires_action")
    link = re.search(r'href="https://payu.test(/actions/\d+)"', reply.body.decode())
    assert link is not None
    assert client.provider.browser_return("t-1", NOW) is None
    back = client.provider.handle(Request(method="GET", path=link[1] + suffix), NOW + 60)
    assert words(returned(back)[1]) == words(client.verify(at=NOW + 60)) == end
    assert [words(post) for post in client.posts(NOW + 60)] == [end]


@pytest.mark.parametrize(
    "changes",
    [
        *({name: ""} for name in ("txnid", "amount", "productinfo", "firstname", "email", "phone", "surl", "furl")),
        {"amount": "19.999"},
        {"amount": "0"},
        {"amount": "1e3"},
        {"amount": "1,999.00"},
        {"firstname": "a|b"},
        {"udf1": "a|b"},
        {"productinfo": "x" * 101},
        {"firstname": "x" * 61},
        {"email": "x" * 51},
        {"txnid": "x" * 26},
        {"txnid": "a b"},
        {"currency": "USD"},
        {"surl": "shop.test"},
        {"udf1": "tok_nobody"},
        {"udf1": "tok_rate_limited"},
        {"key": "other"},
        {"hash": "0" * 128},
        {"hash": page()["hash"].upper()},
    ],
)
def test_what_the_page_refuses(client: Client, changes: dict[str, str]) -> None:
    fields = {**page(**changes), **{k: v for k, v in changes.items() if k == "hash"}}
    reply = client.send("/_payment", fields)
    assert (reply.status, b"<form" in reply.body) == (200, False)
    assert client.provider.ledger(NOW) == []


@pytest.mark.parametrize("field", ["amount", "txnid", "productinfo", "firstname", "email", "udf3"])
def test_the_hash_covers_bytes_and_not_meanings(client: Client, field: str) -> None:
    signed = page(udf3="x", amount="10.00")
    changed = {**signed, field: {"amount": "10.0"}.get(field, signed[field] + " ")}
    assert b"Invalid Hash." in client.send("/_payment", changed).body


def test_later_udfs_count_with_api_version_19_only() -> None:
    old, new = page(udf6="six"), page(udf6="six", api_version="19")
    assert old["hash"] == payu.request_hash(old, SALT)
    assert new["hash"] != payu.request_hash(new, SALT)
    head = f"{KEY}|t-1|19.99|Order 1|Asha|asha@example.com||||||"
    assert payu.request_hash(new, SALT) == sha512(f"{head}six|||||{SALT}")
    mandate = page(si_details='{"a":1}')
    assert payu.request_hash(mandate, SALT) == sha512(f'{head}|||||{{"a":1}}|{SALT}')


# -- commands


def test_a_command_needs_everything_and_the_right_hash(client: Client) -> None:
    fields = order("verify_payment", "t-1")
    for name in fields:
        missing = client.send("/merchant/postservice.php", {k: v for k, v in fields.items() if k != name})
        assert json.loads(missing.body) == {"status": 0, "msg": "Parameter missing"}
    for wrong in ({"hash": "0" * 128}, {"key": "other"}, {"var1": "t-2"}, {"hash": fields["hash"].upper()}):
        refused = client.send("/merchant/postservice.php", {**fields, **wrong})
        assert (refused.status, json.loads(refused.body)) == (200, {"status": 0, "msg": "Invalid Hash."})
    assert client.ask("make_me_rich", "1") == {"status": 0, "msg": "Invalid Command."}
    assert client.send("/merchant/postservice.php", fields, kind="application/json").status == 200
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(client.send("/merchant/postservice.php", fields, form="").body)
    assert client.send("/elsewhere", fields).status == 404
    assert client.provider.handle(Request(method="GET", path="/_payment"), NOW).status == 404


def test_the_hash_covers_neither_the_token_nor_the_amount(client: Client) -> None:
    """As at PayU: only TLS protects these."""
    name = client.captured()
    fields = {**order("cancel_refund_transaction", name, var2="r-1", var3="1.00"), "var3": "2.00"}
    assert json.loads(client.send("/merchant/postservice.php", fields).body)["status"] == 1


def test_verify_takes_several_and_says_what_it_does_not_find(client: Client) -> None:
    client.charge("tok_success")
    both = client.ask("verify_payment", "t-1|t-2")
    assert (both["status"], both["msg"]) == (1, "1 out of 2 Transactions Fetched Successfully")
    assert both["transaction_details"]["t-2"] == {"mihpayid": "Not Found", "status": "Not Found"}
    assert client.ask("verify_payment", "t-2")["status"] == 0


def test_a_young_payment_may_be_invisible() -> None:
    client = Client(visibility_lag_seconds=20)
    client.charge("tok_success")
    assert client.verify(at=NOW + 19)["status"] == "Not Found"
    assert client.verify(at=NOW + 20)["status"] == "success"


def test_a_young_refund_may_be_invisible() -> None:
    client = Client(visibility_lag_seconds=20)
    client.charge("tok_success")
    name = client.charges()[0]["chargeId"]
    client.ask("cancel_refund_transaction", name, var2="r-1", var3="1.00")
    answers = [client.ask("check_action_status", name, var2="payuid", at=NOW + age) for age in (19, 20)]
    assert [str(answer).count("r-1") > 0 for answer in answers] == [False, True]


# -- capture and void


def test_a_capture_is_queued_first(client: Client) -> None:
    name = client.authorized()
    assert words(client.verify()) == ("success", "auth")
    assert client.charges()[0]["status"] == "authorized"
    queued = client.ask("capture_transaction", name, var2="c-1", var3="19.99")
    assert (queued["status"], queued["msg"], queued["error_code"]) == (1, "Capture Request Queued", 102)
    assert client.ask("capture_transaction", name, var2="c-2", var3="19.99")["error_code"] == 109
    request = queued["request_id"]
    assert [client.action(request, NOW + s)["status"] for s in (0, 2, 3)] == ["QUEUED", "IN PROGRESS", "SUCCESS"]
    assert words(client.verify(at=NOW + 2)) == ("success", "auth")
    assert words(client.verify(at=NOW + 3)) == ("success", "captured")
    assert client.ask("capture_transaction", name, NOW + 4, var2="c-3", var3="19.99")["error_code"] == 301
    (entry, capture) = client.provider.ledger(NOW + 4)
    assert (entry["status"], entry["amount"]) == ("charged", 1999)
    assert (capture["kind"], capture["reference"], capture["amount"], capture["status"]) == (
        "capture",
        "c-1",
        1999,
        "done",
    )


@pytest.mark.parametrize(
    ("amount", "code"), [("20.00", 303), ("19.98", 128), ("x", 105), ("0", 105), ("19.990", 105), ("-1", 105)]
)
def test_what_cannot_be_captured(client: Client, amount: str, code: int) -> None:
    name = client.authorized()
    answer = client.ask("capture_transaction", name, var2="c-1", var3=amount)
    assert (answer["status"], answer["error_code"], answer["mihpayid"]) == (0, code, name)
    assert client.charges(NOW + 9)[0]["status"] == "authorized"


def test_a_partial_capture_where_the_account_allows_it() -> None:
    client = Client(partial_capture=True)
    client.ask("capture_transaction", client.authorized(), var2="c-1", var3="5.00")
    assert client.charges(NOW + 3)[0]["amount"] == 500
    assert client.verify(at=NOW + 3)["amt"] == "5.00"


def test_a_capture_that_fails_leaves_the_authorization(client: Client) -> None:
    name = client.authorized()
    client.provider.next_operation("tok_async_failure")
    request = client.ask("capture_transaction", name, var2="c-1", var3="19.99")["request_id"]
    assert client.action(request, NOW + 3)["status"] == "FAILURE"
    assert words(client.verify(at=NOW + 3)) == ("success", "auth")
    assert len(client.posts(NOW + 3)) == 1
    assert client.ask("capture_transaction", name, NOW + 4, var2="c-2", var3="19.99")["status"] == 1


def test_a_void(client: Client) -> None:
    name = client.authorized()
    assert client.refund(name, "v-1", "5.00")["error_code"] == 117
    queued = client.refund(name, "v-1", "19.99")
    assert (queued["status"], queued["msg"], "request_id" in queued) == (1, "Cancel Request Queued", False)
    assert client.refund(name, "v-2", "19.99")["error_code"] == 126
    assert client.action(queued["txn_update_id"], NOW + 3)["action"] == "cancel"
    assert client.verify(at=NOW + 3)["unmappedstatus"] == "cancelled"
    assert client.charges(NOW + 3)[0]["status"] == "canceled"
    assert client.ask("capture_transaction", name, NOW + 3, var2="c-1", var3="19.99")["error_code"] == 111


# -- refunds


def test_partial_refunds_to_the_last_paisa_and_no_further(client: Client) -> None:
    name = client.captured()
    first = client.refund(name, "r-1", "5.00")
    assert (first["msg"], first["error_code"], first["bank_ref_num"]) == ("Refund Request Queued", 102, None)
    assert client.refund(name, "r-1", "6.00")["error_code"] == 106
    assert client.refund(name, "r-2", "15.00")["error_code"] == 105
    assert client.refund(name, "r-3", "14.99")["status"] == 1
    assert client.refund(name, "r-4", "0.01")["error_code"] == 105
    statuses = [client.action(first["request_id"], NOW + s)["status"] for s in (0, 2, 3)]
    assert statuses == ["queued", "in progress", "success"]
    actions = client.ask("check_action_status", name, NOW + 3, var2="payuid")["transaction_details"][name]
    queued = [(a["action"], a["token"], a["amt"], a["status"]) for a in actions.values()]
    assert queued == [
        ("capture", "", "19.99", "SUCCESS"),
        ("refund", "r-1", "5.00", "success"),
        ("refund", "r-3", "14.99", "success"),
    ]
    assert client.verify(at=NOW + 3)["unmappedstatus"] == "refunded"
    (entry, *refunds) = client.provider.ledger(NOW + 3)
    assert (entry["amount"], entry["refunded"]) == (1999, 1999)
    assert [(r["kind"], r["reference"], r["amount"]) for r in refunds] == [
        ("refund", "r-1", 500),
        ("refund", "r-3", 1499),
    ]


def test_the_same_amount_within_five_minutes_is_refused(client: Client) -> None:
    name = client.captured()
    assert client.refund(name, "r-1", "5.00")["status"] == 1
    assert client.refund(name, "r-2", "5.00", NOW + 299)["error_code"] == 109
    assert client.refund(name, "r-2", "5.00", NOW + 300)["status"] == 1


def test_a_refund_that_fails_can_be_asked_for_again(client: Client) -> None:
    name = client.captured()
    client.provider.next_operation("tok_async_failure")
    request = client.refund(name, "r-1", "19.99")["request_id"]
    assert client.action(request, NOW + 3)["status"] == "failure"
    assert client.posts(NOW + 3)[-1]["status"] == "failure"
    assert client.charges(NOW + 3)[0]["refunded"] == 0
    assert client.refund(name, "r-2", "19.99", NOW + 4)["status"] == 1


def test_operations_fail_as_planned(client: Client) -> None:
    name = client.captured()
    client.provider.next_operation("tok_rate_limited", "tok_soft_decline", "tok_hard_decline", "tok_500_after_charge")
    assert client.refund(name, "r-1", "1.00") == {"status": 0, "msg": "Requests limit reached"}
    assert client.refund(name, "r-1", "1.00")["error_code"] == 120
    assert client.refund(name, "r-1", "1.00")["error_code"] == 109
    broken = client.send("/merchant/postservice.php", order("cancel_refund_transaction", name, var2="r-1", var3="1.00"))
    assert broken.status == 500
    assert client.refund(name, "r-1", "1.00")["error_code"] == 106
    client.provider.next_operation("tok_insufficient_funds", "tok_requires_action", "tok_async_success")
    poor = client.refund(name, "r-2", "2.00")["request_id"]
    assert [client.action(poor, NOW + s)["status"] for s in (5, 10)] == ["od_hit", "success"]
    assert client.refund(name, "r-3", "3.00")["error_code"] == 122
    slow = client.refund(name, "r-4", "4.00")["request_id"]
    assert client.action(slow, NOW + 2)["status"] == "requested"


def test_a_payment_is_locked_while_an_answer_is_held(client: Client) -> None:
    name = client.captured()
    client.provider.next_operation("tok_timeout_after_charge")
    fields = order("cancel_refund_transaction", name, var2="r-1", var3="1.00")
    assert client.send("/merchant/postservice.php", fields).hold_seconds == 20
    assert client.refund(name, "r-2", "2.00", NOW + 19)["error_code"] == 120
    assert client.refund(name, "r-1", "1.00", NOW + 20)["error_code"] == 106
    assert client.refund(name, "r-2", "2.00", NOW + 20)["status"] == 1


def test_what_cannot_be_refunded(client: Client) -> None:
    assert client.refund("403900000000000000", "r-1", "1.00")["error_code"] == 116
    client.charge("tok_soft_decline")
    assert client.refund(client.verify()["mihpayid"], "r-1", "1.00")["error_code"] == 111
    client.charge("tok_success", "t-2")
    name = client.verify("t-2")["mihpayid"]
    assert client.refund(name, "r" * 24, "1.00")["error_code"] == 105
    assert client.refund(name, "r-1", "1.001")["error_code"] == 105
    for missing in ({"var2": "r-1"}, {"var3": "1.00"}):
        assert client.ask("cancel_refund_transaction", name, **missing) == {"status": 0, "msg": "Parameter missing"}


def test_an_action_that_does_not_exist(client: Client) -> None:
    answer = client.ask("check_action_status", "13127842")
    assert answer["status"] == 0
    assert answer["transaction_details"] == {"13127842": "No action status found"}


# -- posts to the merchant


def test_posts_are_given_once_and_signed_with_the_salt(client: Client) -> None:
    client.charge("tok_success")
    (webhook,) = client.provider.webhooks_due(NOW)
    assert client.provider.webhooks_due(NOW + 1) == []
    fields = dict(parse_qsl(webhook.body.decode(), keep_blank_values=True))
    assert webhook.headers == {"content-type": FORM}
    assert (fields["key"], fields["hash"]) == (KEY, reverse(fields))
    assert client.provider.redelivered(webhook, NOW + 9) == webhook
    other = Client(webhook_secret="other")
    other.charge("tok_success")
    (fields,) = other.posts()
    assert fields["hash"] == reverse(fields, "other")


def test_a_refunds_post_has_no_hash(client: Client) -> None:
    request = client.refund(client.captured(), "r-1", "5.00")["request_id"]
    client.posts(NOW + 2)
    (webhook,) = client.provider.webhooks_due(NOW + 3)
    post = json.loads(webhook.body)
    assert webhook.headers == {"content-type": "application/json"}
    assert (post["action"], post["status"], post["token"], post["amt"]) == ("refund", "success", "r-1", "5.00")
    assert (post["request_id"], post["merchantTxnId"], "hash" in post) == (request, "t-1", False)


def test_a_capture_is_posted_and_pending_is_not(client: Client) -> None:
    client.ask("capture_transaction", client.authorized(), var2="c-1", var3="19.99")
    client.charge("tok_requires_action", "t-2")
    assert [words(post) for post in client.posts(NOW + 9)] == [("success", "auth"), ("success", "captured")]


# -- against PayU's own material


def vector(name: str) -> dict[str, Any]:
    (row,) = [row for row in json.loads(VECTORS.read_text()) if row["id"] == name]
    return row


@pytest.mark.needs("contracts")
@pytest.mark.parametrize("name", ["payu-forward-activemerchant", "payu-forward-vendor-python"])
def test_published_request_hashes(name: str) -> None:
    row = vector(name)
    *values, salt = row["message"].split("|")
    fields = dict(zip(("key", "txnid", "amount", "productinfo", "firstname", "email"), values, strict=False))
    assert payu.request_hash(fields, salt) == row["expected"]


@pytest.mark.needs("contracts")
def test_a_published_command_hash() -> None:
    row = vector("payu-command-refund-activemerchant")
    key, command, var1, salt = row["message"].split("|")
    assert payu.command_hash({"key": key, "command": command, "var1": var1}, salt) == row["expected"]


@pytest.mark.needs("contracts")
def test_a_published_response_hash() -> None:
    row = vector("payu-reverse-offsite_payments")
    salt, status, *rest = row["message"].split("|")
    names = ("key", "txnid", "amount", "productinfo", "firstname", "email")
    fields = {"status": status, **dict(zip(names, reversed(rest), strict=False))}
    assert payu.response_hash(fields, salt) == row["expected"]


def test_hashes_of_our_own() -> None:
    """printf with the same texts | openssl dgst -sha512"""
    fields = {
        "key": "K",
        "txnid": "T",
        "amount": "1.00",
        "productinfo": "P",
        "firstname": "Zoë",
        "email": "z@x.y",
        **{f"udf{n}": f"u{n}" for n in range(1, 6)},
        "status": "success",
        "additionalCharges": "2.50",
    }
    assert payu.request_hash(fields, "S")[:32] == "6188e4f05dccae18174df229a908078e"
    assert payu.response_hash(fields, "S")[:32] == "e94d087383c25fed510ccc8eea55b4d2"


class TestList:
    def test_all_of_a_span_in_indias_time_both_ends_included_without_pages(self) -> None:
        client = Client()
        for number in range(3):
            client.charge("tok_success", f"t-{number}", NOW + number)
        client.charge("tok_hard_decline", "t-9", NOW + 1)

        def listed(since: str, until: str) -> list[tuple[str, str, str]]:
            answer = client.ask("get_transaction_info", since, NOW + 9, var2=until)
            return [(row["txnid"], row["status"], row["amount"]) for row in answer["Transaction_details"]]

        assert listed("2023-11-15 03:43:20", "2023-11-15 03:43:21") == [
            ("t-0", "captured", "19.99"),
            *sorted([("t-1", "captured", "19.99"), ("t-9", "failed", "19.99")], key=lambda row: payu.payu_id(row[0])),
        ]
        assert listed("2023-11-15 03:43:23", "2023-11-16 00:00:00") == []

    def test_a_span_that_is_none_is_refused(self) -> None:
        answer = Client().ask("get_transaction_info", "yesterday", var2="today")
        assert answer == {"status": 0, "msg": "Invalid Date"}
