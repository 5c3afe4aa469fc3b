"""The REST API of the payers' pages: a stage of its own, whose addresses bear tokens and are recorded nowhere.

The tokens of a page's address let their bearer pay, so no log, trace or sample may hold them. The stage has no tracing,
which records addresses, and no execution log, which records them with each error. The access log names the route only.
"""

import json
from typing import Final

from aws_cdk import Aws, Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IDependable

from infra.acknowledgements import acknowledge
from infra.constructs.api.page_responses import add_page_responses
from infra.constructs.api.rest_api import STAGE
from infra.constructs.api.tls import require_new_tls
from infra.constructs.monitoring.symptom import Symptom
from infra.settings import EnvironmentSettings, FirewallMode

PAGES_PATH: Final = "/checkout"
DOMAIN_BASE_PATH: Final = "pay"
"""The part of an own domain's path that leads to the pages; API Gateway cuts it off. `v1` leads to the other API."""
ROUTES: Final = (
    f"{PAGES_PATH}/{{token}}",
    f"{PAGES_PATH}/{{token}}/attempts",
    f"{PAGES_PATH}/{{token}}/close",
    f"{PAGES_PATH}/{{token}}/return",
    f"{PAGES_PATH}/assets/{{name}}",
)
"""All methods of each reach the function, which refuses those that a route has not."""

_ACCESS_LOG_FIELDS: Final = {
    "requestId": "$context.requestId",
    "requestTime": "$context.requestTime",
    "httpMethod": "$context.httpMethod",
    "resourcePath": "$context.resourcePath",
    "status": "$context.status",
    "responseLength": "$context.responseLength",
    "latencyMs": "$context.responseLatency",
    "integrationLatencyMs": "$context.integrationLatency",
    "sourceIp": "$context.identity.sourceIp",
    "errorType": "$context.error.responseType",
}
"""No path, query, header or body. `resourcePath` is the route, such as `/checkout/{token}`."""

_OPEN: Final = "The token in a page's address is its bearer's only credential; a payer has no account here."
_NO_VALIDATION: Final = "The handler validates what a payer types, and answers with a sentence at the field."
_NO_EXECUTION_LOG: Final = "An execution log would hold the addresses of pages, whose tokens let their bearer pay."


class CheckoutApi(Construct):
    """Regional, TLS only. `log_account` is what lets API Gateway write logs in this account."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        handler: lambda_.Alias,
        key: kms.IKey,
        settings: EnvironmentSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self._domain = settings.domain
        self.name = f"payflowx-checkout-{settings.name}"
        self.access_log = logs.LogGroup(
            self,
            "AccessLog",
            # It holds payers' IP addresses, for finding the sources of card tests.
            retention=logs.RetentionDays.ONE_MONTH,
            encryption_key=key,
            removal_policy=settings.removal_policy,
        )
        self.api = apigateway.RestApi(
            self,
            "Api",
            rest_api_name=self.name,
            description="PayFlowX: pages of payers",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=False,
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                throttling_rate_limit=settings.checkout_rate_per_second,
                throttling_burst_limit=settings.checkout_burst,
                access_log_destination=apigateway.LogGroupLogDestination(self.access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_ACCESS_LOG_FIELDS)),
                logging_level=apigateway.MethodLoggingLevel.OFF,
                data_trace_enabled=False,
                metrics_enabled=False,
                tracing_enabled=False,
            ),
        )
        require_new_tls(self.api)
        integration = apigateway.LambdaIntegration(handler, allow_test_invoke=False)
        for path in ROUTES:
            method = self.api.root.resource_for_path(path).add_method(
                "ANY", integration, authorization_type=apigateway.AuthorizationType.NONE
            )
            acknowledge(method, {"AwsSolutions-APIG4": _OPEN, "AwsSolutions-COG4": _OPEN})
        add_page_responses(self.api)
        acknowledge(self.api, {"AwsSolutions-APIG2": _NO_VALIDATION})
        acknowledge(
            self.api.deployment_stage,
            {"AwsSolutions-APIG6": _NO_EXECUTION_LOG, "Serverless-APIGWXrayEnabled": "A trace would hold them, too."},
        )
        if settings.firewall is FirewallMode.OFF:
            reason = "This environment's settings leave the web ACL out: it holds no real money."
            acknowledge(self.api.deployment_stage, {"AwsSolutions-APIG3": reason})

    def log_after(self, log_account: IDependable) -> None:
        """Have the stage wait for the account's setting without which API Gateway refuses a stage with logs."""
        self.api.deployment_stage.node.add_dependency(log_account)

    @property
    def pages_url(self) -> str:
        """The address below which the pages lie; under the environment's own domain, where it has one.

        The stage's name is written out: a reference would make the API's function wait for this stage.
        """
        if self._domain is not None:
            return f"https://{self._domain}/{DOMAIN_BASE_PATH}{PAGES_PATH}"
        host = f"{self.api.rest_api_id}.execute-api.{Aws.REGION}.{Aws.URL_SUFFIX}"
        return f"https://{host}/{STAGE}{PAGES_PATH}"

    def metric(self, name: str, statistic: str) -> cloudwatch.Metric:
        """One of API Gateway's metrics, over five minutes."""
        return cloudwatch.Metric(
            namespace="AWS/ApiGateway",
            metric_name=name,
            dimensions_map={"ApiName": self.name, "Stage": STAGE},
            statistic=statistic,
            period=Duration.minutes(5),
        )

    def symptoms(self) -> dict[str, Symptom]:
        """Errors as payers see them."""
        return {
            "CheckoutErrors": Symptom(
                metric=self.metric("5XXError", "Average"),
                threshold=0.01,
                periods=2,
                runbook="checkout-errors",
                says="More than one percent of the requests of payers' pages fail with a server error.",
                impairs_payments=True,
            )
        }

    def outputs(self) -> dict[str, str]:
        """The API's id, and the address below which the pages lie."""
        return {"CheckoutApiId": self.api.rest_api_id, "CheckoutPagesUrl": self.pages_url}
