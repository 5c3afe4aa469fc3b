"""What this capability needs from outside."""

from typing import Protocol

from payflowx.domain.routing.routing import RoutingDocument


class RoutingRules(Protocol):
    """The published routing document; may be up to a minute old."""

    def current(self) -> RoutingDocument: ...
