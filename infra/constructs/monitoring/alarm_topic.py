"""The topic that alarms publish to: encrypted, TLS only, with a mail subscription if the settings name an address."""

from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct


class AlarmTopic(Construct):
    """It depends on the key's policy, which admits CloudWatch."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey, email: str | None) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", display_name="PayFlowX alarms", master_key=key, enforce_ssl=True)
        if email is not None:
            self.topic.add_subscription(subscriptions.EmailSubscription(email))

    def outputs(self) -> dict[str, str]:
        """The topic's ARN, for further subscriptions."""
        return {"AlarmTopicArn": self.topic.topic_arn}
