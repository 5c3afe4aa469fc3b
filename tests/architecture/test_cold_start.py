"""A cold start loads what its function needs, and no more."""

import subprocess
import sys

import pytest

from bench.imports import HANDLERS, ROOT, imported_by


@pytest.mark.parametrize("module", HANDLERS)
def test_a_handler_imports_few_modules_of_ours(module: str) -> None:
    found = imported_by(module)
    assert 5 < found.ours <= HANDLERS[module]


@pytest.mark.parametrize("module", HANDLERS)
def test_a_function_reads_its_settings_at_its_start(module: str) -> None:
    """A missing one ends the start; with all of them it is ready, without a call to AWS."""
    refused = started(module, {})
    assert "ConfigurationError: environment variables are not set: " in refused.stderr
    missing = refused.stderr.rsplit(": ", 1)[1].strip().split(", ")
    ready = started(module, {**dict.fromkeys(missing, "1"), "ALLOWED_PROVIDERS": "mock"})
    assert ready.returncode == 0, ready.stderr


def started(module: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    lambdas = {"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1"}
    environment = {"PYTHONPATH": str(ROOT / "functions"), **lambdas, **settings}
    command = [sys.executable, "-c", f"import {module}"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_authorizer_loads_no_logger_no_telemetry_and_no_provider() -> None:
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
