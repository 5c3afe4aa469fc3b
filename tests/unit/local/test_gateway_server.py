"""The server before the engine treats requests as API Gateway does. An echo stands for the engine."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import urllib3

from local import gateway_server
from local.admission import Limits
from local.errors import LocalEnvironmentError
from local.gateway_answers import USED, GatewayAnswer, gateway_answers
from local.gateway_server import Answered, Backend, GatewayServer, check_port
from local.processes import free_port

STATUS = {"THROTTLED": 429, "REQUEST_TOO_LARGE": 413, "BAD_REQUEST_BODY": 400}
ANSWERS = {
    kind: GatewayAnswer(
        status=STATUS.get(kind, 503),
        headers={"Content-Type": "application/problem+json", "Retry-After": "1"},
        template=json.dumps({"code": kind, "requestId": "$context.requestId"}),
    )
    for kind in USED
}
LIMITS = Limits(at_once=1, waiting=0)
GENEROUS_SECONDS = 60


class Engine(ThreadingHTTPServer):
    """Answers with the request as it arrived. A request whose path ends in `hold` waits for `release`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        self.release, self.holding, self.most_at_once, self.now = threading.Event(), threading.Semaphore(0), 0, 0
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), Echo)


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Engine

    def do_GET(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        with self.server.lock:
            self.server.now += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.now)
        if self.path.endswith("hold"):
            self.server.holding.release()
            self.server.release.wait(GENEROUS_SECONDS)
        with self.server.lock:
            self.server.now -= 1
        echo = {
            "method": self.command,
            "path": self.path,
            "headers": [[name.lower(), value] for name, value in self.headers.items()],
            "body": body.decode(),
        }
        data = json.dumps(echo).encode()
        self.send_response(202)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        self.send_header("Connection", "x-hop")
        self.send_header("X-Hop", "not for the client")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_POST = do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_args: Any) -> None:
        """Silent."""


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.release.set()
        server.shutdown()
        thread.join()


def serve(target: str, *, at_once: int = 4, waiting: int = 64) -> GatewayServer:
    server = GatewayServer(free_port(), target, ANSWERS, Limits(at_once=at_once, waiting=waiting))
    server.start()
    return server


@pytest.fixture
def server(engine: Engine) -> Iterator[GatewayServer]:
    running = serve(f"http://127.0.0.1:{engine.server_port}/api/v1")
    yield running
    running.stop()


@pytest.fixture
def pool() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager(maxsize=64, retries=False, timeout=GENEROUS_SECONDS) as manager:
        yield manager


def exchange(server: GatewayServer, *parts: bytes, until_closed: bool = True) -> bytes:
    """Bytes to the server, and all that it answers until it closes the connection."""
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=GENEROUS_SECONDS) as connection:
        for part in parts:
            connection.sendall(part)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
            if not until_closed:
                break
        return answer


def echo_of(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def test_a_chunked_body_arrives_whole(server: GatewayServer) -> None:
    body = b'{"amount": 100}'
    head = b"POST /payments/p/refunds HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = exchange(server, head, b"8\r\n" + body[:8] + b"\r\n", b"7\r\n" + body[8:] + b"\r\n0\r\n\r\n")
    echo = echo_of(answer)
    assert echo["body"].encode() == body
    headers = dict(echo["headers"])
    assert headers["content-length"] == "15"
    assert "transfer-encoding" not in headers


def test_a_request_goes_on_as_it_came(server: GatewayServer, pool: urllib3.PoolManager) -> None:
    headers = urllib3.HTTPHeaderDict({"Authorization": "Bearer k"})
    headers.add("X-Twice", "1")
    headers.add("X-Twice", "2")
    answer = pool.request("POST", f"{server.url}/payments/%2E%2F?a=1&a=2%20", headers=headers, body=b"{}")
    echo = answer.json()
    assert (answer.status, echo["method"], echo["path"]) == (202, "POST", "/api/v1/payments/%2E%2F?a=1&a=2%20")
    assert [value for name, value in echo["headers"] if name == "x-twice"] in (["1", "2"], ["1, 2"])
    assert answer.headers.getlist("set-cookie") == ["a=1", "b=2"]
    assert "x-hop" not in answer.headers


def test_dots_in_a_path_do_not_leave_the_api(server: GatewayServer) -> None:
    answer = exchange(server, b"GET /../../_ministack/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert echo_of(answer)["path"] == "/api/v1/../../_ministack/health"


def test_headers_that_come_twice_stay_two(server: GatewayServer) -> None:
    request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-A: 1\r\nX-A: 2\r\n\r\n"
    assert [value for name, value in echo_of(exchange(server, request))["headers"] if name == "x-a"] == ["1", "2"]


def test_head_has_the_length_of_a_get_and_no_body(server: GatewayServer, pool: urllib3.PoolManager) -> None:
    head = pool.request("HEAD", f"{server.url}/health")
    assert (head.status, head.data) == (202, b"")
    assert int(head.headers["content-length"]) > 0
    assert pool.request("GET", f"{server.url}/health").status == 202, "the same connection goes on"


def test_a_connection_serves_several_requests(server: GatewayServer) -> None:
    request = b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answer = exchange(server, request % 1, request % 2, last)
    assert answer.count(b"HTTP/1.1 202") == 3


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: -1",
        b"Content-Length: +2",
        b"Content-Length: two",
        b"Content-Length: 1\r\nContent-Length: 2",
        b"Transfer-Encoding: gzip",
        b"Content-Length: 99999999999999999999999999",
    ],
)
def test_a_senseless_length_is_refused_and_not_forwarded(server: GatewayServer, lines: bytes) -> None:
    answer = exchange(server, b"POST / HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n\r\n{}", until_closed=False)
    assert answer.split()[1] in {b"400", b"413", b"501"}
    assert not [answered for answered in server.answered if answered.status == 202]


