"""`python serve.py FRAMEWORK PORT` serves an adapter on this machine."""

import base64
import sys
from collections.abc import Callable
from wsgiref.simple_server import WSGIRequestHandler, make_server


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


def serve_fastapi(port: int) -> None:
    import uvicorn
    from with_fastapi import app

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


def serve_flask(port: int) -> None:
    from with_flask import app

    _serve_wsgi(app, port)


def serve_django(port: int) -> None:
    from django.conf import settings

    settings.configure(ROOT_URLCONF="serve_urls", ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY="test")
    import django
    from django.core.wsgi import get_wsgi_application
    from django.urls import path

    django.setup()
    urls = type(sys)("serve_urls")
    from with_django import receive

    urls.urlpatterns = [path("webhook", receive)]
    sys.modules["serve_urls"] = urls
    _serve_wsgi(get_wsgi_application(), port)


def serve_lambda(port: int) -> None:
    """An HTTP API of API Gateway: text as it is, everything else in base64; names of headers in lower case."""
    from with_lambda import handler

    def application(environ: dict, start_response: Callable) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
        encoded = base64.b64encode(body).decode()
        answer = handler({"headers": headers, "body": encoded, "isBase64Encoded": True}, None)
        as_text = handler({"headers": headers, "body": body.decode(), "isBase64Encoded": False}, None)
        if answer != as_text:
            raise RuntimeError("text and base64 are handled differently")
        start_response(f"{answer['statusCode']} -", [])
        return []

    _serve_wsgi(application, port)


def _serve_wsgi(application: Callable, port: int) -> None:
    with make_server("127.0.0.1", port, application, handler_class=_Quiet) as server:
        server.serve_forever()


if __name__ == "__main__":
    framework, given_port = sys.argv[1:]
    {
        "fastapi": serve_fastapi,
        "flask": serve_flask,
        "django": serve_django,
        "lambda": serve_lambda,
    }[framework](int(given_port))
