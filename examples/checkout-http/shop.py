"""A shop that sells one thing by checkout: HTTP alone. Set PAYFLOWX_URL, PAYFLOWX_API_KEY, SHOP_URL and PORT."""

import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError
from urllib.parse import parse_qs, quote, urlsplit
from urllib.request import Request, urlopen


def call(method: str, path: str, body: object = None, **headers: str) -> Any:
    sent = {"Authorization": f"Bearer {os.environ['PAYFLOWX_API_KEY']}", "Content-Type": "application/json", **headers}
    asked = Request(os.environ["PAYFLOWX_URL"] + path, json.dumps(body).encode() if body else None, sent, method=method)
    with urlopen(asked, timeout=30) as answer:
        return json.load(answer)


class Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        try:
            self.sell() if self.command == "POST" else self.show()
        except HTTPError as refusal:
            self.send_error(404 if refusal.code in {400, 404} else 502)

    def show(self) -> None:
        html = "<form method=post><button>Buy a ticket for 49.90 EUR</button></form>"
        if paid := parse_qs(urlsplit(self.path).query).get("transactionId", [""])[0]:
            status = call("GET", f"/payments/{quote(paid, safe='')}")["status"]  # the address proves nothing
            html = f"<p>{'Thank you!' if status == 'SUCCESS' else f'Your payment is {status}.'}</p>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(html.encode())

    def sell(self) -> None:
        order = f"ticket-{time.time_ns()}"  # a shop that is started again sells no order twice
        sale = {"amount": 4990, "currency": "EUR", "paymentMethod": {"type": "checkout"}, "description": "A ticket"}
        sale |= {"orderId": order, "returnUrl": os.environ["SHOP_URL"]}
        payment = call("POST", "/payments", sale, **{"Idempotency-Key": order})  # a repeat returns the same payment
        self.send_response(303)
        self.send_header("Location", payment["nextAction"]["url"])
        self.end_headers()

    do_POST = do_GET


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8000"))), Shop).serve_forever()
