"""A command's proof of identity: decoded, verified, and replaced by the caller that it proves."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from payflowx.domain.merchants.caller import Proof
from payflowx.wiring.operators import OperatorsWiring


class _ProofRequest(msgspec.Struct, forbid_unknown_fields=True, rename="camel", kw_only=True):
    authorization: Annotated[str, Meta(max_length=1_000)]
    signed_at: Annotated[str, Meta(max_length=16)]
    nonce: Annotated[str, Meta(min_length=16, max_length=64)]
    security_token: Annotated[str, Meta(min_length=1, max_length=8_192)] | None = None


def identified(wired: OperatorsWiring, event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The command with its verified caller; without a proof, as it is.

    Raises `Refusal` (`proof_invalid`). The signature covers all of the command, also what its caller claims to be.
    """
    if "proof" not in event:
        return event
    content = {name: value for name, value in event.items() if name != "proof"}
    request = msgspec.convert(event["proof"], _ProofRequest, strict=True)
    verified = wired.identify_caller(Proof(**msgspec.structs.asdict(request)), content)
    return content if verified is None else {**content, "verified": verified}
