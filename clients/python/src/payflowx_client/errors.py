"""One tree of exceptions. Catch a class for a kind of problem, or read `code`, which is stable."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from payflowx_client.models import OrderHolder

_MAX_DETAIL_CHARS: Final = 500


class PayFlowXError(Exception):
    """Everything that this library raises, other than `TypeError` and `ValueError` for wrong arguments."""


class UnansweredError(PayFlowXError):
    """No answer came: the request may have been executed.

    It is no refusal. Repeat it with the same key, or read the payment; never charge anew with another key.
    """

    def __init__(self, reason: str, idempotency_key: str | None) -> None:
        then = "read the state before you repeat it" if idempotency_key is None else "repeat it with the same key"
        super().__init__(f"no answer ({reason}); the request may have been executed, {then}")
        self.idempotency_key = idempotency_key


class UnexpectedAnswerError(PayFlowXError):
    """An answer came that is not of the API: a proxy's page, or a newer API that this release cannot read."""


@dataclass(frozen=True, slots=True)
class Problem:
    """The members of a problem document (RFC 9457), with the ids that support asks for."""

    code: str
    status: int
    title: str
    detail: str
    request_id: str
    field: str | None = None
    order: "OrderHolder | None" = None
    """The payment that holds the order, where another one is refused because of it."""
    retry_after_seconds: float | None = None
    correlation_id: str | None = None
    idempotency_key: str | None = None


class ApiError(PayFlowXError):
    """The API refused the request."""

    def __init__(self, problem: Problem) -> None:
        where = f" ({problem.field})" if problem.field else ""
        detail = problem.detail[:_MAX_DETAIL_CHARS]
        super().__init__(f"{problem.status} {problem.code}{where}: {detail} [request {problem.request_id}]")
        self.problem = problem

    @property
    def code(self) -> str:
        """Stable, and meant for programs."""
        return self.problem.code

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status

    @property
    def request_id(self) -> str:
        """Name it when you ask for help."""
        return self.problem.request_id

    @property
    def field(self) -> str | None:
        """The member or parameter that the problem is about."""
        return self.problem.field


class InvalidRequestError(ApiError):
    """The request has to be changed: 400, 413, 415 and 422."""


class IdempotencyKeyError(InvalidRequestError):
    """The key is missing, not valid, or belongs to another request."""


class IdempotencyKeyReusedError(IdempotencyKeyError):
    """The key belongs to a request that asked for something else."""


class CardDataRefusedError(InvalidRequestError):
    """The request contains a card number or a verification value. Send a token."""


class AmountExceededError(InvalidRequestError):
    """More than is left to capture or refund."""


class NoRouteError(InvalidRequestError):
    """No provider can take this payment."""


class NotSupportedError(InvalidRequestError):
    """The provider that holds the charge cannot do that."""


class AuthenticationError(ApiError):
    """The API key is missing or not valid."""


class ForbiddenError(ApiError):
    """A firewall in front of the API refused the request."""


class NotFoundError(ApiError):
    """There is no such thing, or it belongs to another merchant."""


class ConflictError(ApiError):
    """Not possible now: 409."""


class InvalidStateError(ConflictError):
    """Not possible in the payment's status."""


class OutcomeUnknownError(ConflictError):
    """The payment's own outcome is not known yet. Ask again after `problem.retry_after_seconds`."""


class OrderNotFreeError(ConflictError):
    """Another payment holds the order: `problem.order` says which. Wait for it, or cancel it; do not charge anew."""


class EndpointConflictError(ConflictError):
    """The URL is registered already, or the limit of endpoints is reached."""


class RateLimitedError(ApiError):
    """Too many requests; nothing was executed."""


class UnavailableError(ApiError):
    """500, 503 and 504: the request may have been executed. Repeat it with the same key."""


class NotReadableError(UnavailableError):
    """A newer version of the service stored it, and the one that answered cannot show it now."""


BY_CODE: Final[dict[str, type[ApiError]]] = {
    "idempotency_key_required": IdempotencyKeyError,
    "idempotency_key_invalid": IdempotencyKeyError,
    "idempotency_key_conflict": IdempotencyKeyError,
    "idempotency_key_reused": IdempotencyKeyReusedError,
    "card_data_refused": CardDataRefusedError,
    "amount_exceeded": AmountExceededError,
    "no_route": NoRouteError,
    "no_provider_available": NoRouteError,
    "not_supported": NotSupportedError,
    "invalid_state": InvalidStateError,
    "outcome_unknown": OutcomeUnknownError,
    "order_not_free": OrderNotFreeError,
    "endpoint_exists": EndpointConflictError,
    "endpoint_limit": EndpointConflictError,
    "not_readable": NotReadableError,
}
_BY_STATUS: Final[dict[int, type[ApiError]]] = {
    401: AuthenticationError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitedError,
}


def api_error(problem: Problem) -> ApiError:
    """The exception of a problem; by its status where this release does not know the code."""
    of_status = _BY_STATUS.get(problem.status) or (UnavailableError if problem.status >= 500 else InvalidRequestError)
    return BY_CODE.get(problem.code, of_status)(problem)
