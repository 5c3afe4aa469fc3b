"""A queue with one consumer, and its dead-letter queue for messages that failed five times."""

from aws_cdk import Duration, Names, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.constructs.monitoring.symptom import Symptom

_ALARM_PERIOD = Duration.minutes(1)
_MAX_RECEIVES = 5
_BATCH_SIZE = 10
_SLOWEST_BATCH = Duration.seconds(15)
"""A call of a provider ends within 12 s, a post to a merchant within 15 s."""
_VISIBILITY_FACTOR = 6
"""AWS recommends six times the function's timeout, so that a throttled batch is not delivered twice."""


class WorkQueue(Construct):
    """`content` names the queue's messages: its logical id, its alarms, its outputs and its variables bear that word.

    `impairs_payments` makes its oldest message a part of the alarm PaymentsImpaired, which wakes an operator.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        content: str,
        key: kms.IKey,
        consumer_timeout: Duration,
        impairs_payments: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        self.content = content
        self._impairs_payments = impairs_payments
        self._max_concurrency = 0
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

    @property
    def variable(self) -> str:
        """The environment variable in which a function that may send here reads the queue's address."""
        return f"{self.content.upper()}_QUEUE_URL"

    @property
    def late_at(self) -> int:
        """The number of messages that its consumer takes in a minute if every call is as slow as it may be.

        With more of them a message may wait for longer than a minute, and the sweeper adds none.
        """
        return self._max_concurrency * _BATCH_SIZE * int(60 / _SLOWEST_BATCH.to_seconds())

    def feed(self, consumer: lambda_.Alias, *, max_concurrency: int) -> None:
        """Hand batches of up to ten to the consumer without waiting; only the messages that failed come back."""
        self._max_concurrency += max_concurrency
        # With the id that CDK's own event source has. That one would also grant the use of the key for everything.
        consumer.add_event_source_mapping(
            f"SqsEventSource:{Names.node_unique_id(self.queue.node)}",
            event_source_arn=self.queue.queue_arn,
            batch_size=_BATCH_SIZE,
            max_batching_window=Duration.seconds(0),
            report_batch_item_failures=True,
            max_concurrency=max_concurrency,
        )
        acknowledge(
            consumer,
            {"Serverless-LambdaEventSourceMappingDestination": "The queue itself has a dead-letter queue."},
        )

    def alarms(self) -> dict[str, Symptom]:
        """Dead letters, and messages that wait for long."""
        return {
            f"{self.content}DeadLettersNotEmpty": Symptom(
                metric=self.dead_letters.metric_approximate_number_of_messages_visible(
                    statistic="Maximum", period=_ALARM_PERIOD
                ),
                threshold=1,
                runbook="dead-letters",
                says="A message failed five times and is in the dead-letter queue. No payment is lost.",
            ),
            f"{self.content}OldestMessageAge": Symptom(
                metric=self.queue.metric_approximate_age_of_oldest_message(statistic="Maximum", period=_ALARM_PERIOD),
                threshold=300,
                periods=3,
                runbook="oldest-message",
                says="Messages wait for more than five minutes: the function that reads them is too slow or fails.",
                impairs_payments=self._impairs_payments,
            ),
        }

    def outputs(self) -> dict[str, str]:
        """The addresses of both queues."""
        return {
            f"{self.content}QueueUrl": self.queue.queue_url,
            f"{self.content}DeadLetterQueueUrl": self.dead_letters.queue_url,
        }
