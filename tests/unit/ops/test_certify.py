"""`payflowx certify`: every table at the project's simulators, live keys refused, and a report without secrets."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from ops.certify import certification
from ops.certify.accounts import RULES, why_refused
from ops.certify.bench import PAYER, Bench
from ops.certify.checks import Check, Finding, Verdict, answer_of, run_check
from ops.certify.masking import masked_answer, masked_request
from ops.certify.runner import TABLES, certify, document
from ops.cli import payflowx
from ops.errors import Exit
from payflowx.domain.payments.outcome import NotFound, Unknown
from payflowx.domain.shared.transport import Credentials, HttpRequest, HttpResponse, HttpResult, NoConnection
from sandbox.http_types import Request
from tests.support.memory import ManualClock
from tests.support.providers import PATHS, SimulatedHttp

PROVIDERS = ("stripe", "razorpay", "cashfree", "payu")
TOKENS = {"razorpay": "cust_certify00000:tok_success", "cashfree": "tok_success", "payu": "tok_success"}
CREDENTIALS = Credentials(key_id="id", key_secret="secret")


def bench_of(provider: str, *, token: str | None = None, client: Any = None, pays: bool = False) -> Bench:
    clock = ManualClock()
    http = client or SimulatedHttp(clock)

    def pay_there(url: str) -> None:
        """As a payer's app does with a UPI link."""
        (name,) = parse_qs(urlsplit(url).query)["tr"]
        request = Request(method="GET", path=f"/actions/{name}", query={}, headers={}, body=b"")
        assert http.simulators[provider].handle(request, clock.now_ms() / 1000).status == 200

    return Bench(
        provider=provider,
        endpoint=f"https://{provider}{PATHS.get(provider, '')}",
        credentials=CREDENTIALS,
        token=token,
        client=http,
        clock_ms=clock.now_ms,
        pause=clock.advance,
        payer=pay_there if pays else None,
    )


def told(findings: list[Finding]) -> list[str]:
    return [f"{f.check.name}: {f.verdict} {f.answer} {f.exchanges[-1:]}" for f in findings]


class TestTables:
    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_the_simulator_answers_every_row_as_expected(self, provider: str) -> None:
        bench = bench_of(provider, token=TOKENS.get(provider), pays=True)
        findings = list(certify(bench))
        assert [line for line in told(findings) if Verdict.EXPECTED.value not in line] == []
        assert len(findings) == len(TABLES[provider])

    @pytest.mark.parametrize("provider", ["razorpay", "cashfree", "payu"])
    def test_without_a_token_the_rows_that_need_one_are_left_out(self, provider: str) -> None:
        findings = list(certify(bench_of(provider)))
        verdicts = {finding.verdict for finding in findings}
        assert verdicts == {Verdict.EXPECTED, Verdict.LEFT_OUT}
        assert all(not finding.exchanges for finding in findings if finding.verdict is Verdict.LEFT_OUT)

    def test_every_name_that_a_row_needs_is_a_row_before_it(self) -> None:
        for table in TABLES.values():
            names = [check.name for check in table]
            assert len(set(names)) == len(names)
            for place, check in enumerate(table):
                assert set(check.after) <= set(names[:place])

    def test_a_sandbox_that_answers_otherwise_is_a_difference(self) -> None:
        class Busy:
            def send(self, _request: HttpRequest, _endpoint: str) -> HttpResult:
                return HttpResponse(status=200, headers={}, body=b"<html>busy</html>")

        findings = list(certify(bench_of("payu", token="1", client=Busy())))
        assert Verdict.DIFFERS in {finding.verdict for finding in findings}
        assert document(bench_of("payu"), findings)["verdicts"]["differs"] >= 3

    def test_an_error_of_a_check_is_a_difference_and_not_the_end(self) -> None:
        def fail(_bench: Bench) -> Any:
            raise KeyError("x")

        finding = run_check(Check(name="n", question="q", run=fail, expected=("Succeeded",)), bench_of("payu"))
        assert (finding.verdict, finding.answer.word) == (Verdict.DIFFERS, "KeyError")

    def test_an_answers_word_is_the_outcome(self) -> None:
        assert answer_of(NotFound(complete=True)).code == " (complete)"
        assert answer_of(Unknown(code="x", message="m")).message == "m"


