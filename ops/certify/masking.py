"""Makes answers fit for a report: words and structure stay, ids, keys, tokens and personal data do not."""

import json
import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from payflowx.domain.shared.transport import HttpRequest, HttpResponse
from payflowx.providers.sanitize import sanitize

_MAX_MEMBERS: Final = 40
_MAX_DEPTH: Final = 6
_MAX_TEXT_CHARS: Final = 300
_MIN_SECRET_CHARS: Final = 4
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_ .-]{0,39}|[A-Z]{1,4}\d{1,5}|\d{1,3}|\d{1,7}\.\d{2}")
"""Status words, error codes, small numbers and amounts."""
_SENTENCES: Final = frozenset({"message", "msg", "description", "error_message", "error_description", "field9"})
_ID: Final = re.compile(r"[A-Za-z0-9_-]*\d[A-Za-z0-9_-]*")
_KEY: Final = re.compile(r"pfx-[a-z0-9-]+")
"""A key of ours, which a sentence about an existing object repeats."""
_PRIVATE: Final = re.compile(r"name|email|phone|contact|vpa|address|customer|url|token|secret")
"""Members whose names hold one of these words."""


def masked_answer(response: HttpResponse, secrets: Sequence[str]) -> Any:
    """Return the answer's structure; the length alone of what is no JSON."""
    try:
        answer = json.loads(response.body)
    except ValueError:
        return f"[{len(response.body)} bytes that are no JSON]"
    return _masked(answer, "", tuple(secret for secret in secrets if len(secret) >= _MIN_SECRET_CHARS), 0)


def masked_request(request: HttpRequest) -> str:
    """Return method and path; parts of the path that hold digits are ids."""
    parts = urlsplit(request.path).path.split("/")
    kept = [part if part in {"v1", "v2"} or not _ID.fullmatch(part) else "[id]" for part in parts]
    return f"{request.method} {'/'.join(kept)}"


def _masked(value: Any, name: str, secrets: tuple[str, ...], depth: int) -> Any:
    match value:
        case dict() | list() if depth >= _MAX_DEPTH:
            return "[more]"
        case dict():
            members = list(value.items())[:_MAX_MEMBERS]
            return {_masked_name(key): _masked(inner, str(key), secrets, depth + 1) for key, inner in members}
        case list():
            return [_masked(inner, name, secrets, depth + 1) for inner in value[:3]]
        case str():
            return _masked_text(value, name.casefold(), secrets)
        case bool() | None:
            return value
        case _:
            return value if len(str(value)) <= 7 else "[number]"


def _masked_name(name: object) -> str:
    """Some providers use ids as names of members."""
    text = str(name)
    return "[id]" if _ID.fullmatch(text) and len(text) > len("field99") else text


def _masked_text(text: str, name: str, secrets: tuple[str, ...]) -> str:
    if _PRIVATE.search(name) or any(secret in text for secret in secrets):
        return "[removed]"
    if name in _SENTENCES:
        return sanitize(text, also=_KEY)[:_MAX_TEXT_CHARS]
    return text if not text or _WORD.fullmatch(text) else f"[{len(text)} characters]"
