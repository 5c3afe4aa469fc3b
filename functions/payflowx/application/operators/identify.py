"""The identity of an operator's call: proven by AWS, or as claimed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from payflowx.domain.merchants.caller import CallerIdentities, Proof, SeenProofs, VerifiedCaller, principal_of
from payflowx.domain.shared.ambient import Clock, Telemetry
from payflowx.domain.shared.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifyCaller:
    """Raises `Refusal` (`proof_invalid`): an invalid proof is never taken for no proof."""

    identities: CallerIdentities
    seen: SeenProofs
    clock: Clock
    telemetry: Telemetry

    def __call__(self, proof: Proof, content: Mapping[str, Any]) -> VerifiedCaller | None:
        """Return the signer; None when STS does not answer, and the caller's own words count as a claim."""
        arn = self.identities.signer(proof, content)
        if arn is None:
            self.telemetry.warn("identity not proven", reason="STS does not answer")
            return None
        if not self.seen.is_first(proof, self.clock.now_ms()):
            raise Refusal("proof_invalid", "The proof of identity was used before. Nothing was changed.")
        return VerifiedCaller(principal_of(arn))
