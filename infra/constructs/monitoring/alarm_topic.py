"""A topic that alarms publish to: encrypted, TLS only, with a subscriber if the settings name one."""

from aws_cdk import Aws, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.constructs.monitoring.symptom import Symptom


class AlarmTopic(Construct):
    """It depends on the key's policy, which admits CloudWatch."""

    def __init__(
        self, scope: Construct, construct_id: str, *, display_name: str, key: kms.IKey, subscriber: str | None
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", display_name=display_name, master_key=key, enforce_ssl=True)
        self._admit_alarms()
        if subscriber is not None:
            self._subscribe(subscriber)

    def _admit_alarms(self) -> None:
        """Admit the alarms of this account and region.

        CloudWatch publishes as a service, to which no identity's policy applies, and this policy replaces the default
        one, which would admit the whole account: without the statement no alarm is ever delivered.
        """
        alarms = f"arn:{Aws.PARTITION}:cloudwatch:{Stack.of(self).region}:{Aws.ACCOUNT_ID}:alarm:*"
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Alarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                    "ArnLike": {"aws:SourceArn": alarms},
                },
            )
        )

    def _subscribe(self, subscriber: str) -> None:
        subscription = self.topic.add_subscription(
            subscriptions.UrlSubscription(subscriber)
            if subscriber.startswith("https://")
            else subscriptions.EmailSubscription(subscriber)
        )
        acknowledge(
            subscription,
            {"Serverless-SNSRedrivePolicy": "The other topic reports a notification that was not delivered."},
        )

    def undelivered(self, *, pages: bool) -> Symptom:
        """Notifications that a subscriber did not take. Another topic has to report them: `pages` says which."""
        return Symptom(
            metric=self.topic.metric_number_of_notifications_failed(statistic="Sum", period=Duration.minutes(5)),
            threshold=1,
            runbook="notifications-failed",
            says="A subscriber of the other alarm topic did not take a notification.",
            pages=pages,
        )

    def outputs(self) -> dict[str, str]:
        """The topic's ARN, for further subscriptions."""
        return {f"{self.node.id}Arn": self.topic.topic_arn}
