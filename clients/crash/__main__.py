"""`python -m clients.crash` kills a hundred processes against the test double, and prints what came of it."""

import argparse
import sys

from clients.crash.killing import crash
from payflowx_client.testing import API_KEY, FakeApi, served


def main() -> int:
    """0 if every order was paid once."""
    parser = argparse.ArgumentParser(prog="python -m clients.crash", description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with served(FakeApi()) as url:
        report = crash(url, API_KEY, times=arguments.times, seed=arguments.seed)
    print(report)
    return 0 if report.charges == report.orders else 1


sys.exit(main())
