"""Runs a gateway's pure steps over HTTP: the `Provider` that the use cases know."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from payflowx.domain.capabilities import Capabilities
from payflowx.domain.errors import StorageUnavailableError
from payflowx.domain.limits import MAX_STEPS_PER_ATTEMPT
from payflowx.domain.outcome import NotFound, NotSent, Outcome, Progress, StepResult, Unknown
from payflowx.domain.ports import Account, Charge
from payflowx.domain.transport import HttpClient, HttpRequest, HttpResponse, NoAnswer, NoConnection, Secrets
from payflowx.providers.contract import Gateway, Step

_PLACEHOLDER: Final = "payflowx-placeholder"


@dataclass(frozen=True, slots=True)
class Connector:
    """A gateway with the means to talk to it. Holds no state between calls."""

    gateway: Gateway
    http: HttpClient
    secrets: Secrets
    clock_ms: Callable[[], int]
    observe: Callable[[str, str, int], None]
    """Called after each request with provider, step name and milliseconds."""

    @property
    def capabilities(self) -> Capabilities:
        """What the gateway declares."""
        return self.gateway.capabilities

    def request_hash(self, charge: Charge) -> str:
        """SHA-256 over every charge request, with placeholders for ids that only the provider will know."""
        digest = hashlib.sha256()
        steps = self.gateway.charge_steps()
        known = {fact: _PLACEHOLDER for step in steps for fact in step.yields}
        blank = replace(charge, progress=known, reference=None)
        for step in steps:
            for part in _wire_parts(step.build(blank)):
                digest.update(len(part).to_bytes(4, "big") + part)
        return digest.hexdigest()

    def may_have_charged(self, progress: Mapping[str, str]) -> bool:
        """True once everything is stored that the charging step had to wait for."""
        return _next_step(self.gateway.charge_steps(), progress).charges

    def charge(self, charge: Charge, account: Account) -> StepResult:
        """Send the first step that is not done yet."""
        return self._perform(_next_step(self.gateway.charge_steps(), charge.progress), charge, account)

    def inquire(self, charge: Charge, account: Account) -> Outcome:
        """Read until there is an answer; a read that fails is `Unknown`, which is no news."""
        return self._converse(self.gateway.inquiry_steps(charge), charge, account, NotFound())

    def fence(self, charge: Charge, account: Account) -> Outcome:
        """Cancel and read back. Anything but a proof is `Unknown`."""
        return self._converse(self.gateway.fence_steps(charge), charge, account, Unknown(code="not_fenced"))

    def _converse(self, steps: Sequence[Step], charge: Charge, account: Account, otherwise: Outcome) -> Outcome:
        for step in steps[:MAX_STEPS_PER_ATTEMPT]:
            match self._perform(step, charge, account):
                case Progress(facts=facts):
                    charge = replace(charge, progress={**charge.progress, **facts})
                case NotSent(code=code):
                    return Unknown(code=code)
                case outcome:
                    return outcome
        return otherwise

    def _perform(self, step: Step, charge: Charge, account: Account) -> StepResult:
        request = step.build(charge)
        try:
            credentials = self.secrets.credentials(account.secret_arn)
        except StorageUnavailableError:
            return NotSent(code="credentials_unavailable")
        started_ms = self.clock_ms()
        result = self.http.send(self.gateway.authenticate(request, credentials), account.endpoint)
        self.observe(self.capabilities.provider, step.name, self.clock_ms() - started_ms)
        match result:
            case HttpResponse():
                return _read(step, charge, result)
            case NoConnection(code=code):
                return NotSent(code=code)
            case NoAnswer(code=code):
                return Unknown(code=code)


def _read(step: Step, charge: Charge, response: HttpResponse) -> StepResult:
    """An answer that a parser chokes on is an answer we did not understand, and nothing more."""
    try:
        return step.read(charge, response)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return Unknown(code="answer_not_understood")


def _next_step(steps: Sequence[Step], progress: Mapping[str, str]) -> Step:
    """The first step with a missing fact; the charging step yields none and is therefore never done."""
    for step in steps:
        if step.charges or any(fact not in progress for fact in step.yields):
            return step
    raise ValueError("a gateway's last charge step must be the one that charges")


def _wire_parts(request: HttpRequest) -> tuple[bytes, ...]:
    headers = "\n".join(f"{name.lower()}:{value}" for name, value in sorted(request.headers.items()))
    return request.method.encode(), request.path.encode(), headers.encode(), request.body
