"""Models of AWS that take only what botocore would have sent: deployed clients do not check their requests."""

import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import botocore.session
from botocore import xform_name
from botocore.exceptions import ParamValidationError
from botocore.model import ServiceModel, StructureShape
from botocore.validate import ParamValidator

CHECKED_OF_EACH_PLACE: Final = 20
"""How many requests of one line of code are checked. To check all of them would double the time of the unit tests."""

_CHECKED: Final[Counter[tuple[str, int]]] = Counter()


@cache
def _inputs(service: str) -> dict[str, StructureShape]:
    """The shape of each operation's request, by the name of the client's method."""
    model = ServiceModel(botocore.session.get_session().get_service_data(service), service)
    operations = [model.operation_model(name) for name in model.operation_names]
    return {xform_name(each.name): each.input_shape for each in operations if each.input_shape is not None}


def methods_of(service: str) -> frozenset[str]:
    """The names of a client's methods that are operations of the service."""
    return frozenset(_inputs(service))


@dataclass
class ValidatedClient:
    """Passes valid requests on to `client`. Raises `ParamValidationError` for any other, as a client with the check."""

    service: str
    client: Any

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)
        if name not in _inputs(self.service):
            return method

        def call(**request: Any) -> Any:
            caller = sys._getframe(1)
            place = (caller.f_code.co_filename, caller.f_lineno)
            if _CHECKED[place] < CHECKED_OF_EACH_PLACE:
                _CHECKED[place] += 1
                check(self.service, name, request)
            return method(**request)

        return call


def check(service: str, method: str, request: dict[str, Any]) -> None:
    """Raises `ParamValidationError` for a request that botocore would not send."""
    report = ParamValidator().validate(request, _inputs(service)[method])
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())
