"""Runs targets of the Makefile, two at a time, and prints the CPU time of each: `python -m bench.gate lint unit`.

The CPU time is that of all processes that a target started and waited for: it hardly depends on what else the machine
does, unlike the time that passes.
"""

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

SIDE_BY_SIDE: Final = 2
_MAKE: Final = ("make", "--no-print-directory")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One target."""

    target: str
    exit_status: int
    wall_seconds: float
    cpu_seconds: float


def main(arguments: list[str]) -> int:
    """Every target runs, whatever becomes of the others. `--alone` starts a group of targets that run one by one."""
    at = arguments.index("--alone") if "--alone" in arguments else len(arguments)
    started = time.monotonic()
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        results = list(pool.map(_run, arguments[:at]))
    results += [_run(target) for target in arguments[at + 1 :]]
    print(_table(results, time.monotonic() - started), flush=True)
    return int(any(result.exit_status for result in results))


def _run(target: str) -> Result:
    """The target's output appears in one piece, when it ends."""
    environment = {
        name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    }
    started = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen([*_MAKE, target], env=environment, stdout=output, stderr=subprocess.STDOUT)  # noqa: S603
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    sys.stdout.write(f"== make {target}\n{text}")
    sys.stdout.flush()
    return Result(
        target=target,
        exit_status=process.returncode,
        wall_seconds=time.monotonic() - started,
        cpu_seconds=usage.ru_utime + usage.ru_stime,
    )


def _table(results: list[Result], wall_seconds: float) -> str:
    lines = ["", f"{'target':<14}{'wall s':>8}{'CPU s':>8}"]
    lines += [
        f"{result.target:<14}{result.wall_seconds:>8.0f}{result.cpu_seconds:>8.0f}"
        + (f"  failed ({result.exit_status})" if result.exit_status else "")
        for result in results
    ]
    lines.append(f"{'all':<14}{wall_seconds:>8.0f}{sum(result.cpu_seconds for result in results):>8.0f}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
