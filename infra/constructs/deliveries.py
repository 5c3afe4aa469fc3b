"""Webhooks to merchants: the queue of events to be told, who may put something there, and who keeps the endpoints."""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.constructs.encryption_key import KEY_ACTIONS
from infra.constructs.function import PayFlowXFunction
from infra.constructs.work_queue import WorkQueue

DELIVERER_TIMEOUT = Duration.seconds(45)
"""A post takes 15 s at most, whatever the merchant's server does; the rest is for reading and writing down."""
_ENDPOINTS_PARTITION = "E#*"


class Deliveries(Construct):
    """Losing a message costs a minute or two: the event's row is due all the same."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        self.queue = WorkQueue(self, "Queue", content="Deliveries", key=key, consumer_timeout=DELIVERER_TIMEOUT)

    def feed(self, deliverer: PayFlowXFunction, *, max_concurrency: int) -> None:
        """Start delivering."""
        self.queue.feed(deliverer.alias, max_concurrency=max_concurrency)

    def let_wake(self, function: PayFlowXFunction) -> None:
        """Whoever stores a change that merchants are told of wakes the deliverer."""
        function.function.add_environment("DELIVERIES_QUEUE_URL", self.queue.queue.queue_url)
        self._allow(function, ["sqs:SendMessage"], self.queue.queue.queue_arn)
        self._allow(function, list(KEY_ACTIONS), self._key.key_arn)

    def let_keep_endpoints(self, function: PayFlowXFunction, configuration: dynamodb.TableV2) -> None:
        """The items of endpoints, and no other item of that table: merchants and their API keys lie there too."""
        function.function.add_environment("ENCRYPTION_KEY_ARN", self._key.key_arn)
        function.role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["dynamodb:GetItem", "dynamodb:PutItem"],
                resources=[configuration.table_arn],
                conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [_ENDPOINTS_PARTITION]}},
            )
        )
        self._allow(function, list(KEY_ACTIONS), self._key.key_arn)

    @staticmethod
    def _allow(function: PayFlowXFunction, actions: list[str], resource: str) -> None:
        function.role.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
