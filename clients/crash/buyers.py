"""The programs that are killed: each pays one order, by the key of its purpose."""

import sys
from pathlib import Path
from typing import Final

from clients.gate.node import TYPESCRIPT, found_node

_PYTHON_SOURCES: Final = Path(__file__).resolve().parents[1] / "python" / "src"
_PYTHON: Final = """
import sys
from payflowx_client import Client, FileKeyStore, PaymentMethod, SqliteKeyStore

url, api_key, store, folder, order = sys.argv[1:]
keys = {"derived": None, "file": FileKeyStore, "sqlite": SqliteKeyStore}[store]
client = Client(base_url=url, api_key=api_key, keys=keys and keys(folder + "/" + store))
method = PaymentMethod(type="card", token="tok_success")
payment = client.payments.create(
    amount=1999, currency="USD", payment_method=method, metadata={"order": order}, key=("order", order)
)
print(payment.transaction_id)
"""
_TYPESCRIPT: Final = """
import { Client } from "%(folder)s/dist/esm/index.js";
import { FileKeyStore } from "%(folder)s/dist/esm/node.js";

const [url, apiKey, store, folder, order] = process.argv.slice(1);
const keys = store === "file" ? new FileKeyStore(folder) : undefined;
const client = new Client({ baseUrl: url, apiKey, keys });
const paymentMethod = { type: "card", token: "tok_success" };
const payment = await client.payments.create({
  amount: 1999, currency: "USD", paymentMethod, metadata: { order }, key: ["order", order],
});
console.log(payment.transactionId);
"""
Program = tuple[str, tuple[str, ...], str]
"""Language and store, the command, and the name of the store."""


def programs() -> list[Program]:
    """One for each language and each store of its keys. Those of TypeScript only where Node and a build are there."""
    python = (sys.executable, "-c", f"import sys; sys.path.insert(0, {str(_PYTHON_SOURCES)!r}){_PYTHON}")
    found: list[Program] = [(f"python, {store}", python, store) for store in ("derived", "file", "sqlite")]
    if found_node() and (TYPESCRIPT / "dist").is_dir():
        node = ("node", "--input-type=module", "--eval", _TYPESCRIPT % {"folder": TYPESCRIPT.as_uri()})
        found += [(f"typescript, {store}", node, store) for store in ("derived", "file")]
    return found
