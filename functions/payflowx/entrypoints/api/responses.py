"""Answers of the API, with the headers that all of them have."""

from http import HTTPStatus
from typing import Any, Final

import msgspec
from aws_lambda_powertools.event_handler import Response

HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def answer(body: Any, *, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response[str]:
    """A JSON body."""
    return Response(
        status_code=status.value,
        content_type="application/json",
        body=msgspec.json.encode(body).decode(),
        headers={**HEADERS, **(headers or {})},
    )


def no_content() -> Response[str]:
    """Done, and there is nothing to show."""
    return Response(status_code=HTTPStatus.NO_CONTENT.value, body="", headers=dict(HEADERS))
