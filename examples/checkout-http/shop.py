"""A shop that sells one thing by checkout: HTTP and nothing else. Set PAYFLOWX_URL, PAYFLOWX_KEY, SHOP_URL and PORT."""

import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, quote, urlsplit
from urllib.request import Request, urlopen

ORDERS = count(time.time_ns())  # a shop that is started again sells no order twice


def call(method: str, path: str, body: object = None, **headers: str) -> Any:
    sent = {"Authorization": f"Bearer {os.environ['PAYFLOWX_KEY']}", "Content-Type": "application/json", **headers}
    data = json.dumps(body).encode() if body is not None else None
    with urlopen(Request(os.environ["PAYFLOWX_URL"] + path, data, sent, method=method), timeout=30) as answer:
        return json.load(answer)


class Shop(BaseHTTPRequestHandler):
    timeout = 10  # seconds to wait for what was announced

    def do_GET(self) -> None:
        paid = parse_qs(urlsplit(self.path).query).get("transactionId", [""])[0]
        if paid:  # the address proves nothing: the payment is read
            try:
                status = call("GET", f"/payments/{quote(paid, safe='')}")["status"]
            except HTTPError as refusal:
                refusal.close()
                return self.send_error(404 if refusal.code in {400, 404} else 502)
            return self.answer(200, f"<p>{'Thank you!' if status == 'SUCCESS' else f'Your payment is {status}.'}</p>")
        if self.path != "/":
            return self.send_error(404)
        return self.answer(200, "<form method=post><button>Buy a ticket for 49.90 EUR</button></form>")

    def do_POST(self) -> None:
        if self.path != "/":
            return self.send_error(404)
        if self.headers.get("Content-Length", "0") != "0":  # the form has no fields
            return self.send_error(400)
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
