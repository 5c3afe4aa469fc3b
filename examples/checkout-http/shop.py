"""A shop that sells one thing by checkout: HTTP and nothing else. Set PAYFLOWX_URL, PAYFLOWX_KEY, SHOP_URL and PORT."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

ORDERS = count(int(os.environ.get("FIRST_ORDER", "1")))


def call(method: str, path: str, body: object = None, **headers: str) -> Any:
    sent = {"Authorization": f"Bearer {os.environ['PAYFLOWX_KEY']}", "Content-Type": "application/json", **headers}
    data = json.dumps(body).encode() if body is not None else None
    with urlopen(Request(os.environ["PAYFLOWX_URL"] + path, data, sent, method=method), timeout=30) as answer:
        return json.load(answer)


class Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        paid = parse_qs(urlsplit(self.path).query).get("transactionId", [""])[0]
        if paid:  # the address proves nothing: the payment is read
            status = call("GET", f"/payments/{paid}")["status"]
            return self.answer(200, f"<p>{'Thank you!' if status == 'SUCCESS' else f'Your payment is {status}.'}</p>")
        return self.answer(200, "<form method=post><button>Buy a ticket for 49.90 EUR</button></form>")

    def do_POST(self) -> None:
        order = f"ticket-{next(ORDERS)}"
        sale = {"amount": 4990, "currency": "EUR", "paymentMethod": {"type": "checkout"}, "orderId": order}
        sale |= {"description": "A ticket", "returnUrl": os.environ["SHOP_URL"]}
        payment = call("POST", "/payments", sale, **{"Idempotency-Key": order})  # a repeat returns the same payment
        self.answer(303, "", Location=payment["nextAction"]["url"])

    def answer(self, status: int, html: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "text/html", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(html.encode())


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8000"))), Shop).serve_forever()
