"""PayU has two hosts an account: one for commands, one for the payment page. Pure.

An account stores one of them as its endpoint, and the other follows from it. In PayU's test environment, and at every
other address, such as a simulator's, one host serves both.
"""

from typing import Final

from payflowx.domain.shared.transport import HttpRequest

PAGE_PATH: Final = "/_payment"
INVOICE_PATH: Final = "/processInvoice"
"""The page of an invoice."""

_COMMANDS: Final = "https://info.payu.in"
_PAGES: Final = "https://secure.payu.in"
PAGE_HOSTS: Final = (_PAGES, "https://test.payu.in")


def endpoint_of(endpoint: str, request: HttpRequest) -> str:
    """Return the host that serves this request."""
    is_page = request.path.partition("?")[0] in {PAGE_PATH, INVOICE_PATH}
    return page_endpoint(endpoint) if is_page else command_endpoint(endpoint)


def command_endpoint(endpoint: str) -> str:
    return _COMMANDS if _is_live(endpoint) else endpoint


def page_endpoint(endpoint: str) -> str:
    return _PAGES if _is_live(endpoint) else endpoint


def _is_live(endpoint: str) -> bool:
    return endpoint.rstrip("/").casefold() in {_COMMANDS, _PAGES}