def test_a_large_body_is_refused_whether_declared_or_in_chunks(
    server: GatewayServer, pool: urllib3.PoolManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_server, "_MAX_BODY_BYTES", 100)
    declared = pool.request("POST", f"{server.url}/payments", body=b"x" * 101)
    chunked = pool.request("POST", f"{server.url}/payments", body=iter([b"x" * 60, b"x" * 60]))
    whole = pool.request("POST", f"{server.url}/payments", body=b"x" * 100)
    assert [declared.status, chunked.status, whole.status] == [413, 413, 202]
    assert declared.json()["code"] == "REQUEST_TOO_LARGE"


def test_who_asks_before_sending_is_answered(server: GatewayServer) -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=GENEROUS_SECONDS) as connection:
        connection.sendall(head)
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(b"{}")
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    assert echo_of(answer)["body"] == "{}"


def test_a_body_that_does_not_come_is_refused(server: GatewayServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_server, "_BODY_SECONDS", 0.1)
    answer = exchange(server, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{}")
    assert b"HTTP/1.1 400" in answer
    assert b"BAD_REQUEST_BODY" in answer


def test_headers_that_do_not_come_close_the_connection(server: GatewayServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.asgi_server._RECEIVE_SECONDS", 0.1)
    assert exchange(server, b"POST / HTTP/1.1\r\nHost:") == b""


def test_half_a_body_is_not_forwarded(server: GatewayServer, pool: urllib3.PoolManager) -> None:
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")
    assert pool.request("GET", server.url).status == 202
    assert [answered.status for answered in server.answered] == [202]


def test_a_client_that_resets_its_connection_leaves_no_trace_in_the_terminal(
    server: GatewayServer, pool: urllib3.PoolManager, capfd: pytest.CaptureFixture[str]
) -> None:
    """Before its request is whole, while its answer is on its way, and on a connection that was kept."""
    request = b"POST /payments HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    for sent in (b"", request[:-1], request, request + request):
        connection = socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])))
        connection.sendall(sent)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    assert pool.request("GET", f"{server.url}/health").status == 202
    said = capfd.readouterr()
    assert "Traceback" not in said.out + said.err