SECRET = "k" * 30


class TestLiveAccounts:
    @pytest.mark.parametrize(
        ("provider", "key_id", "key_secret"),
        [
            ("stripe", "", f"sk_live_{SECRET}"),
            ("stripe", "", f"rk_live_{SECRET}"),
            ("stripe", f"pk_live_{SECRET}", f"sk_test_{SECRET}"),
            ("stripe", "", f" sk_live_{SECRET}"),
            ("razorpay", f"rzp_live_{SECRET}", SECRET),
            ("cashfree", SECRET, f"cfsk_ma_prod_{SECRET}"),
        ],
    )
    @pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:4010"])
    def test_live_keys_are_refused_at_every_address(
        self, provider: str, key_id: str, key_secret: str, endpoint: str | None
    ) -> None:
        reason = why_refused(
            provider, endpoint or RULES[provider].endpoint, Credentials(key_id=key_id, key_secret=key_secret)
        )
        assert reason is not None
        assert "live" in reason
        assert SECRET not in reason

    @pytest.mark.parametrize(
        ("provider", "endpoint"),
        [
            ("payu", "https://info.payu.in"),
            ("payu", "https://secure.payu.in"),
            ("payu", "http://test.payu.in"),
            ("payu", "https://test.payu.in@info.payu.in"),
            ("payu", "https://test.payu.in:8443"),
            ("cashfree", "https://api.cashfree.com/pg"),
            ("cashfree", "https://sandbox.cashfree.com.example.net/pg"),
            ("stripe", "https://stripe.example.net"),
            ("razorpay", "https://127.0.0.1.example.net"),
            ("razorpay", "https://["),
        ],
    )
    def test_any_other_address_is_refused(self, provider: str, endpoint: str) -> None:
        key = {"stripe": "sk_test_x", "razorpay": "rzp_test_x"}.get(provider, "x")
        assert why_refused(provider, endpoint, Credentials(key_id=key, key_secret=key)) is not None

    @pytest.mark.parametrize("provider", ["stripe", "razorpay"])
    def test_where_one_host_serves_both_the_keys_must_show_that_they_are_test_keys(self, provider: str) -> None:
        endpoint = RULES[provider].endpoint
        assert why_refused(provider, endpoint, Credentials(key_id="x", key_secret="y")) is not None

    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_test_accounts_and_simulators_are_taken(self, provider: str) -> None:
        key = {"stripe": "sk_test_x", "razorpay": "rzp_test_x"}.get(provider, "x")
        test_account = Credentials(key_id=key, key_secret=key)
        assert why_refused(provider, RULES[provider].endpoint, test_account) is None
        assert why_refused(provider, "http://127.0.0.1:4010/pg", CREDENTIALS) is None


@dataclass
class Line:
    """Stands for the network, and counts."""

    answer: HttpResult = field(default_factory=lambda: HttpResponse(status=401, headers={}, body=b"{}"))
    sent: list[str] = field(default_factory=list)

    def send(self, _request: HttpRequest, endpoint: str) -> HttpResult:
        self.sent.append(endpoint)
        return self.answer


