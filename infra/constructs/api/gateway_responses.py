"""API Gateway's own refusals as problem details (RFC 9457), so that clients parse one kind of error."""

import json
from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_apigateway as apigateway


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One problem, and the response types of API Gateway that it replaces."""

    kinds: tuple[apigateway.ResponseType, ...]
    status: int
    code: str
    title: str
    detail: str
    headers: tuple[tuple[str, str], ...] = ()


_T = apigateway.ResponseType
_REPEAT: Final = "The request could not be completed. Repeat it unchanged, with the same idempotency key: that is safe."

REFUSALS: Final = (
    Refusal(
        # The authorizer denies a request for one reason only: the key is not valid.
        kinds=(_T.UNAUTHORIZED, _T.ACCESS_DENIED),
        status=401,
        code="unauthenticated",
        title="The API key is missing or not valid",
        detail="Send a valid API key: Authorization: Bearer pfx_...",
        headers=(("WWW-Authenticate", "Bearer"),),
    ),
    Refusal(
        kinds=(_T.EXPIRED_TOKEN, _T.INVALID_SIGNATURE, _T.INVALID_API_KEY, _T.WAF_FILTERED),
        status=403,
        code="forbidden",
        title="Not allowed",
        detail="The request was refused before it reached the API.",
    ),
    Refusal(
        kinds=(_T.MISSING_AUTHENTICATION_TOKEN, _T.RESOURCE_NOT_FOUND),
        status=404,
        code="not_found",
        title="Not found",
        detail="There is nothing at this address with this method. See /openapi.json.",
    ),
    Refusal(
        kinds=(_T.REQUEST_TOO_LARGE,),
        status=413,
        code="body_too_large",
        title="The body is too large",
        detail="The body is larger than 65536 bytes.",
    ),
    Refusal(
        kinds=(_T.UNSUPPORTED_MEDIA_TYPE,),
        status=415,
        code="unsupported_media_type",
        title="The media type is not supported",
        detail="Send the body with Content-Type: application/json.",
    ),
    Refusal(
        kinds=(_T.THROTTLED, _T.QUOTA_EXCEEDED),
        status=429,
        code="rate_limited",
        title="Too many requests",
        detail="Wait and repeat the request with the same idempotency key.",
        headers=(("Retry-After", "1"),),
    ),
    # With the status that API Gateway itself gives: AWS counts an answer whose status was changed as a client's error,
    # and the alarm on server errors would not see an API that has crashed.
    Refusal(
        kinds=(
            _T.AUTHORIZER_FAILURE,
            _T.AUTHORIZER_CONFIGURATION_ERROR,
            _T.API_CONFIGURATION_ERROR,
            _T.DEFAULT_5_XX,
        ),
        status=500,
        code="internal_error",
        title="Internal error",
        detail=_REPEAT,
        headers=(("Retry-After", "5"),),
    ),
    Refusal(
        kinds=(_T.INTEGRATION_FAILURE, _T.INTEGRATION_TIMEOUT),
        status=504,
        code="gateway_timeout",
        title="No answer in time",
        detail=_REPEAT,
        headers=(("Retry-After", "5"),),
    ),
    Refusal(
        kinds=(_T.BAD_REQUEST_BODY, _T.BAD_REQUEST_PARAMETERS, _T.DEFAULT_4_XX),
        status=400,
        code="parameter_invalid",
        title="A parameter is not valid",
        detail="The request could not be understood.",
    ),
)


def add_gateway_responses(api: apigateway.RestApi) -> None:
    """Replace every response that API Gateway makes without calling a function."""
    for refusal in REFUSALS:
        for kind in refusal.kinds:
            name = "".join(part.capitalize() for part in kind.response_type.split("_"))
            api.add_gateway_response(
                name,
                type=kind,
                status_code=str(refusal.status),
                response_headers={
                    "Content-Type": "'application/problem+json'",
                    "Cache-Control": "'no-store'",
                    **{header: f"'{value}'" for header, value in refusal.headers},
                },
                templates={"application/json": _template(refusal)},
            )


def _template(refusal: Refusal) -> str:
    return json.dumps(
        {
            "type": f"urn:payflowx:problem:{refusal.code}",
            "title": refusal.title,
            "status": refusal.status,
            "detail": refusal.detail,
            "code": refusal.code,
            "requestId": "$context.requestId",
        }
    )
