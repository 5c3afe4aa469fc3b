"""The service: its rooms, the REST API before them, and the alarms and dashboards over them."""

from collections.abc import Mapping, Sequence
from itertools import chain

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.constructs.api.checkout_api import DOMAIN_BASE_PATH, PAGES_PATH, CheckoutApi
from infra.constructs.api.domain import Domain
from infra.constructs.api.firewall import Firewall
from infra.constructs.api.rest_api import STAGE, RestApi
from infra.constructs.checkout import Checkout
from infra.constructs.inbound_webhooks import InboundWebhooks
from infra.constructs.monitoring.alarm_topic import AlarmTopic
from infra.constructs.monitoring.alarms import Alarms
from infra.constructs.monitoring.dashboards import BusinessDashboard, MachineryDashboard
from infra.constructs.monitoring.saved_queries import SavedQueries
from infra.constructs.monitoring.symptom import Symptom
from infra.constructs.operators import ConsumedQueue, Operators
from infra.constructs.outbound_webhooks import OutboundWebhooks
from infra.constructs.payments import Payments
from infra.constructs.reconciliation import Reconciliation
from infra.constructs.recovery import Recovery
from infra.constructs.routing import Routing
from infra.constructs.shared.canary import Canaries
from infra.constructs.shared.dependencies_layer import DependenciesLayer
from infra.constructs.shared.egress import FixedEgress
from infra.constructs.shared.encryption_key import key_alarms
from infra.constructs.shared.functions_code import functions_code
from infra.constructs.shared.list_partitions import refuse_fewer_list_partitions
from infra.constructs.shared.platform import Platform
from infra.constructs.shared.room import Room
from infra.constructs.shared.schedules import Schedules
from infra.settings import EnvironmentSettings, FirewallMode
from infra.stacks.data import DataStack


