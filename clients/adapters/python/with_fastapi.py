from asyncio import to_thread

from fastapi import FastAPI, Request, Response
from shop import handle, webhook

app = FastAPI()


@app.post("/webhook")
async def receive(request: Request) -> Response:
    body = await request.body()
    return Response(status_code=await to_thread(webhook.receive, body, request.headers, handle))
