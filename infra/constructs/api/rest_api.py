"""The REST API: routes, authorizer, limits and access log. The handler validates bodies: its answers are more exact."""

import json
from collections.abc import Mapping
from typing import cast

from aws_cdk import CfnResource, Duration, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_xray as xray
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.constructs.api.gateway_responses import add_gateway_responses
from infra.constructs.api.openapi import Model, Route, routes
from infra.constructs.api.tls import require_new_tls
from infra.constructs.api.usage_plans import UsagePlans
from infra.constructs.monitoring.symptom import Symptom
from infra.settings import EnvironmentSettings, FirewallMode

STAGE = "v1"
_JSON = "application/json"
_WEBHOOKS = "/webhooks/{provider}/{accountToken}/POST"
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
"""No path, query, header or body: a client might put a secret or personal data there."""

_NO_VALIDATION = "The handler validates and answers precisely; the models document the API."
_OPEN = "Health and the API's description need no key; providers sign their webhooks, and the receiver verifies them."
_OWN_AUTHORIZER = "Merchants authenticate with API keys at our own authorizer, not as Cognito users."


class RestApi(Construct):
    """Regional, TLS only. Its routes are those of `docs/openapi.json`.

    `handlers` maps an operation's id to the function that serves it; `handler` serves all others.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        handler: lambda_.Alias,
        handlers: Mapping[str, lambda_.Alias],
        authorizer: lambda_.Alias,
        key: kms.IKey,
        settings: EnvironmentSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self.name = f"payflowx-{settings.name}"
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
            # Metrics bear the name: without the environment in it, all environments of an account would share them.
            rest_api_name=self.name,
            description="PayFlowX",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=False,
            # From the authorizer's answer alone: nobody chooses a throttle by sending a header.
            api_key_source_type=apigateway.ApiKeySourceType.AUTHORIZER if settings.usage_plans else None,
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                throttling_rate_limit=settings.api_rate_per_second,
                throttling_burst_limit=settings.api_burst,
                access_log_destination=apigateway.LogGroupLogDestination(self.access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_ACCESS_LOG_FIELDS)),
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,
                # Metrics of each method are billed one by one, and no alarm or graph reads them.
                metrics_enabled=False,
                tracing_enabled=True,
                # Merchants' requests and providers' webhooks have limits of their own.
                method_options={
                    _WEBHOOKS: apigateway.MethodDeploymentOptions(
                        throttling_rate_limit=settings.webhook_rate_per_second,
                        throttling_burst_limit=2 * settings.webhook_rate_per_second,
                        # A method with settings of its own inherits none of the above.
                        logging_level=apigateway.MethodLoggingLevel.ERROR,
                        data_trace_enabled=False,
                        metrics_enabled=False,
                    )
                },
            ),
        )
        require_new_tls(self.api)
        self._let_the_account_log()
        self._record_a_share()
        self._authorizer = apigateway.RequestAuthorizer(
            self,
            "ApiKey",
            handler=authorizer,
            identity_sources=[apigateway.IdentitySource.header("Authorization")],
            results_cache_ttl=_AUTHORIZER_TTL,
        )
        self._models: dict[str, apigateway.Model] = {}
        self._add_routes(handler, handlers)
        if settings.usage_plans is not None:
            UsagePlans(self, "UsagePlans", api=self.api, plans=settings.usage_plans, settings=settings)
        add_gateway_responses(self.api)
        self._acknowledge()

    def _let_the_account_log(self) -> None:
        """Set the role under which API Gateway logs; it has one for each account and region.

        Without it a stage with logs fails to deploy. Setting and role outlive the stack: the last API that was deployed
        decides for all of the account, and without the role all of them would stop logging without an error.
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
            {"AwsSolutions-IAM5[Resource::*]": "API Gateway requires a role that may write to any log group."},
        )
        account = apigateway.CfnAccount(self, "Account", cloud_watch_role_arn=role.role_arn)
        for kept in (account, *(node for node in role.node.find_all() if isinstance(node, CfnResource))):
            kept.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
        account.node.add_dependency(role)
        self.api.deployment_stage.node.add_dependency(account)
        self.log_account = account
        """Another stage with logs must wait for it."""

    def _record_a_share(self) -> None:
        """Without a rule X-Ray records the first request of each second, which is most of a million payments a month.

        The API's stage decides for the functions and queues behind it. A function that a schedule starts has nobody
        before it, and Lambda then applies its own rule, which cannot be changed.
        """
        xray.CfnSamplingRule(
            self,
            "TracedShare",
            sampling_rule=xray.CfnSamplingRule.SamplingRuleProperty(
                rule_name=self.name,
                priority=100,
                reservoir_size=0,
                fixed_rate=self._settings.traced_share,
                service_name=f"{self.name}/{STAGE}",
                service_type="AWS::ApiGateway::Stage",
                host="*",
                http_method="*",
                url_path="*",
                resource_arn="*",
                version=1,
            ),
        )

    def _add_routes(self, handler: lambda_.Alias, handlers: Mapping[str, lambda_.Alias]) -> None:
        default = apigateway.LambdaIntegration(handler, allow_test_invoke=False)
        integrations = {
            operation_id: apigateway.LambdaIntegration(alias, allow_test_invoke=False)
            for operation_id, alias in handlers.items()
        }
        found = list(routes())
        unknown = set(handlers) - {route.operation_id for route in found}
        if unknown:
            raise ValueError(f"docs/openapi.json has no operation {', '.join(sorted(unknown))}")
        for route in found:
            self._add_route(route, integrations.get(route.operation_id, default))

    def _add_route(self, route: Route, integration: apigateway.LambdaIntegration) -> None:
        resource = self.api.root.resource_for_path(route.path)
        models = {_JSON: self._model(route.body)} if route.body else None
        if route.needs_api_key:
            method = resource.add_method(
                route.method,
                integration,
                authorizer=self._authorizer,
                authorization_type=apigateway.AuthorizationType.CUSTOM,
                # A route without the authorizer has nobody who names a plan, so it must never require a key.
                api_key_required=True if self._throttles_merchants else None,
                request_models=models,
            )
            acknowledge(method, {"AwsSolutions-COG4": _OWN_AUTHORIZER})
        else:
            method = resource.add_method(
                route.method,
                integration,
                authorization_type=apigateway.AuthorizationType.NONE,
                request_models=models,
            )
            acknowledge(method, {"AwsSolutions-APIG4": _OPEN, "AwsSolutions-COG4": _OPEN})

    @property
    def _throttles_merchants(self) -> bool:
        return self._settings.usage_plans is not None and self._settings.usage_plans.required

    def _model(self, model: Model) -> apigateway.Model:
        """Routes with the same body share a model."""
        if model.name not in self._models:
            made = self.api.add_model(
                model.name,
                content_type=_JSON,
                model_name=model.name,
                schema=apigateway.JsonSchema(type=apigateway.JsonSchemaType.OBJECT),
            )
            # CDK's JsonSchema would have to be built property by property; CloudFormation takes the schema as it is.
            cast("apigateway.CfnModel", made.node.default_child).schema = model.schema
            self._models[model.name] = made
        return self._models[model.name]

    def _acknowledge(self) -> None:
        acknowledge(self.api, {"AwsSolutions-APIG2": _NO_VALIDATION})
        if self._settings.firewall is FirewallMode.OFF:
            reason = "This environment's settings leave the web ACL out: it holds no real money."
            acknowledge(self.api.deployment_stage, {"AwsSolutions-APIG3": reason})

    def metric(self, name: str, statistic: str) -> cloudwatch.Metric:
        """One of API Gateway's metrics, over five minutes.

        The names are written out: a reference to the stage would make everything that reads a metric wait for the
        functions, and the routing document's environment, which the functions wait for, reads an alarm.
        """
        return cloudwatch.Metric(
            namespace="AWS/ApiGateway",
            metric_name=name,
            dimensions_map={"ApiName": self.name, "Stage": STAGE},
            statistic=statistic,
            period=Duration.minutes(5),
        )

    def alarms(self) -> dict[str, Symptom]:
        """Errors and latency, as clients see them."""
        return {
            "ApiErrors": Symptom(
                # The metric is 0 or 1 for each request, so its average is the error rate.
                metric=self.metric("5XXError", "Average"),
                threshold=0.01,
                periods=2,
                runbook="api-errors",
                says="More than one percent of the requests fail with a server error.",
                impairs_payments=True,
            ),
            "ApiLatency": Symptom(
                metric=self.metric("Latency", "p99"),
                threshold=self._settings.latency_alarm.to_milliseconds(),
                periods=3,
                runbook="api-latency",
                says="One request in a hundred takes longer than the limit of this environment.",
            ),
        }

    def outputs(self) -> dict[str, str]:
        """The API's address and id."""
        return {"ApiUrl": self.api.url, "ApiId": self.api.rest_api_id}