class ServiceStack(Stack):
    """Payments and configuration lie in the data stack.

    A service stack that is created anew has another address, empty queues, the first routing document and no settlement
    files. Payments whose messages were lost with the queues are due in their items, and continue.
    """

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
        platform = self._platform(settings, data)
        routing = Routing(platform)
        outbound = OutboundWebhooks(platform)
        payments = Payments(platform, routing=routing, outbound_webhooks=outbound)
        checkout = Checkout(platform, payments=payments, outbound_webhooks=outbound)
        recovery = Recovery(platform, payments=payments, outbound_webhooks=outbound)
        inbound = InboundWebhooks(platform, payments=payments, outbound_webhooks=outbound)
        reconciliation = Reconciliation(platform, payments=payments, outbound_webhooks=outbound)
        consumed = (
            ConsumedQueue(queue=payments.jobs, consumer=payments.worker),
            ConsumedQueue(queue=payments.slow_jobs, consumer=payments.worker),
            ConsumedQueue(queue=inbound.queue, consumer=inbound.provider_events),
            ConsumedQueue(queue=outbound.queue, consumer=outbound.deliverer),
            ConsumedQueue(queue=outbound.slow_queue, consumer=outbound.deliverer),
            ConsumedQueue(queue=reconciliation.runs, consumer=reconciliation.reconciler),
        )
        operators = Operators(platform, routing=routing, queues=consumed)
        rooms = (payments, checkout, recovery, inbound, outbound, operators, reconciliation, routing)
        api = RestApi(
            self,
            "RestApi",
            handler=payments.api.alias,
            handlers={"receiveWebhook": inbound.receiver.alias},
            authorizer=payments.authorizer.alias,
            key=data.key,
            settings=settings,
        )
        checkout.log_after(api.log_account)
        if settings.firewall is not FirewallMode.OFF:
            self._filter_requests(settings, data, api, checkout.api)
        domain = None
        if settings.domain is not None:
            domain = Domain(self, "Domain", api=api, pages=checkout.api, settings=settings)
        # The first topic had all alarms once, and whoever subscribed to it by hand expects to be woken.
        page = AlarmTopic(self, "AlarmTopic", display_name="PayFlowX pages", key=data.key, subscriber=settings.page_to)
        ticket = AlarmTopic(
            self, "TicketTopic", display_name="PayFlowX tickets", key=data.key, subscriber=settings.ticket_to
        )
        symptoms = data.tables.alarms() | key_alarms() | platform.schedules.alarms()
        symptoms |= data.backups.alarms() if data.backups else {}
        alarms = self._observe(settings, api, checkout.api, rooms, symptoms, page=page, ticket=ticket)
        if settings.canary:
            self._deploy_gradually(payments, checkout, alarms)
        if settings.gradual_routing:
            routing.watch(alarms.success_burns_fast)
        outputs = [part.outputs() for part in (*rooms, api, page, ticket, data.tables)]
        outputs += [part.outputs() for part in (domain, platform.egress) if part is not None]
        for name, value in chain.from_iterable(found.items() for found in outputs):
            CfnOutput(self, name, value=value)
        refuse_fewer_list_partitions(data=data, service=self, count=settings.list_partitions)

    def _platform(self, settings: EnvironmentSettings, data: DataStack) -> Platform:
        egress = FixedEgress(self, "Egress", region=settings.region) if settings.fixed_egress else None
        return Platform(
            scope=self,
            settings=settings,
            key=data.key,
            tables=data.tables,
            cursor_secret=data.cursor_secret,
            checkout_secret=data.checkout_secret,
            code=functions_code(),
            layers=(DependenciesLayer(self, "Dependencies").version,),
            schedules=Schedules(self, "Schedules"),
            egress=egress,
        )

    def _filter_requests(
        self, settings: EnvironmentSettings, data: DataStack, api: RestApi, checkout: CheckoutApi
    ) -> None:
        """Put one web ACL before both APIs."""
        Firewall(
            self,
            "Firewall",
            stages={"OnTheApi": api.api.deployment_stage, "OnTheCheckout": checkout.api.deployment_stage},
            unmanaged_paths=(
                f"/{STAGE}/webhooks/",
                *(f"/{base}{PAGES_PATH}/" for base in (STAGE, DOMAIN_BASE_PATH)),
            ),
            key=data.key,
            settings=settings,
        )

    def _observe(
        self,
        settings: EnvironmentSettings,
        api: RestApi,
        checkout: CheckoutApi,
        rooms: Sequence[Room],
        services: Mapping[str, Symptom],
        *,
        page: AlarmTopic,
        ticket: AlarmTopic,
    ) -> Alarms:
        functions = list(chain.from_iterable(room.functions for room in rooms))
        queues = list(chain.from_iterable(room.queues for room in rooms))
        symptoms = api.alarms() | {
            **services,
            "PageNotDelivered": page.undelivered(pages=False),
            "TicketNotDelivered": ticket.undelivered(pages=True),
        }
        for room in rooms:
            symptoms |= room.alarms()
        environment = settings.name
        alarms = Alarms(
            self,
            "Alarms",
            environment=environment,
            page=page.topic,
            ticket=ticket.topic,
            ticket_alarms=settings.ticket_alarms,
            symptoms=symptoms,
        )
        BusinessDashboard(self, "BusinessDashboard", environment=environment, api=api, checkout=checkout)
        MachineryDashboard(
            self,
            "OperationsDashboard",
            environment=environment,
            queues=queues,
            functions=functions,
            alarms=alarms.all,
        )
        SavedQueries(
            self,
            "SavedQueries",
            environment=environment,
            functions=[function.log_group for function in functions],
            access_log=api.access_log,
            checkout_log=checkout.access_log,
        )
        return alarms

    def _deploy_gradually(self, payments: Payments, checkout: Checkout, alarms: Alarms) -> None:
        """The functions that a merchant or a payer waits for. All others serve what is already accepted."""

        def named(*names: str) -> list[cloudwatch.IAlarm]:
            return [alarms.plain[name] for name in names]

        Canaries(
            self,
            "Canaries",
            watched={
                payments.api: named("ApiErrors", "ApiFunctionErrors"),
                payments.authorizer: named("ApiErrors", "AuthorizerFunctionErrors"),
                payments.worker: named("WorkerFunctionErrors", "SendsPostponed", "JobsDeadLettersNotEmpty"),
                checkout.function: named("CheckoutErrors", "CheckoutFunctionErrors"),
            },
        )
