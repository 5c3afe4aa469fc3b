from flask import Flask, request
from shop import handle, webhook

app = Flask(__name__)


@app.post("/webhook")
def receive() -> tuple[str, int]:
    return "", webhook.receive(request.get_data(), request.headers, handle)
