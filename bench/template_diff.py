"""Prints what this checkout changes in the synthesized templates: `python -m bench.template_diff origin/main`.

The base is synthesized in a git worktree with this checkout's packages; the CDK CLI compares template with template, so
that no AWS account is asked for anything.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".local"
BASE = STATE / "base"
REPORT = STATE / "cdk-diff.txt"
GIVEN = {
    "prod.account": "111122223333",
    "prod.page-to": "https://events.example.com/payflowx",
    "prod.ticket-to": "payments-team@example.com",
}
"""Without these production refuses to be synthesized. Examples: no difference depends on them."""
CLI = ROOT / "node_modules" / ".bin" / "cdk"


def main(base: str) -> int:
    """Exit status 0 whatever changed: the difference is for the reviewer's eyes."""
    run("git", "worktree", "remove", "--force", str(BASE), check=False, capture=True)
    run("git", "worktree", "add", "--quiet", "--detach", str(BASE), base)
    try:
        (BASE / ".local").mkdir(exist_ok=True)
        (BASE / ".local" / "wheels").symlink_to(STATE / "wheels")
        before, after = synthesized(BASE), synthesized(ROOT)
        parts = [difference(name, before, after) for name in sorted(before.keys() | after.keys())]
    finally:
        run("git", "worktree", "remove", "--force", str(BASE), check=False)
    REPORT.write_text("\n".join(parts))
    print(REPORT.read_text())
    return 0


def synthesized(checkout: Path) -> dict[str, Path]:
    """Every stack's template by its path in the application, such as `Dev/Data`."""
    output = STATE / "diff" / ("base" if checkout == BASE else "head")
    shutil.rmtree(output, ignore_errors=True)
    app = ("--app", f"{sys.executable} app.py", "--output", str(output))
    given = [word for key, value in GIVEN.items() for word in ("--context", f"{key}={value}")]
    run(str(CLI), "synth", "--quiet", *app, *given, "*/*", cwd=checkout)
    found = {}
    for manifest in output.glob("assembly-*/manifest.json"):
        for artifact in json.loads(manifest.read_text())["artifacts"].values():
            if artifact["type"] == "aws:cloudformation:stack":
                template = manifest.parent / artifact["properties"]["templateFile"]
                found[artifact["displayName"]] = template
    return found


def difference(name: str, before: dict[str, Path], after: dict[str, Path]) -> str:
    """As `cdk diff` prints it; a stack that only one side has is named."""
    if name not in after or name not in before:
        return f"Stack {name}: {'removed' if name in before else 'new'}"
    app = str(after[name].parent.parent)
    options = ("--no-color", "--exclusively", "--template", str(before[name]))
    done = run(str(CLI), "diff", "--app", app, *options, name, capture=True)
    return done.stdout + done.stderr


def run(*command: str, cwd: Path = ROOT, check: bool = True, capture: bool = False) -> subprocess.CompletedProcess[str]:
    """A command of the checkout."""
    return subprocess.run(command, cwd=cwd, check=check, capture_output=capture, text=True)  # noqa: S603 - our own


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
