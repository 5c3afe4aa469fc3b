"""A room: one capability of the service with its functions, queues, rights, alarms and outputs."""

from collections.abc import Sequence

from infra.constructs.monitoring.symptom import Symptom
from infra.constructs.shared.function import PayFlowXFunction
from infra.constructs.shared.work_queue import WorkQueue


class Room:
    """Not a CDK construct: its parts lie in the stack itself, so no logical id holds the name of a room.

    A function can therefore move to another room, and a room can be renamed, without a resource being replaced.
    """

    functions: Sequence[PayFlowXFunction] = ()
    """The functions with alarms, graphs and searched logs."""
    queues: Sequence[WorkQueue] = ()
    """The queues that the room's functions consume."""

    def symptoms(self) -> dict[str, Symptom]:
        """Alarms on the capability's own metrics, by name."""
        return {}

    def alarms(self) -> dict[str, Symptom]:
        """All alarms of the room, by name."""
        found = self.symptoms()
        for queue in self.queues:
            found |= queue.alarms()
        for function in self.functions:
            found |= function.alarms()
        return found

    def outputs(self) -> dict[str, str]:
        """Outputs of the stack, by name: the queues' addresses, and what a room adds."""
        return {name: value for queue in self.queues for name, value in queue.outputs().items()}
