"""The service: API, functions, queue, schedule, routing, alarms."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import ArnFormat, Aws, CfnOutput, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.constructs.alarm_topic import AlarmTopic
from infra.constructs.alarms import Alarms
from infra.constructs.dashboards import BusinessDashboard, OperationsDashboard
from infra.constructs.deliveries import DELIVERER_TIMEOUT, Deliveries
from infra.constructs.dependencies_layer import DependenciesLayer
from infra.constructs.encryption_key import KEY_ACTIONS
from infra.constructs.firewall import Firewall
from infra.constructs.function import PayFlowXFunction
from infra.constructs.metrics import NAMESPACE
from infra.constructs.reconciliation import TIMEOUT as RECONCILER_TIMEOUT
from infra.constructs.reconciliation import Reconciliation
from infra.constructs.rest_api import RestApi
from infra.constructs.routing_configuration import RoutingConfiguration
from infra.constructs.saved_queries import SavedQueries
from infra.constructs.sweeper_schedule import SweeperSchedule
from infra.constructs.work_queue import WorkQueue
from infra.settings import ROOT, EnvironmentSettings
from infra.stacks.data import DataStack

_WORKER_TIMEOUT = Duration.seconds(30)
"""The domain's lease (45 s) must outlive it; a test compares the two."""
_NOTICES_TIMEOUT = Duration.seconds(20)
"""Batches of webhooks in work at once: providers send them in bursts, and the jobs they cause should not pile up."""


def functions_code() -> lambda_.Code:
    """functions/ as Lambda sees it: the package, and nothing that only developers need."""
    return lambda_.Code.from_asset(
        str(ROOT / "functions"), exclude=["**/__pycache__", "**/*.pyc", "requirements*", ".*"]
    )


_MODULES: Final = {
    "api": "api.handler",
    "authorizer": "api.authorizer",
    "notices": "provider_events",
    "operations": "operators.handler",
    "webhooks": "webhook_receiver",
}
"""Where the handler's module has another name than the service in logs and metrics."""


