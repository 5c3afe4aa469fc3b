"""A shop: create an order, sell it with a card's token or by a link for the payer, take the webhook, refund it."""

import json
import os
import sqlite3
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from payflowx_client import REMAINING, ApiError, Client, PaymentMethod, Received, SqliteEventStore, Webhook

PORT = int(os.environ.get("SHOP_PORT", "8000"))
client = Client(base_url=os.environ["PAYFLOWX_URL"], api_key=os.environ["PAYFLOWX_API_KEY"])
shop = sqlite3.connect("shop.db", isolation_level=None, check_same_thread=False)
shop.row_factory = sqlite3.Row
shop.execute("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, amount, state, payment, link)")
secret = Path("webhook-secret")
if not secret.exists():
    secret.write_text(client.webhook_endpoints.create(url=f"http://127.0.0.1:{PORT}/webhook").secret)
webhook = Webhook(secret.read_text(), store=SqliteEventStore("events.db"))


def shown(order: int | str) -> dict:
    return dict(shop.execute("SELECT * FROM orders WHERE id = ?", (order,)).fetchall()[0])  # IndexError: there is none


def pay(order: dict, token: str | None) -> None:
    way = PaymentMethod(type="card", token=token) if token else PaymentMethod(type="checkout")
    paid = {"amount": order["amount"], "currency": "USD", "order_id": str(order["id"])}
    payment = client.payments.create(**paid, payment_method=way, key=("order", order["id"], way.type))
    new = (payment.transaction_id, payment.next_action and payment.next_action.url, order["id"])
    shop.execute("UPDATE orders SET payment = ?, link = ? WHERE id = ?", new)


def handle(received: Received) -> None:
    if paid := received.event.data.payment:  # merchant.restored has none
        step = "paid" if paid.refunded < paid.captured else "refunded" if paid.captured else paid.status.lower()
        new = (step, paid.order_id, paid.transaction_id)  # news of a payment that was tried before may come late
        shop.execute("UPDATE orders SET state = ? WHERE id = ? AND (state != 'paid' OR payment = ?)", new)


def answer(call: str, given: dict) -> dict:
    match call.split("/"), given:
        case ["POST ", "orders"], {"amount": int(amount)} if 0 < amount < 10**12:
            order = shop.execute("INSERT INTO orders (amount, state) VALUES (?, 'new')", [amount]).lastrowid
        case ["GET ", "orders", order], _:
            pass
        case ["POST ", "orders", order, "pay"], {}:
            pay(shown(order), given.get("token"))
        case ["POST ", "orders", order, "refund"], _:
            client.refunds.create(shown(order)["payment"], amount=REMAINING, key=("order", int(order), "refund"))
        case _:
            raise LookupError("no such call; POST /orders takes an amount, an integer in the minor unit")
    return shown(order)


class Handler(BaseHTTPRequestHandler):
    timeout = 10  # seconds to wait for a body that was announced

    def do_POST(self) -> None:
        size = self.headers.get("Content-Length", "0")
        if not size.isdecimal() or len(size) > 5:
            return self.send_error(400)
        body, call = self.rfile.read(int(size)), f"{self.command} {self.path}"
        if call == "POST /webhook":
            self.send_response(webhook.receive(body, self.headers, handle))
            return self.end_headers()
        try:
            order = answer(call, json.loads(body or "{}"))
        except (ApiError, LookupError, RecursionError, TypeError, ValueError) as error:
            return self.send_error(404 if isinstance(error, LookupError) else 400, explain=str(error))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(order).encode() + b"\n")

    do_GET = do_POST


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
