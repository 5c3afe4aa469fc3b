"""A new version gets a tenth of the work first, and is taken back when an alarm fires meanwhile."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_codedeploy as codedeploy
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.constructs.shared.function import PayFlowXFunction

_MANAGED_POLICY = "service-role/AWSCodeDeployRoleForLambdaLimited"


class Canaries(Construct):
    """`watched` maps a function to the alarms that take its new version back. CloudFormation waits for each canary."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        watched: Mapping[PayFlowXFunction, Sequence[cloudwatch.IAlarm]],
    ) -> None:
        super().__init__(scope, construct_id)
        application = codedeploy.LambdaApplication(self, "Application")
        for function, alarms in watched.items():
            group = codedeploy.LambdaDeploymentGroup(
                self,
                function.node.id,
                application=application,
                alias=function.alias,
                deployment_config=codedeploy.LambdaDeploymentConfig.CANARY_10_PERCENT_5_MINUTES,
                alarms=list(alarms),
                auto_rollback=codedeploy.AutoRollbackConfig(
                    failed_deployment=True, stopped_deployment=True, deployment_in_alarm=True
                ),
            )
            managed = f"arn:<AWS::Partition>:iam::aws:policy/{_MANAGED_POLICY}"
            acknowledge(
                group.role,
                {f"AwsSolutions-IAM4[Policy::{managed}]": "AWS made it for this purpose: aliases and alarms only."},
            )
