"""`python -m clients.gate` builds the TypeScript library from its lock, and runs what needs Node.

These are its tests, the contract of its test double, and the crashes of both languages.

Without Node it prints one line on a developer's machine, and fails where `CI` is set.
"""

import os
import sys

from clients.gate.node import OLDEST_NODE, ROOT, TYPESCRIPT, found_node, install, run


def main() -> int:
    """0 if the tests passed, or if there is no Node and nobody relies on them."""
    if found_node() is None:
        print(f"  Node.js {OLDEST_NODE} was not found: the tests of the TypeScript client are skipped")
        return 1 if os.environ.get("CI") else 0
    install(TYPESCRIPT)
    run("node", "build.mjs", folder=TYPESCRIPT)
    failed = run("node", "--test", "--test-reporter=dot", "test/", folder=TYPESCRIPT, may_fail=True)
    contract = (sys.executable, "-m", "pytest", "-q", "tests/integration/test_client_contract.py", "-k", "typescript")
    failed = failed or run(*contract, folder=ROOT, may_fail=True)
    return failed or run(sys.executable, "-m", "clients.crash", folder=ROOT, may_fail=True)


sys.exit(main())
