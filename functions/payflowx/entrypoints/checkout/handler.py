"""The pages of payers: decode, ask `CheckoutPage`, show. Nothing of a request is logged: its path bears a token."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from payflowx.adapters.platform import log_context
from payflowx.domain.shared.errors import StorageUnavailableError, UnreadableItemError
from payflowx.entrypoints.checkout.answers import Answer, page, without_body
from payflowx.entrypoints.checkout.documents import plain_document
from payflowx.entrypoints.checkout.requests import BodyTooLargeError, MalformedBodyError, PageRequest
from payflowx.entrypoints.checkout.routes import ROUTES, Route
from payflowx.entrypoints.checkout.texts.en import ENGLISH
from payflowx.entrypoints.runtime import Wired
from payflowx.wiring.checkout import CheckoutWiring

wiring: Final = Wired(CheckoutWiring.of_function)

_RETRY_SECONDS: Final = "5"


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Answer an event of a REST API, proxied."""
    request, wired = PageRequest(event), wiring()
    facts = log_context.request_facts(request.request_id, log_context.correlation_id(request.request_id))
    with log_context.work_on(facts, trace=wired.platform.trace):
        answer = _answered(request, wired)
    return without_body(answer) if request.method == "HEAD" else answer


def _answered(request: PageRequest, wired: CheckoutWiring) -> Answer:
    route = ROUTES.get(request.route)
    if route is None:
        return _plain(404, "not_found", request, "")
    method = "GET" if request.method == "HEAD" else request.method
    serve = route.serve.get(method)
    if serve is None:
        return _plain(405, "not_allowed", request, route.assets, Allow=_allowed(route.serve))
    return _served(serve, request, wired, route)


def _served(serve: Callable[..., Answer], request: PageRequest, wired: CheckoutWiring, route: Route) -> Answer:
    try:
        return serve(request, wired, route)
    except BodyTooLargeError:
        return _plain(413, "too_large", request, route.assets)
    except MalformedBodyError:
        return _plain(400, "malformed", request, route.assets)
    except StorageUnavailableError as error:
        wired.telemetry.warn("storage unavailable", reason=str(error))
        return _plain(503, "unavailable", request, route.assets, Retry_After=_RETRY_SECONDS)
    except UnreadableItemError as error:
        wired.telemetry.warn("item not readable", kind=error.kind, reason=error.reason)
        return _plain(503, "unavailable", request, route.assets, Retry_After=_RETRY_SECONDS)
    except Exception:
        wired.platform.logger.exception("unhandled")
        return _plain(500, "failed", request, route.assets)


def _plain(status: int, name: str, _request: PageRequest, assets: str, **headers: str) -> Answer:
    return page(status, plain_document(ENGLISH, name, assets), **headers)


def _allowed(serve: Mapping[str, object]) -> str:
    return ", ".join(sorted({*serve, *({"HEAD"} if "GET" in serve else ())}))