class TestCommand:
    def run(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, provider: str, secret: dict[str, str], *more: str
    ) -> tuple[Any, Line, Path]:
        line, report = Line(), tmp_path / "report.json"
        monkeypatch.setattr(certification, "Urllib3Client", lambda: line)
        monkeypatch.setattr(certification.time, "sleep", lambda _seconds: None)
        words = ["certify", provider, "--secret-file", "-", "--report", str(report), *more]
        return CliRunner().invoke(payflowx, words, input=json.dumps(secret)), line, report

    def test_a_live_key_ends_it_before_the_first_request(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        secret = {"keyId": "x", "keySecret": f"sk_live_{SECRET}"}
        result, line, report = self.run(monkeypatch, tmp_path, "stripe", secret)
        assert result.exit_code == Exit.REFUSED
        assert "Nothing was sent" in result.output
        assert SECRET not in result.output
        assert line.sent == []
        assert not report.exists()

    def test_a_difference_is_bad_news_and_in_the_report(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        secret = {"keyId": "x", "keySecret": f"sk_test_{SECRET}"}
        result, line, report = self.run(monkeypatch, tmp_path, "stripe", secret)
        assert result.exit_code == Exit.BAD_NEWS, result.output
        assert set(line.sent) == {"https://api.stripe.com"}
        assert json.loads(report.read_text())["verdicts"]["differs"] > 0
        assert SECRET not in report.read_text()

    def test_refused_credentials_are_named_as_the_reason(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        result, _, _ = self.run(monkeypatch, tmp_path, "stripe", {"keyId": "x", "keySecret": f"sk_test_{SECRET}"})
        assert "differs       charge: Rejected unauthorized (expected: Succeeded)" in result.output
        assert "https://api.stripe.com refused these credentials" in result.output

    def test_an_address_that_does_not_answer_is_named_as_the_reason(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        line, report = Line(answer=NoConnection(code="connection_refused")), tmp_path / "report.json"
        monkeypatch.setattr(certification, "Urllib3Client", lambda: line)
        words = ["certify", "payu", "--secret-file", "-", "--report", str(report)]
        words += ["--endpoint", "http://127.0.0.1:4010"]
        result = CliRunner().invoke(payflowx, words, input='{"keyId": "sandbox", "keySecret": "sandbox"}')
        assert "No connection to http://127.0.0.1:4010 could be opened" in result.output

    def test_a_report_that_cannot_be_written_ends_it_before_the_first_request(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        line = Line()
        monkeypatch.setattr(certification, "Urllib3Client", lambda: line)
        for place in (tmp_path / "none" / "report.json", tmp_path):
            words = ["certify", "payu", "--secret-file", "-", "--report", str(place)]
            result = CliRunner().invoke(payflowx, words, input='{"keyId": "x", "keySecret": "x"}')
            assert result.exit_code == Exit.USAGE
            assert "cannot be written" in result.output
        assert line.sent == []

    def test_help_needs_no_connector(self) -> None:
        assert "test keys" in CliRunner().invoke(payflowx, ["certify", "--help"]).output


class TestReport:
    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_it_holds_no_key_no_token_no_id_and_no_payer(self, provider: str) -> None:
        bench = bench_of(provider, token=TOKENS.get(provider), pays=True)
        findings = list(certify(bench))
        text = json.dumps(document(bench, findings))
        private = [PAYER.name, PAYER.email, PAYER.phone, bench.token, "cust_certify00000"]
        ids = [charge.reference for charge in bench.charges.values()]
        keys = [charge.provider_key for charge in bench.charges.values()]
        facts = [value for charge in bench.charges.values() for value in charge.progress.values() if len(value) > 12]
        assert not [value for value in (*private, *ids, *keys, *facts) if value and value in text]
        assert '"secret"' not in text

    def test_words_and_codes_stay(self) -> None:
        body = {
            "status": "failed",
            "error_code": "E312",
            "msg": "Token for a@example.com already exists.",
            "id": "pay_A1b2C3d4E5",
            "amount": 10_000,
            "client_secret": "pi_1_secret_2",
            "4039937155": {"amt": "100.00", "name": "Ada"},
            "rows": [1, 2, 3, 4],
            "none": None,
            "customer_name": "Ada",
            "text": "no secret of ours: hunter2hunter2",
        }
        response = HttpResponse(status=200, headers={}, body=json.dumps(body).encode())
        assert masked_answer(response, ("hunter2",)) == {
            "status": "failed",
            "error_code": "E312",
            "msg": "Token for [removed] already exists.",
            "id": "[14 characters]",
            "amount": 10_000,
            "client_secret": "[removed]",
            "[id]": {"amt": "100.00", "name": "[removed]"},
            "rows": [1, 2, 3],
            "none": None,
            "customer_name": "[removed]",
            "text": "[removed]",
        }
        html = HttpResponse(status=200, headers={}, body=b"<html>")
        assert masked_answer(html, ()) == "[6 bytes that are no JSON]"

    def test_ids_in_paths_are_masked(self) -> None:
        request = HttpRequest(method="GET", path="/v1/payment_intents/pi_3ABC?expand=x")
        assert masked_request(request) == "GET /v1/payment_intents/[id]"
