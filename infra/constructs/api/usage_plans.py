"""Usage plans: a throttle for each merchant that has one, and one that all others share."""

from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from infra.settings import EnvironmentSettings
from infra.usage_plans import OTHERS, UsagePlanSettings, usage_identifier


class UsagePlans(Construct):
    """A plan and its key for each throttle. The authorizer's answer names the key; merchants never see one."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api: apigateway.RestApi,
        plans: UsagePlanSettings,
        settings: EnvironmentSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        for merchant, throttle in plans.throttles().items():
            name = "others" if merchant == OTHERS else f"merchant-{merchant}"
            plan = apigateway.UsagePlan(
                self,
                f"Plan-{name}",
                name=f"payflowx-{settings.name}-{name}",
                throttle=apigateway.ThrottleSettings(rate_limit=throttle.rate_per_second, burst_limit=throttle.burst),
                api_stages=[apigateway.UsagePlanPerApiStage(api=api, stage=api.deployment_stage)],
            )
            key = apigateway.ApiKey(
                self,
                f"Key-{name}",
                api_key_name=f"payflowx-{settings.name}-{name}",
                description="PayFlowX: counts requests. It opens nothing, and no client sends it.",
                value=usage_identifier(settings.name, merchant),
            )
            plan.add_api_key(key)
