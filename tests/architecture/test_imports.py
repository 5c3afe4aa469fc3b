"""Arrows point one way. Each rule is one test, which lists all that break it."""

import re
import sys

from tests.architecture.source import PACKAGE, ROOT, arrows, files, imported, named, place_of, table, top_levels

LAYERS = {
    "domain": set(),
    "application": {"domain"},
    "providers": {"domain"},
    "adapters": {"domain", "application"},
    "wiring": {"domain", "application", "adapters", "providers"},
    "entrypoints": {"domain", "application", "adapters", "providers", "wiring"},
}
IMPURE = {"os", "time", "random", "secrets", "uuid", "datetime", "threading", "socket", "subprocess", "logging", "io"}
STANDARD_LIBRARY = set(sys.stdlib_module_names)
BESIDE = {"infra", "local", "sandbox", "testing", "simulation", "bench", "ops", "tests", "aws_cdk"}
"""Folders beside the functions, and the library that only infrastructure may use."""


def room_arrows() -> dict[tuple[str, str], set[str]]:
    """The table of docs/architecture.md."""
    code = re.compile(r"`([\w.]+)`")
    return {
        (code.findall(layer)[0], code.findall(room)[0]): set(code.findall(used))
        for layer, room, used in table("docs/architecture.md", "layer")
    }


def test_layers() -> None:
    offenders = [
        f"{named(path)} uses {layer}"
        for path in files("functions/payflowx")
        for layer, _ in set(arrows(path))
        if layer not in LAYERS.get(place_of(path)[0], set()) | {place_of(path)[0]}
    ]
    assert offenders == []


def test_rooms() -> None:
    allowed = room_arrows()
    offenders = [
        f"{named(path)} uses {layer}.{room}"
        for path in files("functions/payflowx/domain", "functions/payflowx/application")
        for layer, room in set(arrows(path)) - {place_of(path)}
        if room and f"{layer}.{room}" not in allowed.get(place_of(path), set())
    ]
    assert offenders == []


def test_the_table_of_rooms_names_each_room_and_no_arrow_that_nobody_uses() -> None:
    rooms = {
        (layer, room.name)
        for layer in ("domain", "application")
        for room in (PACKAGE / layer).iterdir()
        if room.is_dir() and room.name != "__pycache__"
    }
    assert set(room_arrows()) == rooms
    used: dict[tuple[str, str], set[str]] = {place: set() for place in rooms}
    for path in files("functions/payflowx/domain", "functions/payflowx/application"):
        if place_of(path) in used:
            used[place_of(path)] |= {f"{layer}.{room}" for layer, room in arrows(path) if room}
    idle = {place: allowed - used[place] for place, allowed in room_arrows().items() if allowed - used[place]}
    assert idle == {}


def test_rooms_of_a_layer_form_no_cycle() -> None:
    graph = {place: {tuple(used.split(".")) for used in names} for place, names in room_arrows().items()}
    done: set[tuple[str, str]] = set()
    while ready := {place for place, used in graph.items() if place not in done and used <= done | {place}}:
        done |= ready
    assert set(graph) - done == set()


def test_rules_use_the_standard_library_only_and_nothing_of_the_outside_world() -> None:
    offenders = [
        f"{named(path)} uses {name}"
        for path in files("functions/payflowx/domain", "functions/payflowx/application")
        for name in top_levels(path) - {"payflowx"}
        if name not in STANDARD_LIBRARY or name in IMPURE
    ]
    assert offenders == []


def test_providers_do_no_io() -> None:
    offenders = [
        f"{named(path)} uses {name}"
        for path in files("functions/payflowx/providers")
        for name in top_levels(path) - {"payflowx"}
        if name not in STANDARD_LIBRARY or name in IMPURE - {"datetime"}
    ]
    assert offenders == []


def test_an_entrypoint_uses_one_wiring_and_builds_no_adapter() -> None:
    offenders = []
    for path in files("functions/payflowx/entrypoints"):
        wirings = {name.split(".")[2] for name in imported(path) if name.startswith("payflowx.wiring.")}
        if len(wirings - {"platform", "settings"}) > 1:
            offenders.append(f"{named(path)} uses the wirings {', '.join(sorted(wirings))}")
    assert offenders == []


def test_functions_and_infrastructure_never_import_each_other() -> None:
    offenders = [f"{named(path)} uses payflowx" for path in files("infra") if "payflowx" in top_levels(path)]
    offenders += [
        f"{named(path)} uses {name}" for path in files("functions") for name in sorted(top_levels(path) & BESIDE)
    ]
    assert offenders == []


def test_simulators_know_nothing_of_the_connectors() -> None:
    """They are written from the providers' documents, so that one misreading does not stand on both sides."""
    refused = {"payflowx", "infra", "local"}
    assert [named(path) for path in files("sandbox") if top_levels(path) & refused] == []


def test_the_checker_and_the_models_know_nothing_of_what_they_judge() -> None:
    assert [named(path) for path in files("simulation/checker", "testing") if "payflowx" in top_levels(path)] == []


def test_functions_hold_only_what_lambda_needs() -> None:
    names = {path.name for path in (ROOT / "functions").iterdir()} - {"__pycache__"}
    assert names == {"payflowx", "requirements.txt"}


def test_only_the_wiring_reads_the_environment() -> None:
    offenders = [
        named(path)
        for path in files("functions/payflowx")
        if re.search(r"\bos\.(?:environ|getenv)", path.read_text()) and place_of(path)[0] != "wiring"
    ]
    assert offenders == []


def test_conditions_hold_no_arithmetic() -> None:
    """The local engine computes in conditions, DynamoDB refuses it: store what must be compared."""
    pattern = re.compile(r"(?:ConditionExpression|conditions?\b)[^\n]*[:#]\w+\s[+-]\s[:#]")
    assert [named(path) for path in files("functions") if pattern.search(path.read_text())] == []
