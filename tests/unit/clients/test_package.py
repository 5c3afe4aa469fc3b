"""The wheel that is built, a user's types, and the snippets of the documentation."""

import asyncio
import base64
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from tests.unit.clients.samples import named, page, payment
from tests.unit.clients.server import Came, Say, Server
from tests.unit.clients.test_webhooks import SECRET, message, signed

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "clients" / "python"
PAGE = (ROOT / "docs" / "clients" / "python.md").read_text()
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_package_uses_the_standard_library_only() -> None:
    import ast

    for path in (FOLDER / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                extra = {"httpx"} if path.name == "httpx_transport.py" else set()
                assert name.split(".")[0] in {*sys.stdlib_module_names, "payflowx_client", *extra}, path


def test_a_wheel_is_built_with_all_modules_and_the_mark_of_types(tmp_path: Path) -> None:
    source = copytree(FOLDER, tmp_path / "source", ignore=lambda *_: {"build", "dist", "__pycache__"})
    build = "import setuptools.build_meta as b; b.build_wheel('.')"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True, timeout=120)
    (wheel,) = source.glob("payflowx_client-*-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = archive.read(next(each for each in names if each.endswith("METADATA"))).decode()
    modules = {f"payflowx_client/{path.name}" for path in (FOLDER / "src" / "payflowx_client").glob("*.py")}
    assert modules | {"payflowx_client/py.typed", "payflowx_client/testing/data.json"} <= names
    needs = [line for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    assert needs == ['Requires-Dist: httpx<1,>=0.27; extra == "httpx"']


def test_the_version_is_one() -> None:
    from payflowx_client import VERSION

    assert f'version = "{VERSION}"' in (FOLDER / "pyproject.toml").read_text()
    assert f"payflowx_client-{VERSION}-py3" in PAGE


def answer(came: Came) -> Say:
    if "/refunds" in came.target or "/operations/" in came.target:
        return Say(202, named("OperationAnswer", status="SUCCEEDED"))
    if came.target.startswith("/payments?"):
        return Say(200, page("PaymentListAnswer", [payment(status="IN_REVIEW")], None))
    return Say(202 if came.method == "POST" else 200, payment(status="SUCCESS"))


def receive_by_starlette(receive: Any, body: bytes, headers: dict[str, str]) -> None:
    """As a server of ASGI calls it."""
    from starlette.requests import Request

    async def read() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    request = Request({"type": "http", "method": "POST", "headers": raw}, read)
    assert asyncio.run(receive(request)).status_code == 204


def test_the_snippets_of_the_page_run_one_after_the_other(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    monkeypatch.chdir(tmp_path)
    server.answer = answer
    body, headers = signed(message(), at=int(time.time()))
    shipped: list[Any] = []
    names: dict[str, Any] = {
        "base_url": server.url,
        "api_key": "k",
        "token": "tok_1",
        "secret": SECRET,
        "raw_body": body,
        "headers": headers,
        "ship": shipped.append,
    }
    names["handle"] = shipped.append
    assert len(SNIPPETS) == 7
    for snippet in SNIPPETS:
        exec(compile(snippet, "docs/clients/python.md", "exec"), names)
    assert names["refund"].status == "SUCCEEDED"
    assert len(shipped) == 1
    receive_by_starlette(names["receive"], *signed(message(2), at=int(time.time())))
    body, headers = signed(message(3), at=int(time.time()))
    for event in (
        {"body": body.decode(), "isBase64Encoded": False, "headers": headers},
        {"body": base64.b64encode(body).decode(), "isBase64Encoded": True, "headers": headers},
    ):
        assert names["handler"](event, None) == {"statusCode": 204}
    assert [each.event.sequence for each in shipped[1:]] == [2, 3, 3]
    assert {each.name for each in tmp_path.iterdir()} == {"events.db", "keys.db"}


def test_every_exception_of_the_page_exists() -> None:
    import payflowx_client

    assert [each for each in re.findall(r"`(\w+Error)`", PAGE) if not hasattr(payflowx_client, each)] == []
