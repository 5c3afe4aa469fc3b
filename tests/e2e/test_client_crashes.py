"""A merchant's process is killed between key and answer: the restarted one finds its payment."""

from clients.crash.killing import crash
from tests.e2e.conftest import Client


def test_ten_processes_are_killed_and_no_order_is_paid_twice(client: Client) -> None:
    report = crash(client.base_url, client.api_key, times=10, seed=1)
    assert report.after_execution > 0
    assert report.charges == report.orders == 10
