"""Files that must agree with each other: lock files, the Makefile and what calls it."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCKS = (
    "functions/requirements.txt",
    "requirements.txt",
    "requirements-local.txt",
    "requirements-dev.txt",
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
