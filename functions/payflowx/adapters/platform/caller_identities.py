"""Has STS say who signed a proof.

The pattern is that of Vault's AWS method and of EKS's authenticator: the caller signs a `GetCallerIdentity` request and
hands it over, and the function sends it. Host, path, method and body are the function's own, so a proof can lead
nowhere else; the signature covers a header with a hash of what the proof is for.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from payflowx.domain.merchants.caller import CONTENT_HEADER, MAX_AGE_MS, MAX_AHEAD_MS, Proof
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import Refusal
from payflowx.domain.shared.limits import SECOND_MS
from payflowx.domain.shared.transport import HttpClient, HttpRequest, HttpResponse

BODY: Final = b"Action=GetCallerIdentity&Version=2011-06-15"
CONTENT_TYPE: Final = "application/x-www-form-urlencoded; charset=utf-8"
SIGNED: Final = frozenset({"content-type", "host", "x-amz-date", CONTENT_HEADER})
"""Headers that a signature must cover; with temporary credentials `x-amz-security-token` besides, and no others."""
_TOKEN: Final = "x-amz-security-token"  # noqa: S105 - a header's name
_AUTHORIZATION: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=\w{16,128}/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/sts/aws4_request, ?"
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+), ?Signature=[0-9a-f]{64}"
)
_SIGNED_AT: Final = re.compile(r"\d{8}T\d{6}Z")
_ARN: Final = re.compile(rb"<Arn>(arn:[^<>\s]{1,400})</Arn>")
_SERVER_ERRORS: Final = range(500, 600)


def sts_endpoint(region: str, override: str | None) -> str:
    """STS's address in a region. `override` is the SDK's own `AWS_ENDPOINT_URL`, which the local engine sets."""
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return (override or f"https://sts.{region}.{suffix}").rstrip("/")


def content_hash(audience: str, nonce: str, content: Mapping[str, Any]) -> str:
    """The hash that a proof's signed header holds. `content` is the command as JSON values, without the proof."""
    text = json.dumps([audience, nonce, content], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class StsCallerIdentities:
    """Implements `CallerIdentities`. `endpoint` is STS's address in the function's region, `audience` the function."""

    http: HttpClient
    endpoint: str
    region: str
    audience: str
    clock: Clock

    def signer(self, proof: Proof, content: Mapping[str, Any]) -> str | None:
        """One request to STS, and none for a proof that cannot be valid."""
        signed = _AUTHORIZATION.fullmatch(proof.authorization)
        if signed is None or _SIGNED_AT.fullmatch(proof.signed_at) is None:
            raise _invalid("it is no signature of a request to STS")
        self._check_scope(proof, signed)
        self._check_age(proof)
        headers = {
            "content-type": CONTENT_TYPE,
            "host": urlsplit(self.endpoint).netloc,
            "x-amz-date": proof.signed_at,
            CONTENT_HEADER: content_hash(self.audience, proof.nonce, content),
            "authorization": proof.authorization,
        }
        if proof.security_token is not None:
            headers[_TOKEN] = proof.security_token
        answer = self.http.send(HttpRequest(method="POST", path="/", headers=headers, body=BODY), self.endpoint)
        if not isinstance(answer, HttpResponse) or answer.status in _SERVER_ERRORS:
            return None
        found = _ARN.findall(answer.body) if answer.status == 200 else []
        if len(found) != 1:
            raise _invalid("AWS does not accept its signature for this command")
        return str(found[0].decode())

    def _check_scope(self, proof: Proof, signed: re.Match[str]) -> None:
        expected = SIGNED | {_TOKEN} if proof.security_token is not None else SIGNED
        covered = signed["headers"].split(";")
        if len(covered) != len(expected) or frozenset(covered) != expected:
            raise _invalid("its signature does not cover this command")
        if not hmac.compare_digest(signed["region"], self.region) or signed["day"] != proof.signed_at[:8]:
            raise _invalid("it is made for another region or day")

    def _check_age(self, proof: Proof) -> None:
        try:
            signed_at = datetime.strptime(proof.signed_at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            raise _invalid("its time is none") from None
        age_ms = self.clock.now_ms() - int(signed_at.timestamp() * SECOND_MS)
        if not -MAX_AHEAD_MS <= age_ms <= MAX_AGE_MS:
            raise _invalid("it is older than two minutes, or the clocks differ")


def _invalid(why: str) -> Refusal:
    return Refusal("proof_invalid", f"The proof of identity is not valid: {why}. Nothing was changed; try again.")
