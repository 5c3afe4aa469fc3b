"""Files that must agree with each other: lock files, the Makefile and what calls it."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = (
    "functions/requirements.txt",
    "requirements.txt",
    "requirements-local.txt",
    "requirements-dev.txt",
    "requirements-browser.txt",
)
"""Each is installed together with the ones before it."""


def pins(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text()
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ \\;]+)", text, re.MULTILINE))


def makefile_list(name: str) -> list[str]:
    (words,) = re.findall(rf"^{name} := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return str(words).split()


def test_a_package_has_one_version_in_all_locks() -> None:
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        for package, version in pins(lock).items():
            versions.setdefault(package, set()).add(version)
    assert {package: found for package, found in versions.items() if len(found) > 1} == {}


def test_every_package_of_a_lock_has_hashes() -> None:
    for lock in [path.name for path in ROOT.glob("requirements*.txt")] + [LOCKS[0]]:
        blocks = re.split(r"^(?=[a-z0-9])", (ROOT / lock).read_text(), flags=re.MULTILINE)
        without = [block.split()[0] for block in blocks if "==" in block and "--hash=sha256:" not in block]
        assert without == [], lock


def test_the_stubs_are_those_of_boto3() -> None:
    locked = pins("requirements-dev.txt")
    assert locked["boto3-stubs"] == locked["boto3"]


def test_the_nightly_workflow_runs_what_make_nightly_runs() -> None:
    workflow = (ROOT / ".github" / "workflows" / "nightly.yml").read_text()
    (targets,) = re.findall(r"target: \[(.*)\]", workflow)
    assert targets.split(", ") == makefile_list("NIGHTLY")


def test_every_target_that_is_run_by_name_exists() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {*makefile_list("GATE"), *makefile_list("GATE_ALONE"), *makefile_list("NIGHTLY")}
    for workflow in (ROOT / ".github").rglob("*.yml"):
        named |= set(re.findall(r"run: make ([a-z0-9-]+)", workflow.read_text()))
    assert named - targets == set()


def test_every_action_of_others_is_pinned_by_the_hash_of_a_commit() -> None:
    """A tag can be moved to other code, which would then run with a job's rights."""
    used = [
        (path.name, action)
        for path in (ROOT / ".github").rglob("*.yml")
        for action in re.findall(r"uses: (\S+)", path.read_text())
        if not action.startswith("./")
    ]
    assert len(used) > 10
    assert [one for one in used if not re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", one[1])] == []


def test_only_jobs_that_deploy_may_ask_for_the_deployments_role() -> None:
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        text = path.read_text()
        assert re.search(r"^permissions:\n  contents: read\n", text, re.MULTILINE), path.name
        if "id-token: write" in text:
            assert "pull_request" not in text, f"{path.name}: code of a pull request would deploy"


def test_a_name_that_others_choose_never_becomes_a_part_of_a_command() -> None:
    """`${{ }}` in a command is text of the command: a branch's name may hold one."""
    for path in (ROOT / ".github").rglob("*.yml"):
        for command in re.findall(r"run: (?:\|\n((?:\s{10,}.*\n)+)|(.*))", path.read_text()):
            assert "${{" not in "".join(command), path.name
    makefile = (ROOT / "Makefile").read_text()
    for name in ("BRANCH", "API_URL", "ACCOUNT", "PAGE_TO", "TICKET_TO"):
        assert f"$({name})" not in makefile, name


@pytest.mark.parametrize(("forbidden", "is_moved"), [(None, True), ("1", False)])
def test_bytecode_is_looked_for_elsewhere_only_where_it_may_be_written(
    forbidden: str | None, *, is_moved: bool
) -> None:
    """Else each process compiles the standard library and all packages, which hold their bytecode already."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MAKE", "MFLAGS"))
    }
    if forbidden:
        environment["PYTHONDONTWRITEBYTECODE"] = forbidden
    command = ["make", "--print-data-base", "--question", "help"]
    database = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False).stdout
    assert (f"PYTHONPYCACHEPREFIX := {ROOT}/.local/bytecode" in database) is is_moved
