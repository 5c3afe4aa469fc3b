"""A model of STS: says who signed a request, and verifies the signature, which the local engine does not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Final
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from payflowx.domain.shared.transport import HttpRequest, HttpResponse, HttpResult, NoAnswer

_AUTHORIZATION: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>\w+)/\d{8}/(?P<region>[a-z0-9-]+)/sts/aws4_request, "
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)
_LONGEST: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Principal:
    """A holder of credentials; `token` for temporary ones."""

    arn: str
    key_secret: str
    token: str | None = None


@dataclass(slots=True)
class Sts:
    """Implements `HttpClient` for one address. `asked` counts the requests."""

    principals: Mapping[str, Principal]
    """By the id of the access key."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    is_down: bool = False
    asked: list[HttpRequest] = field(default_factory=list)

    def send(self, request: HttpRequest, endpoint: str) -> HttpResult:
        """GetCallerIdentity."""
        self.asked.append(request)
        if self.is_down:
            return NoAnswer(code="read_timeout")
        found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
        principal = self.principals.get(found["key"]) if found else None
        if found is None or principal is None:
            return _error(403, "InvalidClientTokenId")
        if request.headers.get("x-amz-security-token") != principal.token:
            return _error(403, "InvalidClientTokenId")
        if not compare_digest(found["signature"], _signature(request, endpoint, found, principal)):
            return _error(403, "SignatureDoesNotMatch")
        signed_at = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(self.now - signed_at) > _LONGEST:
            return _error(403, "SignatureDoesNotMatch")
        body = f"<GetCallerIdentityResponse><Arn>{principal.arn}</Arn></GetCallerIdentityResponse>"
        return HttpResponse(status=200, headers={"content-type": "text/xml"}, body=body.encode())


def _signature(request: HttpRequest, endpoint: str, found: re.Match[str], principal: Principal) -> str:
    """By the rules of Signature Version 4, over the headers that the request says are signed."""
    credentials = ReadOnlyCredentials(found["key"], principal.key_secret, principal.token)
    covered = [name for name in found["headers"].split(";") if name in request.headers and name != "host"]
    headers = {name: request.headers[name] for name in covered}
    signed = AWSRequest(method=request.method, url=endpoint.rstrip("/") + request.path, headers=headers)
    signed.data = request.body
    signed.headers["host"] = urlsplit(endpoint).netloc
    signed.context["timestamp"] = request.headers["x-amz-date"]
    auth = SigV4Auth(credentials, "sts", found["region"])
    return auth.signature(auth.string_to_sign(signed, auth.canonical_request(signed)), signed)  # type: ignore[no-any-return]


def _error(status: int, code: str) -> HttpResponse:
    body = f"<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>"
    return HttpResponse(status=status, headers={"content-type": "text/xml"}, body=body.encode())