def test_only_so_many_are_at_the_engine_and_only_so_many_wait(engine: Engine, pool: urllib3.PoolManager) -> None:
    server = serve(f"http://127.0.0.1:{engine.server_port}", at_once=2, waiting=3)
    results: list[tuple[int, str | None]] = []

    def call() -> None:
        answer = pool.request("GET", f"{server.url}/hold")
        results.append((answer.status, answer.headers.get("retry-after")))

    threads = [threading.Thread(target=call) for _ in range(9)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        assert engine.holding.acquire(timeout=GENEROUS_SECONDS)
    while len(results) < 4:
        threading.Event().wait(0.01)
    engine.release.set()
    for thread in threads:
        thread.join()
    server.stop()
    assert sorted(status for status, _ in results) == [202] * 5 + [429] * 4
    assert {retry for status, retry in results if status == 429} == {"1"}
    assert engine.most_at_once == 2


def test_a_call_that_takes_too_long_is_answered_and_keeps_its_place(
    engine: Engine, pool: urllib3.PoolManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_server, "_ANSWER_SECONDS", 0.1)
    server = serve(f"http://127.0.0.1:{engine.server_port}", at_once=1, waiting=0)
    late = pool.request("GET", f"{server.url}/hold")
    refused = pool.request("GET", f"{server.url}/")
    engine.release.set()
    while pool.request("GET", f"{server.url}/").status == 429:
        threading.Event().wait(0.01)
    server.stop()
    assert (late.status, late.json()["code"]) == (503, "INTEGRATION_TIMEOUT")
    assert refused.status == 429


def test_an_engine_that_is_gone_is_answered_for(pool: urllib3.PoolManager) -> None:
    server = serve(f"http://127.0.0.1:{free_port()}")
    first, second = (pool.request("GET", f"{server.url}/health").json() for _ in range(2))
    server.stop()
    assert first["code"] == "INTEGRATION_FAILURE"
    assert first["requestId"] != second["requestId"]
    assert [answered.status for answered in server.answered] == [503, 503]


def test_answers_are_counted_for_the_metrics(server: GatewayServer, pool: urllib3.PoolManager) -> None:
    pool.request("GET", server.url)
    (answered,) = server.answered
    assert isinstance(answered, Answered)
    assert answered.status == 202


def test_stopping_does_not_wait_for_the_engine(engine: Engine) -> None:
    server = serve(f"http://127.0.0.1:{engine.server_port}")
    port = int(server.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
        assert engine.holding.acquire(timeout=GENEROUS_SECONDS)
        server.stop()
    check_port(port)


def test_a_taken_port_is_one_sentence() -> None:
    port = free_port()
    server = GatewayServer(port, "http://x", ANSWERS, LIMITS)
    with pytest.raises(LocalEnvironmentError, match=f"Port {port} cannot be used"):
        check_port(port)
    with pytest.raises(LocalEnvironmentError, match=f"PORT={port + 1}"):
        GatewayServer(port, "http://x", ANSWERS, LIMITS)
    server.stop()
    check_port(port)


def test_another_api_serves_its_own_paths(engine: Engine, pool: urllib3.PoolManager) -> None:
    address = f"http://127.0.0.1:{engine.server_port}"
    pages = Backend(path_prefix="/checkout/", target=f"{address}/pages", answers=ANSWERS)
    server = GatewayServer(free_port(), f"{address}/api", ANSWERS, LIMITS, (pages,))
    server.start()
    seen = [
        json.loads(pool.request("GET", server.url + path).data)["path"]
        for path in ("/payments", "/checkout/abc/return?x=1", "/checkouts")
    ]
    server.stop()
    assert seen == ["/api/payments", "/pages/checkout/abc/return?x=1", "/api/checkouts"]
    assert len(server.answered) == 2, "only those of the API are its metrics"


def test_refusals_are_those_of_the_template() -> None:
    api = {"Ref": "Api"}
    resources = {
        kind: {
            "Type": "AWS::ApiGateway::GatewayResponse",
            "Properties": {
                "RestApiId": api,
                "ResponseType": kind,
                "StatusCode": "429",
                "ResponseParameters": {"gatewayresponse.header.Retry-After": "'1'"},
                "ResponseTemplates": {"application/json": '{"requestId": "$context.requestId"}'},
            },
        }
        for kind in USED
    }
    other: dict[str, Any] = {"Type": "AWS::ApiGateway::GatewayResponse", "Properties": {"RestApiId": {"Ref": "Other"}}}
    template = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}, **resources, "Other": other},
        "Outputs": {"ApiId": {"Value": api}},
    }
    other["Properties"] = {**other["Properties"], "ResponseType": "THROTTLED"}
    answers = gateway_answers(template, "ApiId")
    answer = answers["THROTTLED"]
    assert (answer.status, answer.headers) == (429, {"Retry-After": "1"})
    assert len(json.loads(answer.body())["requestId"]) == 36
    del template["Resources"]["THROTTLED"]
    with pytest.raises(KeyError):
        gateway_answers(template, "ApiId")
    template["Resources"]["Rest"] = {
        "Type": "AWS::ApiGateway::GatewayResponse",
        "Properties": {"RestApiId": api, "ResponseType": "DEFAULT_4XX"},
    }
    assert gateway_answers(template, "ApiId")["THROTTLED"].status == 429
