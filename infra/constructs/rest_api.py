"""The REST API: routes, authorizer, limits, access log. Bodies are checked by the handler, which answers precisely."""

import json

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.constructs.problem_answers import add_problem_answers
from infra.settings import EnvironmentSettings

STAGE = "v1"
_AUTHORIZER_TTL = Duration.seconds(60)

_ACCESS_LOG_FIELDS = {
    "requestId": "$context.requestId",
    "requestTime": "$context.requestTime",
    "httpMethod": "$context.httpMethod",
    "resourcePath": "$context.resourcePath",
    "status": "$context.status",
    "merchantId": "$context.authorizer.merchantId",
    "responseLength": "$context.responseLength",
    "latencyMs": "$context.responseLatency",
    "integrationLatencyMs": "$context.integrationLatency",
    "authorizerLatencyMs": "$context.authorizer.latency",
    "sourceIp": "$context.identity.sourceIp",
    "errorType": "$context.error.responseType",
    "xrayTraceId": "$context.xrayTraceId",
}
"""No path, query, header or body: a client might put there what must not be logged."""

_NO_VALIDATION = "The handler validates and answers precisely; the models document the API."
_PUBLIC = "Health and the API's own description need no key."
_SIGNED = "Providers sign their webhooks; the function checks that over the raw bytes."
_OWN_AUTHORIZER = "Merchants authenticate with API keys by our own authorizer, not with Cognito users."


