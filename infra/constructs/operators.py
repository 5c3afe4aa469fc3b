"""Operators: the function behind the command line, which IAM protects, with its rights over every other room."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import ArnFormat, Aws, Duration, Stack

from infra.constructs.routing import Routing
from infra.constructs.shared.function import PayFlowXFunction
from infra.constructs.shared.platform import PARTITIONS, RETRIES, Platform
from infra.constructs.shared.room import Room
from infra.constructs.shared.work_queue import WorkQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumedQueue:
    """A queue whose dead letters operators read and replay, and the function whose log says why they failed."""

    queue: WorkQueue
    consumer: PayFlowXFunction


class Operators(Room):
    """The function keeps its older name `Operations`: its log group bears it."""

    def __init__(self, platform: Platform, *, routing: Routing, queues: Sequence[ConsumedQueue]) -> None:
        self._platform = platform
        self.function = self._function()
        for consumed in queues:
            self._let_replay(consumed)
        routing.let_publish(self.function)
        self.functions = (self.function,)

    def _function(self) -> PayFlowXFunction:
        tables = self._platform.tables
        function = self._platform.function(
            "Operations",
            handler="operators.handler",
            service="operations",
            reads=("ALLOWED_PROVIDERS", "API_KEY_MODE", "LOOPBACK_ALLOWED", *PARTITIONS, *RETRIES),
            description="Operators' commands, invoked with IAM",
            timeout=Duration.seconds(30),
            calls_out=True,
        )
        function.may_read(tables.configuration, "GetItem", "Query")
        function.may_write(tables.configuration, "PutItem", "UpdateItem")
        function.may_read(tables.transactions, "GetItem", "BatchGetItem", "Query")
        function.may_query(tables.transactions, index="byMerchant")
        function.may_query(tables.transactions, index="due")
        function.may_query(tables.transactions, index="reviews")
        function.may_write(tables.transactions, "PutItem", "UpdateItem")
        function.may_use_account_secrets(store=True)
        function.may_rotate_secret(self._platform.checkout_secret, variable="CHECKOUT_TOKEN_SECRET_ARN")
        function.set_environment(ACCOUNT_SECRETS_KEY_ARN=self._platform.key.key_arn)
        return function

    def _let_replay(self, consumed: ConsumedQueue) -> None:
        """Read and replay dead letters, and search the consumer's log for the reason of their failure."""
        queue, log_group = consumed.queue, consumed.consumer.log_group
        self.function.may_send(queue)
        self.function.allow(["sqs:GetQueueAttributes"], [queue.queue.queue_arn])
        self.function.allow(
            [
                "sqs:ReceiveMessage",
                "sqs:DeleteMessage",
                "sqs:ChangeMessageVisibility",
                "sqs:GetQueueAttributes",
                "sqs:PurgeQueue",
            ],
            [queue.dead_letters.queue_arn],
        )
        # AWS ends the ARN of a log group with `:*`; some of its documentation and the local engine do not.
        bare = Stack.of(self.function).format_arn(
            service="logs",
            resource="log-group",
            resource_name=log_group.log_group_name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
            account=Aws.ACCOUNT_ID,
        )
        self.function.allow(["logs:FilterLogEvents"], [log_group.log_group_arn, bare])
        prefix = queue.content.upper()
        self.function.set_environment(
            **{
                f"{prefix}_DEAD_LETTERS_URL": queue.dead_letters.queue_url,
                f"{prefix}_LOG_GROUP": log_group.log_group_name,
            }
        )

    def outputs(self) -> dict[str, str]:
        """The function that the command line invokes."""
        return {"OperationsFunctionName": f"{self.function.function.function_name}:live"}
