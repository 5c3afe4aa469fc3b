"""`python -m clients.gate` builds the TypeScript library from its lock, and runs what needs Node.

These are its tests, the contract of its test double, the adapters of the webhook kit, the shops, and the crashes of
both languages.

Without Node it prints one line on a developer's machine, and fails where `CI` is set.
"""

import os
import sys

from clients.gate.node import ADAPTERS, OLDEST_NODE, ROOT, RUNTIMES, TYPESCRIPT, found_node, install, run


def main() -> int:
    """0 if the tests passed, or if there is no Node and nobody relies on them."""
    if found_node() is None:
        print(f"  Node.js {OLDEST_NODE} was not found: the tests of the TypeScript client are skipped")
        return 1 if os.environ.get("CI") else 0
    install(TYPESCRIPT)
    run("node", "build.mjs", folder=TYPESCRIPT)
    install(ADAPTERS)
    if os.environ.get("CLIENT_ADAPTERS") == "all":
        install(RUNTIMES)
    steps = (
        (TYPESCRIPT, ("node", "--test", "--test-reporter=dot", "test/")),
        (ROOT, (sys.executable, "-m", "pytest", "-q", "tests/integration/test_client_contract.py", "-k", "typescript")),
        (ROOT, (sys.executable, "-m", "clients.crash")),
        (ROOT, (sys.executable, "-m", "pytest", "-q", "tests/clients")),
    )
    return max(run(*command, folder=folder, may_fail=True) for folder, command in steps)


sys.exit(main())