class ServiceStack(Stack):
    """Holds nothing that could not be deployed anew."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: EnvironmentSettings,
        data: DataStack,
        tags: dict[str, str],
    ) -> None:
        super().__init__(scope, construct_id, termination_protection=settings.production, tags=tags)
        self._settings = settings
        self._data = data
        self._code = functions_code()
        self._layers: list[lambda_.ILayerVersion] = [DependenciesLayer(self, "Dependencies").version]
        self.jobs = WorkQueue(self, "JobsQueue", content="Jobs", key=data.key, consumer_timeout=_WORKER_TIMEOUT)
        self.notices = WorkQueue(
            self, "NoticesQueue", content="Notices", key=data.key, consumer_timeout=_NOTICES_TIMEOUT
        )
        self.routing_validator = self._function(
            "RoutingValidator",
            "routing_validator",
            "Checks a routing document",
            Duration.seconds(10),
            512,
            {},
        )
        self.routing = RoutingConfiguration(
            self, "Routing", validator=self.routing_validator.function, settings=settings
        )
        self.authorizer = self._authorizer()
        self.api_function = self._api_function()
        self.worker = self._worker()
        self.sweeper = self._sweeper()
        self.webhooks = self._webhooks()
        self.notices_function = self._notices_function()
        self.deliverer = self._deliverer()
        self.deliveries = Deliveries(self, "Deliveries", key=data.key)
        self.reconciliation = self._reconciliation()
        self.operations = self._operations()
        self._tell_merchants()
        self.api = RestApi(
            self,
            "RestApi",
            handler=self.api_function.alias,
            webhooks=self.webhooks.alias,
            authorizer=self.authorizer.alias,
            key=data.key,
            settings=settings,
        )
        self.jobs.feed(self.worker.alias, max_concurrency=settings.worker_concurrency)
        self.notices.feed(self.notices_function.alias, max_concurrency=settings.provider_event_concurrency)
        SweeperSchedule(self, "SweeperSchedule", sweeper=self.sweeper.alias)
        if settings.firewall:
            Firewall(self, "Firewall", stage=self.api.api.deployment_stage, key=data.key, settings=settings)
        self._observe()
        self._outputs()

    # -- functions, each with exactly the rights it uses

    def _authorizer(self) -> PayFlowXFunction:
        function = self._function(
            "Authorizer",
            "authorizer",
            "From an API key to a merchant",
            Duration.seconds(5),
            512,
            {"CONFIGURATION_TABLE": self._data.tables.configuration.table_name},
        )
        self._allow_table(function, self._data.tables.configuration, "GetItem")
        return function

    def _api_function(self) -> PayFlowXFunction:
        tables = self._data.tables
        function = self._function(
            "Api",
            "api",
            "Accepts and shows payments",
            Duration.seconds(15),
            1024,
            {
                "TRANSACTIONS_TABLE": tables.transactions.table_name,
                "IDEMPOTENCY_TABLE": tables.idempotency.table_name,
                "CONFIGURATION_TABLE": tables.configuration.table_name,
                "JOBS_QUEUE_URL": self.jobs.queue.queue_url,
                "CURSOR_SECRET_ARN": self._data.cursor_secret.secret_arn,
                **self.routing.identifiers,
            },
        )
        self._allow_table(function, tables.transactions, "GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem")
        self._allow_index(function, "byMerchant")
        self._allow_table(function, tables.idempotency, "GetItem", "PutItem")
        self._allow_table(function, tables.configuration, "Query")
        self._allow_sending(function, self.jobs)
        self._allow_secret(function, self._data.cursor_secret.secret_arn)
        self._allow(
            function,
            ["appconfig:StartConfigurationSession", "appconfig:GetLatestConfiguration"],
            [self.routing.arn],
        )
        return function

    def _worker(self) -> PayFlowXFunction:
        tables = self._data.tables
        function = self._function(
            "Worker",
            "worker",
            "Charges payments and resolves attempts",
            _WORKER_TIMEOUT,
            1024,
            {
                "TRANSACTIONS_TABLE": tables.transactions.table_name,
                "CONFIGURATION_TABLE": tables.configuration.table_name,
                "JOBS_QUEUE_URL": self.jobs.queue.queue_url,
            },
        )
        self._allow_table(function, tables.transactions, "GetItem", "PutItem", "UpdateItem")
        self._allow_table(function, tables.configuration, "Query")
        self._allow_sending(function, self.jobs)
        self._allow_account_secrets(function)
        return function

    def _webhooks(self) -> PayFlowXFunction:
        configuration = self._data.tables.configuration
        function = self._function(
            "Webhooks",
            "webhooks",
            "Takes webhooks of providers in",
            Duration.seconds(10),
            512,
            {"CONFIGURATION_TABLE": configuration.table_name, "NOTICES_QUEUE_URL": self.notices.queue.queue_url},
        )
        self._allow_table(function, configuration, "GetItem", "Query")
        self._allow_sending(function, self.notices)
        self._allow_account_secrets(function)
        return function

    def _notices_function(self) -> PayFlowXFunction:
        tables = self._data.tables
        function = self._function(
            "Notices",
            "notices",
            "Applies webhooks of providers",
            _NOTICES_TIMEOUT,
            512,
            {
                "TRANSACTIONS_TABLE": tables.transactions.table_name,
                "CONFIGURATION_TABLE": tables.configuration.table_name,
                "JOBS_QUEUE_URL": self.jobs.queue.queue_url,
                "NOTICES_QUEUE_URL": self.notices.queue.queue_url,
            },
        )
        self._allow_table(function, tables.transactions, "GetItem", "PutItem", "UpdateItem")
        self._allow_table(function, tables.configuration, "Query")
        self._allow_sending(function, self.jobs)
        self._allow_sending(function, self.notices)
        return function

    def _deliverer(self) -> PayFlowXFunction:
        tables = self._data.tables
        function = self._function(
            "Deliverer",
            "deliverer",
            "Tells merchants of events",
            DELIVERER_TIMEOUT,
            512,
            {
                "TRANSACTIONS_TABLE": tables.transactions.table_name,
                "CONFIGURATION_TABLE": tables.configuration.table_name,
            },
        )
        self._allow_table(function, tables.transactions, "GetItem", "UpdateItem")
        return function

    def _tell_merchants(self) -> None:
        self.deliveries.feed(self.deliverer, max_concurrency=self._settings.delivery_concurrency)
        writers = (self.api_function, self.worker, self.sweeper, self.notices_function, self.operations)
        for waker in (*writers, self.reconciliation.function, self.deliverer):
            self.deliveries.let_wake(waker)
        for keeper in (self.api_function, self.deliverer):
            self.deliveries.let_keep_endpoints(keeper, self._data.tables.configuration)

    def _sweeper(self) -> PayFlowXFunction:
        transactions = self._data.tables.transactions
        function = self._function(
            "Sweeper",
            "sweeper",
            "Wakes what is due",
            Duration.seconds(50),
            512,
            {"TRANSACTIONS_TABLE": transactions.table_name, "JOBS_QUEUE_URL": self.jobs.queue.queue_url},
        )
        self._allow_table(function, transactions, "GetItem", "PutItem", "UpdateItem")
        self._allow_index(function, "due")
        self._allow_sending(function, self.jobs)
        return function

    def _operations(self) -> PayFlowXFunction:
        tables = self._data.tables
        function = self._function(
            "Operations",
            "operations",
            "Operators' commands, invoked with IAM",
            Duration.seconds(30),
            512,
            {
                "TRANSACTIONS_TABLE": tables.transactions.table_name,
                "CONFIGURATION_TABLE": tables.configuration.table_name,
                "JOBS_QUEUE_URL": self.jobs.queue.queue_url,
                **self._operators_environment(),
            },
        )
        self._allow_table(
            function, tables.configuration, "GetItem", "Query", "PutItem", "UpdateItem", "ConditionCheckItem"
        )
        self._allow_table(function, tables.transactions, "GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem")
        self._allow_sending(function, self.jobs)
        self._allow_operators(function)
        return function

    # -- operators: dead letters, credentials, routing

    def _operators_environment(self) -> dict[str, str]:
        queues = {
            f"{name}_{what}": value
            for name, (queue, consumer) in self._work_queues().items()
            for what, value in (
                ("QUEUE_URL", queue.queue.queue_url),
                ("DEAD_LETTERS_URL", queue.dead_letters.queue_url),
                ("LOG_GROUP", consumer.log_group.log_group_name),
            )
        }
        return {
            **queues,
            "ACCOUNT_SECRETS_KEY_ARN": self._data.key.key_arn,
            "ROUTING_STRATEGY": self.routing.strategy.deployment_strategy_id,
            **self.routing.identifiers,
        }

    def _work_queues(self) -> Mapping[str, tuple[WorkQueue, PayFlowXFunction]]:
        """Every queue with the function that works on it, as the operators' commands name them."""
        return {
            "JOBS": (self.jobs, self.worker),
            "NOTICES": (self.notices, self.notices_function),
            "DELIVERIES": (self.deliveries.queue, self.deliverer),
            "RUNS": (self.reconciliation.runs, self.reconciliation.function),
        }

    def _allow_operators(self, function: PayFlowXFunction) -> None:
        self._allow_index(function, "byMerchant")
        self._allow_index(function, "due")
        for queue, _ in self._work_queues().values():
            self._allow_sending(function, queue)
            self._allow(function, ["sqs:GetQueueAttributes"], [queue.queue.queue_arn])
            self._allow(
                function,
                [
                    "sqs:ReceiveMessage",
                    "sqs:DeleteMessage",
                    "sqs:ChangeMessageVisibility",
                    "sqs:GetQueueAttributes",
                    "sqs:PurgeQueue",
                ],
                [queue.dead_letters.queue_arn],
            )
        for _, source in self._work_queues().values():
            # AWS names a log group with `:*` at its end, some of its documentation and the local engine without.
            bare = self.format_arn(
                service="logs",
                resource="log-group",
                resource_name=source.log_group.log_group_name,
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            )
            self._allow(function, ["logs:FilterLogEvents"], [source.log_group.log_group_arn, bare])
        self._allow_account_secrets(function, "CreateSecret", "PutSecretValue")
        self._allow_publishing(function)

    def _allow_publishing(self, function: PayFlowXFunction) -> None:
        self._allow(
            function,
            [
                "appconfig:CreateHostedConfigurationVersion",
                "appconfig:GetHostedConfigurationVersion",
                "appconfig:ListDeployments",
                "appconfig:StartDeployment",
                "appconfig:StopDeployment",
            ],
            self.routing.administered,
        )
        numbered = [arn for arn in self.routing.administered if arn.endswith("/*")]
        acknowledge(
            function.role,
            {
                f"AwsSolutions-IAM5[Resource::{self._as_reported(arn)}]": "They are numbered as they are made."
                for arn in numbered
            },
        )

    def _as_reported(self, arn: str) -> str:
        """As the rule packs write an ARN: references in angle brackets."""
        ((_, (_, parts)),) = self.resolve(arn).items()
        return "".join(f"<{part['Ref']}>" if isinstance(part, dict) else part for part in parts)

    def _reconciliation(self) -> Reconciliation:
        reconciliation = Reconciliation(
            self,
            "Reconciliation",
            data=self._data,
            jobs=self.jobs,
            settings=self._settings,
            make_function=lambda environment: self._function(
                "Reconciler",
                "reconciler",
                "Compares our book with the providers'",
                RECONCILER_TIMEOUT,
                512,
                environment,
            ),
        )
        self._allow_account_secrets(reconciliation.function)
        return reconciliation

    def _function(  # noqa: PLR0917 - read as the row of a table
        self,
        construct_id: str,
        module: str,
        description: str,
        timeout: Duration,
        memory_mb: int,
        environment: Mapping[str, str],
    ) -> PayFlowXFunction:
        return PayFlowXFunction(
            self,
            construct_id,
            handler=f"payflowx.entrypoints.{_MODULES.get(module, module)}.handler",
            description=f"PayFlowX: {description}",
            code=self._code,
            layers=self._layers,
            timeout=timeout,
            memory_mb=memory_mb,
            environment={**self._common_environment(module), **environment},
            key=self._data.key,
            settings=self._settings,
        )

    def _common_environment(self, service: str) -> dict[str, str]:
        return {
            "ENVIRONMENT": self._settings.name,
            "API_KEY_MODE": self._settings.api_key_mode,
            "ALLOWED_PROVIDERS": ",".join(self._settings.providers),
            "LOOPBACK_ALLOWED": "true" if self._settings.loopback_allowed else "false",
            "MAX_RETRIES": str(self._settings.max_retries),
            "CHARGE_DEADLINE_HOURS": str(self._settings.charge_deadline_hours),
            "POWERTOOLS_SERVICE_NAME": service,
            "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }

    # -- rights

    @staticmethod
    def _allow(function: PayFlowXFunction, actions: list[str], resources: list[str]) -> None:
        function.role.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=resources))

    def _allow_table(self, function: PayFlowXFunction, table: dynamodb.TableV2, *actions: str) -> None:
        self._allow(function, [f"dynamodb:{action}" for action in actions], [table.table_arn])
        self._allow_key(function)

    def _allow_index(self, function: PayFlowXFunction, index: str) -> None:
        arn = f"{self._data.tables.transactions.table_arn}/index/{index}"
        self._allow(function, ["dynamodb:Query"], [arn])

    def _allow_sending(self, function: PayFlowXFunction, to: WorkQueue) -> None:
        self._allow(function, ["sqs:SendMessage"], [to.queue.queue_arn])
        self._allow_key(function)

    def _allow_secret(self, function: PayFlowXFunction, arn: str, *more: str) -> None:
        """On the identity's side: a grant would write this stack's role into the data stack's key, a cycle."""
        actions = [f"secretsmanager:{action}" for action in ("GetSecretValue", *more)]
        self._allow(function, actions, [arn])
        self._allow_key(function)

    def _allow_account_secrets(self, function: PayFlowXFunction, *more: str) -> None:
        """Providers' credentials and webhook secrets."""
        secrets = f"payflowx/{self._settings.name}/accounts/*"
        self._allow_secret(function, self._secret_arn(secrets), *more)
        acknowledge(
            function.role,
            {
                f"AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:secretsmanager:{self.region}:<AWS::AccountId>"
                f":secret:{secrets}]": "Accounts are added at run time; their secrets share this one prefix."
            },
        )

    def _allow_key(self, function: PayFlowXFunction) -> None:
        self._allow(function, list(KEY_ACTIONS), [self._data.key.key_arn])

    def _secret_arn(self, name: str) -> str:
        return f"arn:{Aws.PARTITION}:secretsmanager:{self.region}:{Aws.ACCOUNT_ID}:secret:{name}"

    # -- seeing

    def _observe(self) -> None:
        topic = AlarmTopic(self, "AlarmTopic", key=self._data.key, email=self._settings.alarm_email)
        self.alarm_topic = topic.topic
        queues = {
            "Jobs": self.jobs,
            "Notices": self.notices,
            "Deliveries": self.deliveries.queue,
            "Runs": self.reconciliation.runs,
        }
        functions = {
            "Authorizer": self.authorizer,
            "Api": self.api_function,
            "Worker": self.worker,
            "Sweeper": self.sweeper,
            "Webhooks": self.webhooks,
            "Notices": self.notices_function,
            "Deliverer": self.deliverer,
            "Operations": self.operations,
            "Reconciler": self.reconciliation.function,
        }
        environment, api = self._settings.name, self.api.api
        alarms = Alarms(
            self,
            "Alarms",
            environment=environment,
            topic=topic.topic,
            queues=queues,
            functions=functions,
            api=api,
            latency_limit=self._settings.latency_alarm,
        )
        BusinessDashboard(self, "BusinessDashboard", environment=environment, api=api)
        OperationsDashboard(
            self,
            "OperationsDashboard",
            environment=environment,
            api=api,
            queues=queues,
            functions=functions,
            alarms=list(alarms.by_name.values()),
        )
        SavedQueries(
            self,
            "SavedQueries",
            environment=environment,
            functions=[function.log_group for function in functions.values()],
            access_log=self.api.access_log,
        )

    def _outputs(self) -> None:
        outputs = {
            "ApiUrl": self.api.api.url,
            "ApiId": self.api.api.rest_api_id,
            "OperationsFunctionName": f"{self.operations.function.function_name}:live",
            "WorkerFunctionName": self.worker.function.function_name,
            "SweeperFunctionName": f"{self.sweeper.function.function_name}:live",
            "JobsQueueUrl": self.jobs.queue.queue_url,
            "JobsDeadLetterQueueUrl": self.jobs.dead_letters.queue_url,
            "NoticesQueueUrl": self.notices.queue.queue_url,
            "NoticesDeadLetterQueueUrl": self.notices.dead_letters.queue_url,
            "DeliveriesQueueUrl": self.deliveries.queue.queue.queue_url,
            "DeliveriesDeadLetterQueueUrl": self.deliveries.queue.dead_letters.queue_url,
            "RunsQueueUrl": self.reconciliation.runs.queue.queue_url,
            "RunsDeadLetterQueueUrl": self.reconciliation.runs.dead_letters.queue_url,
            "ReconcilerFunctionName": f"{self.reconciliation.function.function.function_name}:live",
            "SettlementsBucketName": self.reconciliation.files.bucket_name,
            "AlarmTopicArn": self.alarm_topic.topic_arn,
            "TransactionsTableName": self._data.tables.transactions.table_name,
            "IdempotencyTableName": self._data.tables.idempotency.table_name,
            "ConfigurationTableName": self._data.tables.configuration.table_name,
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
