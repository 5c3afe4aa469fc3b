"""Every Python snippet of the pages for merchants is executed; those of TypeScript are in `clients/typescript/test`."""

import re
import sqlite3
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import payflowx_client
from payflowx_client import PaymentMethod, WebhookMessage
from payflowx_client.testing import API_KEY, CHECKOUTS, SCENARIOS, FakeApi, served
from tests.unit.clients.test_webhooks import SECRET, message, signed

ROOT = Path(__file__).resolve().parents[3]
PAGES = ROOT / "docs" / "clients"
ADAPTERS = ROOT / "clients" / "adapters"
METHOD = PaymentMethod(type="card", token="tok_success")


def snippets(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (PAGES / page).read_text(), re.DOTALL)


def run(page: str, found: list[str], **names: Any) -> dict[str, Any]:
    public = {name: getattr(payflowx_client, name) for name in payflowx_client.__all__}
    space = {**public, **names}
    for snippet in found:
        exec(compile(snippet, page, "exec"), space)
    return space


class Percent:
    """A connection of SQLite that takes the placeholders of PostgreSQL's drivers."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.execute("CREATE TABLE payflowx_keys (purpose TEXT PRIMARY KEY, key TEXT NOT NULL)")

    def cursor(self) -> Any:
        cursor = self.connection.cursor()
        return SimpleNamespace(
            execute=lambda sql, given: cursor.execute(sql.replace("%s", "?"), given), fetchone=cursor.fetchone
        )


def test_retry_safely() -> None:
    api = FakeApi()
    client = api.client()
    first, *rest = snippets("retry.md", "python")
    assert len(rest) == 4
    names = {"client": client, "token": "tok_success", "method": METHOD, "later": [], "connection": Percent()}
    with pytest.raises(payflowx_client.OutcomeUnknownError):
        run("retry.md", [first], **names)
    client.payments.wait_for(next(iter(client.payments.list())).transaction_id)
    run("retry.md", [first], **names)
    assert len(list(client.payments.list())) == 1
    with served(api) as url:
        space = run("retry.md", rest[:3], **names, base_url=url, api_key=API_KEY)
        for _ in range(2):
            space["client"].payments.create(amount=5, currency="USD", payment_method=METHOD, key=("stored", 1))
    assert len(list(api.client().payments.list())) == 2
    assert [key.startswith("key-") for _, key in names["connection"].connection.execute("SELECT * FROM payflowx_keys")]
    api.lose_answers(5)
    run("retry.md", [rest[3]], **names)
    assert names["later"] == [("order", 4712)]
    names["connection"].connection.close()


def test_webhooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = snippets("webhooks.md", "python")[0]
    shipped: list[Any] = []
    body, headers = signed(message(), at=int(time.time()))
    names = {"secret": SECRET, "raw_body": body, "headers": headers, "ship": shipped.append}
    for _ in range(2):
        assert run("webhooks.md", [first], **names)["status"] == 204
    assert len(shipped) == 1


@pytest.mark.parametrize(("language", "folder"), [("python", "python"), ("js", "node")])
def test_the_adapters_of_the_page_are_those_that_run_in_their_frameworks(language: str, folder: str) -> None:
    """`tests/clients` serves these files to the real deliverer."""
    files = [path.read_text() for path in (ADAPTERS / folder).glob("with_*")]
    shown = snippets("webhooks.md", language)[1:]
    assert len(shown) == len(files) == 4
    for snippet in shown:
        assert any(snippet in text for text in files), snippet


def test_testing() -> None:
    handled: list[Any] = []
    first, checkout, last = snippets("testing.md", "python")
    space = run("testing.md", [first], handle=handled.append)
    assert [each.event.type.value for each in handled] == ["payment.succeeded"]
    run("testing.md", [checkout], api=space["api"], client=space["client"])
    run("testing.md", [last], api=space["api"], client=space["client"], method=METHOD)


def test_the_page_has_every_scenario() -> None:
    rows = re.findall(
        r"^\| `(tok_\w+)`(?:, and any other)? \| (.*) \|$", (PAGES / "testing.md").read_text(), re.MULTILINE
    )
    assert rows == [(each.token, each.means) for each in SCENARIOS.values()]
    checkouts = re.findall(
        r"^\| `(checkout_\w+)`(?:, and any other)? \| (.*) \|$", (PAGES / "testing.md").read_text(), re.MULTILINE
    )
    assert checkouts == [(each.name, each.means) for each in CHECKOUTS.values()]


def test_statuses() -> None:
    first, second = snippets("statuses.md", "python")
    next_step = run("statuses.md", [first])["next_step"]
    payment = WebhookMessage.from_json(message()).data.payment
    found = {}
    for status in [*payflowx_client.PaymentStatus, payflowx_client.PaymentStatus("HELD")]:
        found[status.value] = next_step(SimpleNamespace(status=status, next_action=payment.next_action))
    assert found["SUCCESS"] == "ship"
    assert {found[each] for each in ("PENDING", "IN_REVIEW", "HELD")} == {"wait"}
    assert found["REQUIRES_ACTION"].startswith("send the payer to ")
    client = FakeApi().client()
    late = client.payments.create(
        amount=5, currency="USD", payment_method=PaymentMethod(type="card", token="tok_late_success"), key="k-1"
    )
    run("statuses.md", [second], client=client, payment=late)
    page = (PAGES / "statuses.md").read_text()
    for statuses in (payflowx_client.PaymentStatus, payflowx_client.OperationStatus):
        assert all(f"| `{each}` |" in page for each in statuses)


@pytest.mark.parametrize("page", ["retry.md", "webhooks.md", "testing.md", "statuses.md"])
def test_every_name_of_a_page_exists(page: str) -> None:
    text = (PAGES / page).read_text()
    names = set(re.findall(r"`(\w+(?:Error|Store))`", text)) - {"FileEventStore"}
    assert [each for each in names if not hasattr(payflowx_client, each)] == []
