"""The people who operate, and STS, which says who signed a proof of identity."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from payflowx.adapters.platform.caller_identities import content_hash
from payflowx.domain.shared.transport import HttpRequest, HttpResponse, HttpResult, NoAnswer
from simulation.faults import Faults

REGION: Final = "eu-west-1"
FUNCTION: Final = "operations"
STS_HOST: Final = f"sts.{REGION}.amazonaws.com"
_ACCOUNT: Final = "000000000000"
_CONTENT_HEADER: Final = "x-payflowx-content-sha256"
_HEADERS: Final = ("content-type", "host", "x-amz-date", _CONTENT_HEADER)
_READ_TIMEOUT_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Person:
    """`arn`: as STS names the credentials. `principal`: the same without the name of a session."""

    name: str
    arn: str
    principal: str

    @property
    def key_id(self) -> str:
        """Of the credentials."""
        return f"AKIASIMULATED{self.name.upper()}"


def _user(name: str) -> Person:
    arn = f"arn:aws:iam::{_ACCOUNT}:user/{name}"
    return Person(name, arn, arn)


def _session(name: str) -> Person:
    role = f"arn:aws:sts::{_ACCOUNT}:assumed-role/operators"
    return Person(name, f"{role}/{name}", role)


PEOPLE: Final[Mapping[str, Person]] = {
    "ada": _user("ada"),
    "ben": _user("ben"),
    "cleo": _session("cleo"),
    "dora": _session("dora"),
}
"""The last two share a role: to the rule of two people they are one."""


def proof_of(person: Person, content: Mapping[str, Any], now_ms: int, nonce: str) -> dict[str, str]:
    """The proof of identity that the person's tool sends with a command."""
    at = datetime.fromtimestamp(now_ms / 1000, UTC)
    signed_at = at.strftime("%Y%m%dT%H%M%SZ")
    signature = _signature(person, signed_at, content_hash(FUNCTION, nonce, content))
    scope = f"{at:%Y%m%d}/{REGION}/sts/aws4_request"
    covered = ";".join(_HEADERS)
    return {
        "authorization": f"AWS4-HMAC-SHA256 Credential={person.key_id}/{scope}, "
        f"SignedHeaders={covered}, Signature={signature}",
        "signedAt": signed_at,
        "nonce": nonce,
    }


def _signature(person: Person, signed_at: str, digest: str) -> str:
    """It covers when and what for, as AWS's does."""
    return hmac.new(f"secret of {person.name}".encode(), f"{signed_at} {digest}".encode(), hashlib.sha256).hexdigest()


def answer(request: HttpRequest, faults: Faults, sleep: Any) -> HttpResult:
    """STS's answer to a signed `GetCallerIdentity` request; now and then none."""
    if faults.strikes("identity_unknown"):
        if faults.apart.random() < 0.5:
            sleep(_READ_TIMEOUT_MS)
            return NoAnswer(code="read_timeout")
        return HttpResponse(status=503, headers={}, body=b"<Error><Code>ServiceUnavailable</Code></Error>")
    signed = request.headers["authorization"]
    person = next((p for p in PEOPLE.values() if f"Credential={p.key_id}/" in signed), None)
    digest = request.headers.get(_CONTENT_HEADER, "")
    wanted = _signature(person, request.headers["x-amz-date"], digest) if person else ""
    if person is None or not signed.endswith(f"Signature={wanted}"):
        return HttpResponse(status=403, headers={}, body=b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
    return HttpResponse(status=200, headers={}, body=f"<Arn>{person.arn}</Arn>".encode())
