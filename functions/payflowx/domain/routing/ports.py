"""Port of the published routing document."""

from typing import Protocol

from payflowx.domain.routing.routing import RoutingDocument


class RoutingRules(Protocol):
    """The published routing document; up to a minute old."""

    def current(self) -> RoutingDocument: ...
