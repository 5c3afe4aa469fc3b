"""A queue that a function works on, and where messages go that five of its invocations could not handle."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.acknowledgements import acknowledge

_MAX_RECEIVES = 5
_VISIBILITY_FACTOR = 6
"""AWS asks for six times the function's timeout, so that a throttled batch is not handed out twice."""


class WorkQueue(Construct):
    """`content` names the queue's messages; the queue's logical id is made from it."""

    def __init__(
        self, scope: Construct, construct_id: str, *, content: str, key: kms.IKey, consumer_timeout: Duration
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            data_key_reuse=Duration.hours(1),
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=RemovalPolicy.DESTROY,
        )
        acknowledge(self.dead_letters, {"Serverless-SQSRedrivePolicy": "This is the dead-letter queue."})
        self.queue = sqs.Queue(
            self,
            content,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            data_key_reuse=Duration.hours(1),
            enforce_ssl=True,
            retention_period=Duration.days(4),
            visibility_timeout=Duration.seconds(consumer_timeout.to_seconds() * _VISIBILITY_FACTOR),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=_MAX_RECEIVES),
            removal_policy=RemovalPolicy.DESTROY,
        )

    def feed(self, consumer: lambda_.Alias, *, max_concurrency: int) -> None:
        """Batches of ten, at once; only the messages that failed come back."""
        consumer.add_event_source(
            event_sources.SqsEventSource(
                self.queue,
                batch_size=10,
                max_batching_window=Duration.seconds(0),
                report_batch_item_failures=True,
                max_concurrency=max_concurrency,
            )
        )
        acknowledge(
            consumer,
            {"Serverless-LambdaEventSourceMappingDestination": "A queue as source has its own dead-letter queue."},
        )
