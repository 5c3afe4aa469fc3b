"""The crash test itself: it must see a program that charges anew."""

import sys

from clients.crash.killing import crash
from payflowx_client.testing import API_KEY, FakeApi, served

FORGETFUL = """
import secrets, sys
sys.path.insert(0, "clients/python/src")
from payflowx_client import Client, PaymentMethod

url, api_key, _, _, order = sys.argv[1:]
method = PaymentMethod(type="card", token="tok_success")
payment = Client(base_url=url, api_key=api_key).payments.create(
    amount=5, currency="USD", payment_method=method, metadata={"order": order}, key=secrets.token_hex()
)
print(payment.transaction_id)
"""


def test_a_program_that_forgets_its_key_is_found_out() -> None:
    with served(FakeApi()) as url:
        forgetful = ("forgetful", (sys.executable, "-c", FORGETFUL), "none")
        report = crash(url, API_KEY, times=3, seed=1, kinds=[forgetful])
    assert report.after_execution > 0
    assert report.charges == report.orders + report.after_execution
    assert f"{report.after_execution} too many" in str(report)