class RestApi(Construct):
    """Regional; TLS by the service."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        handler: lambda_.Alias,
        webhooks: lambda_.Alias,
        authorizer: lambda_.Alias,
        key: kms.IKey,
        settings: EnvironmentSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self.access_log = logs.LogGroup(
            self,
            "AccessLog",
            retention=settings.log_retention,
            encryption_key=key,
            removal_policy=settings.removal_policy,
        )
        self.api = apigateway.RestApi(
            self,
            "Api",
            description="PayFlowX",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=False,
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                throttling_rate_limit=settings.api_rate_per_second,
                throttling_burst_limit=settings.api_burst,
                access_log_destination=apigateway.LogGroupLogDestination(self.access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_ACCESS_LOG_FIELDS)),
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,
                metrics_enabled=True,
                tracing_enabled=True,
            ),
        )
        self._let_the_account_log()
        self._integration = apigateway.LambdaIntegration(handler, allow_test_invoke=False)
        self._webhooks = apigateway.LambdaIntegration(webhooks, allow_test_invoke=False)
        self._authorizer = apigateway.RequestAuthorizer(
            self,
            "ApiKey",
            handler=authorizer,
            identity_sources=[apigateway.IdentitySource.header("Authorization")],
            results_cache_ttl=_AUTHORIZER_TTL,
        )
        self._add_routes()
        add_problem_answers(self.api)
        self._acknowledge(settings)

    def _let_the_account_log(self) -> None:
        """API Gateway logs under one role an account and region; without it a stage with logs fails to deploy.

        Kept when the stack goes: other APIs of the account may log under it.
        """
        role = iam.Role(
            self,
            "LogRole",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            description="API Gateway: write access and execution logs",
        )
        actions = (
            "CreateLogGroup",
            "CreateLogStream",
            "DescribeLogGroups",
            "DescribeLogStreams",
            "PutLogEvents",
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=[f"logs:{action}" for action in (*actions, "GetLogEvents", "FilterLogEvents")],
                resources=["*"],
            )
        )
        acknowledge(
            role,
            {"AwsSolutions-IAM5[Resource::*]": "API Gateway demands a role that may write to any log group."},
        )
        account = apigateway.CfnAccount(self, "Account", cloud_watch_role_arn=role.role_arn)
        account.apply_removal_policy(RemovalPolicy.RETAIN)
        account.node.add_dependency(role)
        self.api.deployment_stage.node.add_dependency(account)

    def _add_routes(self) -> None:
        payment = self.api.add_model(
            "NewPayment", content_type="application/json", model_name="NewPayment", schema=_NEW_PAYMENT
        )
        payments = self.api.root.add_resource("payments")
        one = payments.add_resource("{transactionId}")
        self._guarded(payments, "POST", request_models={"application/json": payment})
        self._guarded(payments, "GET")
        self._guarded(one, "GET")
        self._guarded(one.add_resource("events"), "GET")
        for resource in ("cancel", "capture", "refunds"):
            self._guarded(one.add_resource(resource), "POST")
        operations = one.add_resource("operations")
        self._guarded(operations, "GET")
        self._guarded(operations.add_resource("{operationId}"), "GET")
        self._open(self.api.root.add_resource("health"), "GET", self._integration, _PUBLIC)
        self._open(self.api.root.add_resource("openapi.json"), "GET", self._integration, _PUBLIC)
        accounts = self.api.root.add_resource("webhooks").add_resource("{provider}").add_resource("{accountToken}")
        self._open(accounts, "POST", self._webhooks, _SIGNED)
        self._add_webhook_routes()

    def _add_webhook_routes(self) -> None:
        """Webhooks to merchants: where, and of what."""
        endpoints = self.api.root.add_resource("webhook-endpoints")
        one = endpoints.add_resource("{endpointId}")
        self._guarded(endpoints, "POST")
        self._guarded(endpoints, "GET")
        self._guarded(one, "DELETE")
        self._guarded(one.add_resource("rotate-secret"), "POST")
        events = self.api.root.add_resource("events")
        self._guarded(events, "GET")
        self._guarded(events.add_resource("{eventId}").add_resource("redeliver"), "POST")

    def _guarded(
        self,
        resource: apigateway.Resource,
        method: str,
        *,
        request_models: dict[str, apigateway.IModel] | None = None,
    ) -> None:
        added = resource.add_method(
            method,
            self._integration,
            authorizer=self._authorizer,
            authorization_type=apigateway.AuthorizationType.CUSTOM,
            request_models=request_models,
        )
        acknowledge(added, {"AwsSolutions-COG4": _OWN_AUTHORIZER})

    @staticmethod
    def _open(
        resource: apigateway.Resource, method: str, integration: apigateway.LambdaIntegration, reason: str
    ) -> None:
        added = resource.add_method(method, integration, authorization_type=apigateway.AuthorizationType.NONE)
        acknowledge(added, {"AwsSolutions-APIG4": reason, "AwsSolutions-COG4": reason})

    def _acknowledge(self, settings: EnvironmentSettings) -> None:
        acknowledge(self.api, {"AwsSolutions-APIG2": _NO_VALIDATION})
        if not settings.firewall:
            reason = "This environment's settings leave the web ACL out: it holds no real money."
            acknowledge(self.api.deployment_stage, {"AwsSolutions-APIG3": reason})


_S = apigateway.JsonSchemaType
_P = apigateway.JsonSchema
_TEXT = _P(type=_S.STRING)
_NEW_PAYMENT = _P(
    schema=apigateway.JsonSchemaVersion.DRAFT4,
    title="NewPayment",
    type=_S.OBJECT,
    required=["amount", "currency", "paymentMethod"],
    additional_properties=False,
    properties={
        "amount": _P(type=_S.INTEGER, minimum=1, maximum=999_999_999_999, description="Minor units"),
        "currency": _P(type=_S.STRING, pattern="^[A-Z]{3}$"),
        "paymentMethod": _P(
            type=_S.OBJECT,
            required=["type"],
            additional_properties=False,
            properties={"type": _TEXT, "token": _TEXT, "tokens": _P(type=_S.OBJECT)},
        ),
        "capture": _P(type=_S.STRING, enum=["automatic", "manual"]),
        "customer": _P(type=_S.OBJECT),
        "description": _TEXT,
        "metadata": _P(type=_S.OBJECT),
        "returnUrl": _TEXT,
        "idempotencyKey": _TEXT,
    },
)
