"""Proofs of identity: signed by the command line, verified by the function, and refused for everything else."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ops import identity
from payflowx.adapters.platform.caller_identities import StsCallerIdentities, sts_endpoint
from payflowx.application.operators.identify import IdentifyCaller
from payflowx.domain.merchants.caller import Proof, principal_of
from payflowx.domain.shared.errors import Refusal
from tests.support.memory import ManualClock, RecordingTelemetry
from tests.support.sts import Principal, Sts
from tests.unit.ops.test_commands import local

FUNCTION = "Prod-Service-Operations-1"
COMMAND = {"command": "close_review", "merchantId": "acme", "amount": 5, "reason": "TICKET-1 \u00e9"}
ADA = "arn:aws:iam::111122223333:user/ada"
ROLE = "arn:aws:sts::111122223333:assumed-role/Support/ada@example.com"


class Setting:
    """A function and its STS, and people who sign for it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch
        self.sts = Sts(
            {
                "AKIAADAADAADAADA": Principal(ADA, "ada-secret"),
                "ASIAROLEROLEROLE": Principal(ROLE, "role-secret", "session-token"),
            }
        )
        self.clock = ManualClock(int(time.time() * 1000))
        self.region = "eu-west-1"
        self.seen: set[str] = set()

    def identify(self, proof: Proof, content: Any = COMMAND) -> str | None:
        identities = StsCallerIdentities(
            http=self.sts,
            endpoint=sts_endpoint(self.region, None),
            region=self.region,
            audience=FUNCTION,
            clock=self.clock,
        )
        use_case = IdentifyCaller(identities=identities, seen=self, clock=self.clock, telemetry=RecordingTelemetry())
        verified = use_case(proof, content)
        return verified.arn if verified is not None else None

    def is_first(self, proof: Proof, now_ms: int) -> bool:
        is_new = proof.authorization not in self.seen
        self.seen.add(proof.authorization)
        return is_new

    def sign(
        self,
        command: Any = COMMAND,
        *,
        key: str = "AKIAADAADAADAADA",
        secret: str = "ada-secret",
        token: str | None = None,
        function: str = FUNCTION,
        region: str = "eu-west-1",
    ) -> Proof:
        credentials = identity.ReadOnlyCredentials(key, secret, token)
        self.monkeypatch.setattr(identity, "_credentials", lambda _target: credentials)
        target = local(options={"region_name": region})
        given = identity.prove(target, function, command)
        assert given is not None
        return Proof(
            authorization=given["authorization"],
            signed_at=given["signedAt"],
            nonce=given["nonce"],
            security_token=given.get("securityToken"),
        )


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Setting:
    return Setting(monkeypatch)


def test_a_user_is_proven(setting: Setting) -> None:
    assert setting.identify(setting.sign()) == ADA


def test_a_role_is_proven_without_the_name_of_its_session(setting: Setting) -> None:
    proof = setting.sign(key="ASIAROLEROLEROLE", secret="role-secret", token="session-token")
    assert setting.identify(proof) == "arn:aws:sts::111122223333:assumed-role/Support"


Tamper = Callable[[Setting, Proof], Proof]


def cut(pattern: str, text: str) -> Tamper:
    return lambda _setting, proof: replace(proof, authorization=re.sub(pattern, text, proof.authorization))


@pytest.mark.parametrize(
    "tamper",
    [
        lambda setting, _proof: setting.sign(secret="guessed"),
        lambda setting, _proof: setting.sign(key="AKIANOBODYNOBODY"),
        lambda setting, _proof: setting.sign({**COMMAND, "amount": 6}),
        lambda setting, _proof: setting.sign(function="Dev-Service-Operations-1"),
        lambda setting, _proof: setting.sign(region="us-east-1"),
        lambda setting, _proof: setting.sign(key="ASIAROLEROLEROLE", secret="role-secret"),
        lambda _setting, proof: replace(proof, nonce="0" * 32),
        lambda _setting, proof: replace(proof, security_token="another"),
        lambda _setting, proof: replace(proof, signed_at="20261301T000000Z"),
        lambda _setting, proof: replace(proof, signed_at="yesterday"),
        cut("Signature=.", "Signature=0"),
        cut("x-payflowx-content-sha256;?", ""),
        cut("SignedHeaders=", "SignedHeaders=x-other;"),
        cut("SignedHeaders=content-type;", "SignedHeaders=content-type;content-type;"),
        cut("/sts/", "/s3/"),
        cut("^AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        cut(".*", "Bearer token"),
    ],
)
def test_a_forged_proof_is_refused(setting: Setting, tamper: Tamper) -> None:
    proof = setting.sign()
    forged = tamper(setting, proof)
    if forged == proof:  # the first digit happened to be the same
        forged = cut("Signature=.", "Signature=1")(setting, proof)
    with pytest.raises(Refusal) as refused:
        setting.identify(forged)
    assert refused.value.code == "proof_invalid"


@pytest.mark.parametrize("seconds", [121, 3_600, -61])
def test_an_old_proof_is_refused_and_not_sent_to_sts(setting: Setting, seconds: int) -> None:
    proof = setting.sign()
    setting.clock.advance(seconds)
    with pytest.raises(Refusal, match="older than two minutes"):
        setting.identify(proof)
    assert setting.sts.asked == []


def test_a_proof_is_good_once(setting: Setting) -> None:
    proof = setting.sign()
    setting.identify(proof)
    with pytest.raises(Refusal, match="used before"):
        setting.identify(proof)
    assert setting.identify(setting.sign()) == ADA


def test_without_an_answer_of_sts_nothing_is_proven_and_the_proof_is_not_used_up(setting: Setting) -> None:
    proof = setting.sign()
    setting.sts.is_down = True
    assert setting.identify(proof) is None
    setting.sts.is_down = False
    assert setting.identify(proof) == ADA


def test_the_request_goes_to_the_region_s_sts_whatever_the_proof_says(setting: Setting) -> None:
    setting.identify(setting.sign())
    (asked,) = setting.sts.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/", b"Action=GetCallerIdentity&Version=2011-06-15")
    assert asked.headers["host"] == "sts.eu-west-1.amazonaws.com"


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        (ADA, ADA),
        ("arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:root"),
        (ROLE, "arn:aws:sts::111122223333:assumed-role/Support"),
        ("arn:aws-cn:sts::111122223333:assumed-role/a/b", "arn:aws-cn:sts::111122223333:assumed-role/a"),
    ],
)
def test_principals(arn: str, principal: str) -> None:
    assert principal_of(arn) == principal


@pytest.mark.parametrize("arn", ["arn:aws:sts::111122223333:federated-user/bob", "", "arn:aws:iam::1:user/x"])
def test_other_principals_are_refused(arn: str) -> None:
    with pytest.raises(Refusal):
        principal_of(arn)


def test_the_address_of_sts() -> None:
    assert sts_endpoint("cn-north-1", None) == "https://sts.cn-north-1.amazonaws.com.cn"
    assert sts_endpoint("eu-west-1", "http://127.0.0.1:4566/") == "http://127.0.0.1:4566"
