"""One environment: the data, the service, and outside production the simulators."""

from aws_cdk import Annotations, Environment, Stage, Tags
from constructs import Construct

from infra.settings import EnvironmentSettings
from infra.stacks.data import DataStack
from infra.stacks.sandbox import SandboxStack
from infra.stacks.service import ServiceStack


class PayFlowXStage(Stage):
    """Deploy it with `cdk deploy "Dev/*"`.

    The CDK CLI refuses stacks with an error among their annotations, and only these: without production's account and
    subscribers, development is deployed all the same.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: EnvironmentSettings) -> None:
        super().__init__(scope, construct_id, env=Environment(account=settings.account, region=settings.region))
        tags = {
            "project": "payflowx",
            "environment": settings.name,
            "owner": settings.owner,
            "data-class": settings.data_class,
        }
        self.data = DataStack(self, "Data", settings=settings, tags=tags)
        self.service = ServiceStack(self, "Service", settings=settings, data=self.data, tags=tags)
        self.sandbox = (
            SandboxStack(self, "Sandbox", settings=settings, data=self.data, tags=tags) if settings.simulated else None
        )
        self.stacks = tuple(stack for stack in (self.data, self.service, self.sandbox) if stack is not None)
        for stack in self.stacks:
            for refusal in settings.refusals:
                Annotations.of(stack).add_error(refusal)
        for name, value in tags.items():
            Tags.of(self).add(name, value)
