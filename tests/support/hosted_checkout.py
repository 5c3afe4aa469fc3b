"""A hosted object beside which operations, reports and hostile answers are tried, in one short lifetime."""

from typing import Any

from payflowx.domain.payments.outcome import ActionRequired, Outcome, StepResult
from payflowx.domain.payments.payment import Customer
from payflowx.domain.reconciliation.reports import ReportAnswer, ReportPage
from payflowx.domain.shared.operation_request import OperationKind, OperationRequest
from payflowx.domain.shared.transport import HttpResponse
from sandbox.hosted_pages import Act
from tests.support.hosted import AMOUNT, KEY, Browser, HostedHarness

OPERATION_KEY = "pfx-bbbbbbbbbbbbbbbb-1"
MINUTES = 30
RETURN = "https://pay.example/checkout/back"
PAYER = Customer(id="cust_A1b2C3d4", name="Payer Example", email="payer@example.com", phone="+919876543210")


class HostedCheckout(HostedHarness):
    """The provider's object for UPI, half an hour long. `press` acts as the payer on its page."""

    def __init__(self, provider: str, *, method: str = "upi", **changes: Any) -> None:
        values = {"customer": PAYER, "description": None, **changes}
        super().__init__(provider, method=method, lifetime_seconds=MINUTES * 60, return_url=RETURN, changes=values)
        self.browser = Browser(self)

    def create(self) -> StepResult:
        """Create the object and open its page, if it has one."""
        result = self.send()
        if isinstance(result, ActionRequired):
            self.browser.open(result.action)
        return result

    def press(self, act: Act, method: str = "") -> str:
        """Open the page and press one of its buttons; the address to which the browser is sent."""
        page = self.browser.url
        self.browser.reload()
        self.browser.post(act, method or self.method or "")
        back, self.browser.url = self.browser.url, page
        return back

    def operate(self, kind: OperationKind, charge_reference: str, amount: int = AMOUNT) -> Outcome:
        request = OperationRequest(
            kind=kind,
            provider_key=OPERATION_KEY,
            amount=amount,
            currency=self.request.currency,
            charge_key=KEY,
            charge_reference=charge_reference,
            charge_amount=AMOUNT,
        )
        return self.http_provider.move(request, self.account)

    def reported(self) -> list[tuple[str | None, int]]:
        """Our key and the amount of each charge in the provider's report of the last minutes."""
        now_ms = self.world.clock.now_ms()
        page = ReportPage(from_ms=now_ms - 600_000, until_ms=now_ms + 60_000)
        answer = self.http_provider.report_page(page, self.account)
        assert isinstance(answer, ReportAnswer)
        return [(entry.provider_key, entry.amount) for entry in answer.entries]

    def answers(self, *answers: HttpResponse) -> None:
        """From now on the provider gives these answers, the last one again and again."""
        left = list(answers)
        self.world.http.send = lambda _request, _endpoint: left.pop(0) if len(left) > 1 else left[0]  # type: ignore[method-assign]

    def pass_minutes(self, minutes: float) -> None:
        self.advance(minutes * 60)
