"""A client of the public API, as a merchant would write one."""

import json
from dataclasses import dataclass
from typing import Any, Final

import urllib3
from urllib3.util import Retry

from local.errors import LocalEnvironmentError

_WHILE_BUSY: Final = Retry(
    total=20,
    connect=False,
    read=False,
    redirect=False,
    other=False,
    status=20,
    status_forcelist=(429,),
    allowed_methods=None,
    respect_retry_after_header=False,
    backoff_factor=0.5,
    backoff_max=5,
    raise_on_status=False,
)
"""A busy machine answers 429: the same request follows under its key, for a minute and a half at most, whatever
`Retry-After` says. Nothing else is repeated.
"""


@dataclass(frozen=True, slots=True)
class Api:
    """JSON requests; each raises `LocalEnvironmentError` for an answer of 400 or above, a 429 that stays among them."""

    base_url: str
    api_key: str
    pool: urllib3.PoolManager

    def post(self, path: str, body: dict[str, Any], idempotency_key: str) -> dict[str, Any]:
        """POST with a key."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key}
        return self._call("POST", path, headers, json.dumps(body).encode())

    def get(self, path: str) -> dict[str, Any]:
        """GET."""
        return self._call("GET", path, {}, None)

    def delete(self, path: str) -> None:
        """DELETE."""
        self._call("DELETE", path, {}, None)

    def _call(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> dict[str, Any]:
        sent = {"Authorization": f"Bearer {self.api_key}", **headers}
        answer = self.pool.request(method, self.base_url + path, headers=sent, body=body, retries=_WHILE_BUSY)
        if answer.status >= 400:
            raise LocalEnvironmentError(f"{method} {path} answered {answer.status}: {answer.data.decode()[:300]}")
        decoded: dict[str, Any] = json.loads(answer.data or b"{}")
        return decoded
