"""What a function reads from its environment is what the stack gives it."""

from importlib import import_module
from typing import Any

import pytest

from bench.imports import HANDLERS
from payflowx.domain.shared.errors import ConfigurationError
from payflowx.wiring.platform import Platform
from payflowx.wiring.settings import Settings
from tests.infra.conftest import resources

READ_BY_OTHERS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_LOG_LEVEL"}
"""Powertools reads them itself."""
STAGES = ("Dev", "Staging", "Prod")


def settings_of(handler: str) -> type[Settings]:
    """The settings of the wiring that a handler knows, as annotated on it or on what it extends."""
    for kind in import_module(handler).wiring._make.__self__.__mro__:
        if "settings" in kind.__annotations__:
            found: type[Settings] = kind.__annotations__["settings"]
            return found
    raise AssertionError(f"{handler} has no settings")


def environments(stage: str) -> dict[str, dict[str, Any]]:
    """The variables of each handler's function."""
    functions = resources(f"{stage}-Service", "AWS::Lambda::Function").values()
    found = {f["Handler"].removesuffix(".handler"): f["Environment"]["Variables"] for f in functions}
    return {module: variables for module, variables in found.items() if module.startswith("payflowx.")}


@pytest.mark.parametrize("stage", STAGES)
def test_the_stack_has_these_handlers_and_no_others(stage: str) -> None:
    assert set(environments(stage)) == set(HANDLERS)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("handler", HANDLERS)
def test_a_function_is_given_all_that_it_needs(handler: str, stage: str) -> None:
    assert settings_of(handler).required() <= set(environments(stage)[handler])


@pytest.mark.parametrize("stage", STAGES)
def test_a_function_is_given_nothing_that_it_does_not_read(stage: str) -> None:
    unread = {
        handler: given
        for handler, variables in environments(stage).items()
        if (given := set(variables) - settings_of(handler).known() - READ_BY_OTHERS)
    }
    assert unread == {}


@pytest.mark.parametrize("handler", [h for h in HANDLERS if not h.endswith("routing_validator")])
def test_all_that_is_missing_is_named_at_once(handler: str) -> None:
    kind = import_module(handler).wiring._make.__self__
    with pytest.raises(ConfigurationError) as error:
        kind.over(Platform(environment={}))
    assert str(error.value).startswith("environment variables are not set: ")
    assert set(str(error.value).split(": ")[1].split(", ")) == settings_of(handler).required()


@pytest.mark.parametrize(("text", "valid"), [("3", True), ("three", False), ("", False)])
def test_a_value_that_is_no_number_is_named(text: str, *, valid: bool) -> None:
    from payflowx.wiring.ledger import LedgerWriterSettings

    given = dict.fromkeys(LedgerWriterSettings.required(), "1") | {"MAX_RETRIES": text}
    if valid:
        assert LedgerWriterSettings.from_environment(given).max_retries == 3
    else:
        with pytest.raises(ConfigurationError, match=r"no valid value: MAX_RETRIES$"):
            LedgerWriterSettings.from_environment(given)
