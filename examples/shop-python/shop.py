"""A shop: create an order, sell it with a card's token, take the webhook, refund it."""

import json
import os
import sqlite3
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from payflowx_client import REMAINING, Client, PaymentMethod, Received, SqliteEventStore, Webhook

PORT = int(os.environ.get("SHOP_PORT", "8000"))
client = Client(base_url=os.environ["PAYFLOWX_URL"], api_key=os.environ["PAYFLOWX_API_KEY"])
shop = sqlite3.connect("shop.db", isolation_level=None, check_same_thread=False)
shop.execute("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, amount INTEGER, state TEXT, payment TEXT)")
secret = Path("webhook-secret")
if not secret.exists():
    secret.write_text(client.webhook_endpoints.create(url=f"http://127.0.0.1:{PORT}/webhook").secret)
webhook = Webhook(secret.read_text(), store=SqliteEventStore("events.db"))


def shown(order: int) -> dict:
    row = shop.execute("SELECT id, amount, state, payment FROM orders WHERE id = ?", (order,)).fetchone()
    return dict(zip(("id", "amount", "state", "payment"), row, strict=True))


def pay(order: int, token: str) -> None:
    card, paid = PaymentMethod(type="card", token=token), {"amount": shown(order)["amount"], "currency": "USD"}
    payment = client.payments.create(**paid, payment_method=card, order_id=str(order), key=("order", order))
    shop.execute("UPDATE orders SET payment = ? WHERE id = ?", (payment.transaction_id, order))


def handle(received: Received) -> None:
    payment = received.event.data.payment
    paid = "refunded" if payment.refunded == payment.captured else "paid"
    state = paid if payment.captured else payment.status.lower()
    shop.execute("UPDATE orders SET state = ? WHERE id = ?", (state, payment.order_id))


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.path == "/webhook":
            self.send_response(webhook.receive(body, self.headers, handle))
            return self.end_headers()
        _, _, order, action = f"{self.path}//".split("/")[:4]
        if action == "pay":
            pay(int(order), json.loads(body)["token"])
        elif action == "refund":
            client.refunds.create(shown(int(order))["payment"], amount=REMAINING, key=("order", order, "refund"))
        elif not order:
            new = (json.loads(body)["amount"],)
            order = shop.execute("INSERT INTO orders (amount, state) VALUES (?, 'new')", new).lastrowid
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(shown(int(order))).encode() + b"\n")

    do_GET = do_POST


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
