"""`python -m payflowx_client.testing` serves the double: time passes by itself, and webhooks are posted."""

import argparse
import sys
import time
import urllib.request

from payflowx_client.testing.api import API_KEY, FakeApi
from payflowx_client.testing.endpoints import Delivery
from payflowx_client.testing.serving import served

_STEP_SECONDS = 0.2


def main() -> int:
    """Runs until it is interrupted."""
    parser = argparse.ArgumentParser(prog="python -m payflowx_client.testing", description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    api = FakeApi(start_seconds=time.time())
    with served(api, parser.parse_args().port) as url:
        print(f"{url} with the API key {API_KEY}", flush=True)
        try:
            while True:
                time.sleep(_STEP_SECONDS)
                api.advance(time.time() - api.now_seconds())
                for each in api.deliveries():
                    _post(each)
        except KeyboardInterrupt:
            return 0


def _post(delivery: Delivery) -> None:
    request = urllib.request.Request(delivery.url, delivery.body, dict(delivery.headers))  # noqa: S310 - as registered
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310 - as registered
            print(f"{delivery.headers['webhook-id']}: {answer.status}", flush=True)
    except OSError as error:
        print(f"{delivery.headers['webhook-id']}: {error}", flush=True)


sys.exit(main())
