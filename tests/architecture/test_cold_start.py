"""A cold start loads what its function needs, and no more."""

import pytest

from bench.imports import HANDLERS, imported_by


@pytest.mark.parametrize("module", HANDLERS)
def test_a_handler_imports_few_modules_of_ours(module: str) -> None:
    found = imported_by(module)
    assert 5 < found.ours <= HANDLERS[module]


def test_the_authorizer_loads_no_logger_no_telemetry_and_no_provider() -> None:
    import subprocess
    import sys

    from bench.imports import ROOT

    code = "import sys, payflowx.entrypoints.api.authorizer; print(' '.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "functions")},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = done.stdout.split()
    assert "payflowx.wiring.merchants" in loaded
    assert not [name for name in loaded if name.startswith(("aws_lambda_powertools", "payflowx.providers"))]
