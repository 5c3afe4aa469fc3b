"""A shop: create an order, sell it with a card's token or by a link for the payer, take the webhook, refund it."""

import json
import os
import sqlite3
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from payflowx_client import REMAINING, Client, PaymentMethod, Received, SqliteEventStore, Webhook

PORT = int(os.environ.get("SHOP_PORT", "8000"))
client = Client(base_url=os.environ["PAYFLOWX_URL"], api_key=os.environ["PAYFLOWX_API_KEY"])
shop = sqlite3.connect("shop.db", isolation_level=None, check_same_thread=False)
shop.row_factory = sqlite3.Row
shop.execute("CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, amount, state, payment, link)")
secret = Path("webhook-secret")
if not secret.exists():
    secret.write_text(client.webhook_endpoints.create(url=f"http://127.0.0.1:{PORT}/webhook").secret)
webhook = Webhook(secret.read_text(), store=SqliteEventStore("events.db"))


def shown(order: int) -> dict:
    return dict(shop.execute("SELECT * FROM orders WHERE id = ?", (order,)).fetchone())


def pay(order: int, token: str | None) -> None:
    way = PaymentMethod(type="card", token=token) if token else PaymentMethod(type="checkout")
    paid = {"amount": shown(order)["amount"], "currency": "USD", "order_id": str(order)}
    payment = client.payments.create(**paid, payment_method=way, key=("order", order, way.type))
    new = (payment.transaction_id, payment.next_action and payment.next_action.url, order)
    shop.execute("UPDATE orders SET payment = ?, link = ? WHERE id = ?", new)


def handle(received: Received) -> None:
    if paid := received.event.data.payment:  # merchant.restored has none
        step = "paid" if paid.refunded < paid.captured else "refunded" if paid.captured else paid.status.lower()
        shop.execute("UPDATE orders SET state = ? WHERE id = ?", (step, paid.order_id))


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.path == "/webhook":
            self.send_response(webhook.receive(body, self.headers, handle))
            return self.end_headers()
        (_, _, order, action), given = f"{self.path}//".split("/")[:4], json.loads(body or "{}")
        if action == "pay":
            pay(int(order), given.get("token"))
        elif action == "refund":
            client.refunds.create(shown(int(order))["payment"], amount=REMAINING, key=("order", order, "refund"))
        elif not order:
            order = shop.execute("INSERT INTO orders (amount, state) VALUES (?, 'new')", [given["amount"]]).lastrowid
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(shown(int(order))).encode() + b"\n")

    do_GET = do_POST


ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
