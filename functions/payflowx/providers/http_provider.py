"""Runs a provider's pure steps over HTTP: the `Provider` that the use cases know."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeVar

from payflowx.domain.payments.capabilities import Capabilities
from payflowx.domain.payments.hosted import HOSTED_FACTS, HOSTED_METHOD, HOSTED_OBJECT
from payflowx.domain.payments.outcome import (
    ActionRequired,
    NotFound,
    NotSent,
    Outcome,
    Progress,
    Rejected,
    StepResult,
    Unknown,
)
from payflowx.domain.payments.refund_list import RefundList, RefundListUnavailable, RefundsRead
from payflowx.domain.providers.events import ProviderEvent, Webhook
from payflowx.domain.providers.ports import Account, ChargeRequest
from payflowx.domain.reconciliation.reports import (
    ReportPage,
    ReportResult,
    ReportTooLong,
    ReportUnavailable,
)
from payflowx.domain.shared.errors import ConfigurationError, StorageUnavailableError
from payflowx.domain.shared.limits import MAX_STEPS_PER_ATTEMPT, MAX_STEPS_PER_INQUIRY
from payflowx.domain.shared.operation_request import OperationRequest
from payflowx.domain.shared.transport import (
    ANSWER_TOO_LARGE,
    Credentials,
    HttpClient,
    HttpRequest,
    HttpResponse,
    HttpResult,
    NoAnswer,
    NoConnection,
    Secrets,
)
from payflowx.providers.contract import Connector, Hosted, Step

_PLACEHOLDER: Final = "payflowx-placeholder"
_MIN_SECRET_BYTES: Final = 8
"""A shorter secret could occur by chance in ordinary text, so it is not removed."""


Asked = TypeVar("Asked", contravariant=True)  # noqa: PLC0105 - as the next one
Answer = TypeVar("Answer", covariant=True)  # noqa: PLC0105 - named as what it stands for


Result = TypeVar("Result", bound=StepResult)


class _Exchange(Protocol[Asked, Answer]):
    """The common form of a step of a charge and a step of an operation."""

    @property
    def name(self) -> str: ...
    @property
    def build(self) -> Callable[[Asked], HttpRequest]: ...
    @property
    def read(self) -> Callable[[Asked, HttpResponse], Answer]: ...


@dataclass(frozen=True, slots=True)
class HttpProvider:
    """Implements `Provider`: runs the connector's steps over HTTP. Holds no state between calls."""

    connector: Connector
    http: HttpClient
    secrets: Secrets
    clock_ms: Callable[[], int]
    observe: Callable[[str, str, int], None]
    """Called after each request with provider, step name and milliseconds."""

    @property
    def capabilities(self) -> Capabilities:
        return self.connector.capabilities

    def request_hash(self, request: ChargeRequest) -> str:
        """SHA-256 over all charge requests, with placeholders for ids that only the provider's answers contain."""
        steps = self._charge_steps(request)
        known = {fact: _PLACEHOLDER for step in steps for fact in step.yields}
        hosted = replace(request.hosted, object_id=None) if request.hosted else None
        blank = replace(request, progress=known, reference=None, hosted=hosted)
        return _hash_of([step.build(blank) for step in steps])

    def may_have_charged(self, progress: Mapping[str, str]) -> bool:
        """True once all facts are stored that the charging step depends on.

        A hosted object can be paid once its address may have been given out.
        """
        if HOSTED_METHOD in progress:
            return HOSTED_OBJECT in progress
        return _next_step(self.connector.charge_steps, progress).charges

    def charge(self, request: ChargeRequest, account: Account) -> StepResult:
        """Send the first step that is not done yet; nothing for a charge that the provider would refuse anyway."""
        hosted = self._hosted(request)
        unable = hosted.unable if hosted else self.connector.unable
        if not _has_begun(request) and (refused := unable(request)) is not None:
            return refused
        result = self._perform(_next_step(self._charge_steps(request), request.progress), request, account)
        return self._at_host(result, account)

    def completes(self, request: ChargeRequest) -> bool:
        """Whether the connector has a capture for this charge."""
        return self.connector.completion_step(request) is not None

    def can_cancel(self, request: ChargeRequest) -> bool:
        """Where we capture, a charge that we do not capture is as good as cancelled."""
        return request.hosted is not None or self.capabilities.can_cancel_and_confirm or self.completes(request)

    def complete(self, request: ChargeRequest, account: Account) -> StepResult:
        """Send the capture. `Unknown` where there is none."""
        step = self.connector.completion_step(request)
        return self._perform(step, request, account) if step else Unknown(code="nothing_to_capture")

    def inquire(self, request: ChargeRequest, account: Account) -> Outcome:
        """Read until a step returns an outcome. A failed read is `Unknown`, which changes nothing."""
        hosted = self._hosted(request)
        steps = hosted.inquiry if hosted else self.connector.inquiry_steps
        return self._converse(steps(request), request, account, NotFound())

    def cancel_and_confirm(self, request: ChargeRequest, account: Account) -> Outcome:
        """Cancel and read back. Anything but a confirmed outcome is `Unknown`."""
        hosted = self._hosted(request)
        steps = hosted.close if hosted else self.connector.cancel_steps
        return self._converse(steps(request), request, account, Unknown(code="not_fenced"))

    def _charge_steps(self, request: ChargeRequest) -> Sequence[Step]:
        hosted = self._hosted(request)
        return hosted.create if hosted else self.connector.charge_steps

    def _hosted(self, request: ChargeRequest) -> Hosted | None:
        """Return the hosted object's steps, for a request about one. Raises `ConfigurationError` where there are none.

        An ordinary charge must never be sent for a payer who chooses.
        """
        if request.hosted is None:
            return None
        if self.connector.hosted is None:
            raise ConfigurationError(f"{self.capabilities.provider} has no hosted objects")
        return self.connector.hosted

    # -- captures, voids and refunds

    def supports(self, request: OperationRequest) -> bool:
        """Whether the provider has a request for this kind of operation and this part of the amount."""
        return len(self.connector.operation_steps(request)) == 1

    def operation_hash(self, request: OperationRequest) -> str:
        """SHA-256 over the request, without facts that only earlier answers contain."""
        blank = replace(request, progress={}, reference=None)
        return _hash_of([step.build(blank) for step in self.connector.operation_steps(blank)])

    def move(self, request: OperationRequest, account: Account) -> Outcome:
        (step,) = self.connector.operation_steps(request)
        return self._final(self._perform(step, request, account))

    def inquire_operation(self, request: OperationRequest, account: Account) -> Outcome:
        """Read until a step returns an outcome. A failed read is `Unknown`, which changes nothing."""
        for step in self.connector.operation_inquiry_steps(request)[:MAX_STEPS_PER_ATTEMPT]:
            match self._perform(step, request, account):
                case Progress(facts=facts):
                    request = replace(request, progress={**request.progress, **facts})
                case NotSent(code=code) | Rejected(code=code):
                    return Unknown(code=code)
                case outcome:
                    return self._final(outcome)
        return NotFound()

    @property
    def lists_refunds(self) -> bool:
        """Whether the connector reads the refunds of a charge."""
        return self.connector.refunds is not None

    def refunds_of(self, request: ChargeRequest, account: Account) -> RefundsRead:
        """Read all refunds of a charge. A list that is cut off or not understood is unavailable."""
        refunds = self.connector.refunds
        if refunds is None:
            return RefundListUnavailable(code="no_refund_list")
        try:
            credentials = self.secrets.credentials(account.secret_arn)
        except StorageUnavailableError:
            return RefundListUnavailable(code="credentials_unavailable")
        started_ms = self.clock_ms()
        result = self._send(self.connector.authenticate(refunds.request(request), credentials), account)
        self.observe(self.capabilities.provider, "refunds", self.clock_ms() - started_ms)
        if not isinstance(result, HttpResponse):
            return RefundListUnavailable(code=result.code)
        try:
            return RefundList(refunds=tuple(refunds.read(request, _without_secret(result, credentials))))
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
            return RefundListUnavailable(code="list_not_understood")

    @staticmethod
    def _final(result: StepResult) -> Outcome:
        return Unknown(code="unexpected_progress") if isinstance(result, Progress) else result

    def read_webhook(self, webhook: Webhook, secrets: Sequence[str]) -> ProviderEvent:
        """An authentic webhook that the parser does not understand becomes an empty event.

        Raises `InvalidSignatureError`.
        """
        return self.connector.read_webhook(webhook, secrets)

    # -- the provider's report

    def report_page(self, page: ReportPage, account: Account) -> ReportResult:
        """Read one page of the provider's report."""
        reports = self.connector.reports
        if reports is None:
            return ReportUnavailable(code="no_list")
        try:
            credentials = self.secrets.credentials(account.secret_arn)
            request = self.connector.authenticate(reports.request(page), credentials)
        except StorageUnavailableError:
            return ReportUnavailable(code="credentials_unavailable")
        except ValueError:
            return ReportUnavailable(code="list_too_long")
        started_ms = self.clock_ms()
        result = self._send(request, account)
        self.observe(self.capabilities.provider, "statement", self.clock_ms() - started_ms)
        if not isinstance(result, HttpResponse):
            return ReportTooLong() if result.code == ANSWER_TOO_LARGE else ReportUnavailable(code=result.code)
        try:
            return reports.read(page, result)
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
            return ReportUnavailable(code="list_not_understood")

    # -- transport

    def _converse(self, steps: Sequence[Step], request: ChargeRequest, account: Account, otherwise: Outcome) -> Outcome:
        for step in steps[:MAX_STEPS_PER_INQUIRY]:
            if not step.needed(request):
                continue
            match self._perform(step, request, account):
                case Progress(facts=facts):
                    request = replace(request, progress={**request.progress, **facts})
                case NotSent(code=code):
                    return Unknown(code=code)
                case outcome:
                    return self._at_host(outcome, account)
        return otherwise

    def _at_host(self, result: Result, account: Account) -> Result:
        """Complete a payer's address that a connector gives as a path: see `Hosted`."""
        if not isinstance(result, ActionRequired) or not result.action.url.startswith("/"):
            return result
        path = result.action.url
        host = self.connector.endpoint_of(account.endpoint, HttpRequest(method="GET", path=path))
        return replace(result, action=replace(result.action, url=host + path))

    def _send(self, request: HttpRequest, account: Account) -> HttpResult:
        return self.http.send(request, self.connector.endpoint_of(account.endpoint, request))

    def _perform(self, step: _Exchange[Asked, Answer], asked: Asked, account: Account) -> Answer | NotSent | Unknown:
        request = step.build(asked)
        try:
            credentials = self.secrets.credentials(account.secret_arn)
        except StorageUnavailableError:
            return NotSent(code="credentials_unavailable")
        started_ms = self.clock_ms()
        result = self._send(self.connector.authenticate(request, credentials), account)
        self.observe(self.capabilities.provider, step.name, self.clock_ms() - started_ms)
        match result:
            case HttpResponse():
                return _read(step, asked, _without_secret(result, credentials))
            case NoConnection(code=code):
                return NotSent(code=code)
            case NoAnswer(code=code):
                return Unknown(code=code)


