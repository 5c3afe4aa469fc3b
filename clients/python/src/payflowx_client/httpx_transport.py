"""A transport over httpx, which keeps connections open: `pip install "payflowx_client-0.2.0-py3-none-any.whl[httpx]"`.

    client = Client(base_url=base_url, api_key=api_key, transport=HttpxTransport(base_url))

The library itself needs no httpx; only this module imports it.
"""

import time

import httpx

from payflowx_client.transport import MAX_ANSWER_BYTES, Answer, HttpTransport, NoAnswerError, NotSentError, Request


class HttpxTransport:
    """Threads may share it. Close it, or use it as a context manager.

    A connection that the server closed meanwhile looks like a lost answer. The client repeats with the same key.
    """

    def __init__(self, base_url: str, *, client: httpx.Client | None = None) -> None:
        HttpTransport(base_url)  # the same rules for addresses
        self._base_url = base_url.rstrip("/")
        self._client = client or httpx.Client(trust_env=False)

    def __call__(self, request: Request, *, timeout_seconds: float) -> Answer:
        """Raises `NotSentError`, `NoAnswerError`.

        The timeout bounds the connection, each wait for bytes, and from the headers on the whole exchange: httpx has no
        limit for headers that drip.
        """
        until = time.monotonic() + timeout_seconds
        try:
            with self._client.stream(
                request.method,
                self._base_url + request.target,
                headers=dict(request.headers),
                content=request.body,
                timeout=timeout_seconds,
                follow_redirects=False,
            ) as response:
                return Answer(response.status_code, dict(response.headers), _read(response, until))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise NotSentError(type(error).__name__) from error
        except httpx.HTTPError as error:
            raise NoAnswerError(type(error).__name__) from error

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def __enter__(self) -> "HttpxTransport":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _read(response: httpx.Response, until: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise NoAnswerError("the answer is too large")
        if time.monotonic() > until:
            raise NoAnswerError("TimeoutError")
    return bytes(body)
