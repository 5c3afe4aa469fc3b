"""Keys that a restarted process finds again."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payflowx.domain.shared.card_data import contains_card_number
from payflowx_client.keys import FileKeyStore, KeyStore, SqliteKeyStore, canonical, derived, resolved
from tests.unit.clients.samples import payment
from tests.unit.clients.server import Came, Say, Server

CRASHES = int(os.environ.get("CLIENT_CRASHES", "6"))
"""Processes that are killed for each kind of store; 100 with `CLIENT_CRASHES=100`."""
SOURCES = Path(__file__).resolve().parents[3] / "clients" / "python" / "src"
PURPOSES = st.lists(st.one_of(st.integers(), st.text(st.characters(codec="utf-8"), min_size=1)), min_size=1, max_size=5)

SHOP = """
import sys
from payflowx_client import Client, FileKeyStore, PaymentMethod, SqliteKeyStore
url, kind, path, order = sys.argv[1:]
store = {"derived": lambda: None, "file": lambda: FileKeyStore(path), "sqlite": lambda: SqliteKeyStore(path)}[kind]()
client = Client(base_url=url, api_key="k", keys=store)
method = PaymentMethod(type="card", token="tok")
client.payments.create(amount=5, currency="USD", payment_method=method, key=("order", int(order)))
"""


@given(one=PURPOSES, other=PURPOSES)
def test_a_purpose_has_one_spelling_and_no_other_purpose_has_it(one: list[Any], other: list[Any]) -> None:
    assert (canonical(tuple(one)) == canonical(tuple(other))) is (one == other)


@given(PURPOSES)
def test_a_derived_key_is_accepted_by_the_api(purpose: list[Any]) -> None:
    key = derived(tuple(purpose))
    assert key.removeprefix("key-").isalpha()
    assert not contains_card_number(key)


def test_a_derived_key_never_changes() -> None:
    """A key that another release derives would charge again."""
    assert derived(("order", 4711, "refund", 1)) == DERIVED
    assert derived(("order", "4711", "refund", 1)) != DERIVED


def test_both_languages_derive_the_same_keys() -> None:
    vectors = json.loads((SOURCES.parents[1] / "vectors.json").read_text())
    assert [derived(tuple(each["purpose"])) for each in vectors["purposes"]] == [
        each["key"] for each in vectors["purposes"]
    ]


DERIVED = "key-pjaagpjgglpfnjbkfnailenfddkfpmdpmlfclddkbepacdjjbgkihkoeidlapiah"


@pytest.mark.parametrize("purpose", [(), ("",), (1.5,), (True,), (None,), ("a", ["b"]), ("x" * 1025,), (1,) * 17])
def test_a_purpose_that_is_none(purpose: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        derived(purpose)


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256, "a\n", 5, None, ["order", 1]])
def test_a_key_that_is_none(key: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        resolved(key, None, "payment")


Made = Callable[[], KeyStore]


@pytest.fixture(params=[FileKeyStore, SqliteKeyStore])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    return lambda: request.param(tmp_path / "keys")


def test_the_first_key_of_a_purpose_is_kept(made: Made) -> None:
    assert [made().key_for("a", "one"), made().key_for("a", "two"), made().key_for("b", "two")] == ["one", "one", "two"]


def test_of_many_at_once_all_have_the_key_of_the_first(made: Made) -> None:
    made()
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda number: made().key_for("a", f"k{number}"), range(64)))
    assert len(found) == 1


def test_a_rival_that_was_first_while_the_file_was_written_keeps_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rivals = ["rival"]

    def fsync(_: int) -> None:
        if rivals:
            assert FileKeyStore(tmp_path).key_for("a", rivals.pop()) == "rival"

    monkeypatch.setattr("payflowx_client.keys.os.fsync", fsync)
    assert FileKeyStore(tmp_path).key_for("a", "mine") == "rival"


def test_a_payment_and_a_refund_of_the_same_purpose_have_their_own_keys(made: Made) -> None:
    store = made()
    keys = [resolved(("order", 1), store, operation) for operation in ("payment", "refund", "payment")]
    assert keys[0] == keys[2] != keys[1]


@pytest.mark.parametrize("kind", ["derived", "file", "sqlite"])
def test_a_process_that_dies_between_key_and_answer_repeats_instead_of_charging_anew(
    kind: str, server: Server, tmp_path: Path
) -> None:
    """The server kills the caller when the request has arrived, and executes it; then the shop runs once more."""
    charged: list[str] = []
    running: list[subprocess.Popen[bytes]] = []

    def answer(came: Came) -> Say:
        key = came.headers["idempotency-key"]
        if key in charged:
            return Say(202, payment())
        charged.append(key)
        os.kill(running[-1].pid, signal.SIGKILL)
        return Say(hangs_up=True)

    server.answer = answer
    for order in range(CRASHES):
        arguments = [sys.executable, "-c", SHOP, server.url, kind, str(tmp_path / "keys"), str(order)]
        ends = []
        for _ in range(2):
            running.append(subprocess.Popen(arguments, env={"PYTHONPATH": str(SOURCES)}))
            ends.append(running[-1].wait(timeout=60))
        assert ends == [-signal.SIGKILL, 0]
    assert len(charged) == CRASHES
    assert len(server.came) == 2 * CRASHES