def _without_secret(response: HttpResponse, credentials: Credentials) -> HttpResponse:
    """Remove our secret from an answer that repeats it, so that it is never stored."""
    secret = credentials.key_secret.encode()
    if len(secret) < _MIN_SECRET_BYTES or secret not in response.body:
        return response
    return replace(response, body=response.body.replace(secret, b"[removed]"))


def _read(step: _Exchange[Asked, Answer], asked: Asked, response: HttpResponse) -> Answer | Unknown:
    """Read the answer; a parser error means that the answer was not understood, and nothing more."""
    try:
        return step.read(asked, response)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return Unknown(code="answer_not_understood")


def _next_step(steps: Sequence[Step], progress: Mapping[str, str]) -> Step:
    """The first step with a missing fact; the last one yields none and is therefore never done."""
    for step in steps[:-1]:
        if any(fact not in progress for fact in step.yields):
            return step
    return steps[-1]


def _has_begun(request: ChargeRequest) -> bool:
    """Whether a step of the charge is stored; the facts with which a hosted object's attempt begins are none."""
    return not request.progress.keys() <= HOSTED_FACTS


def _hash_of(requests: Sequence[HttpRequest]) -> str:
    digest = hashlib.sha256()
    for request in requests:
        for part in _wire_parts(request):
            digest.update(len(part).to_bytes(4, "big") + part)
    return digest.hexdigest()


def _wire_parts(request: HttpRequest) -> tuple[bytes, ...]:
    headers = "\n".join(f"{name.lower()}:{value}" for name, value in sorted(request.headers.items()))
    return request.method.encode(), request.path.encode(), headers.encode(), request.body
