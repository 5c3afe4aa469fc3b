"""The resources that an account has once for all its environments: the rights to deploy, and alerts of its bill."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_ce as ce
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.acknowledgements import acknowledge
from infra.settings import ENVIRONMENTS

ROLE_NAME: Final = "payflowx-deploy"
"""Fixed: the workflow knows the account's number, and makes the role's ARN from it."""
_ISSUER: Final = "token.actions.githubusercontent.com"
_AUDIENCE: Final = "sts.amazonaws.com"
_CDK_ROLES: Final = ("deploy", "file-publishing", "lookup")
_QUALIFIER: Final = "hnb659fds"
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][\w-]{0,38}/[\w.-]{1,100}")
_MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_ANOMALY_DOLLARS: Final = 10
_WARN_PERCENT: Final = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """`repository` is `owner/name` at GitHub; `environments` are those of its environments that deploy here."""

    repository: str
    environments: tuple[str, ...]
    costs_to: str
    """The e-mail address that hears of the bill."""
    monthly_budget: int
    """In dollars."""

    def __post_init__(self) -> None:
        if not _REPOSITORY.fullmatch(self.repository):
            raise ValueError(f"-c github: {self.repository!r} is not owner/name")
        if not _MAIL.fullmatch(self.costs_to):
            raise ValueError(f"-c costs-to: {self.costs_to!r} is not an e-mail address")
        if self.monthly_budget < 1:
            raise ValueError("-c monthly-budget: say how many dollars, at least 1")
        unknown = sorted(set(self.environments) - {environment.name for environment in ENVIRONMENTS})
        if unknown or not self.environments:
            raise ValueError(f"-c deploys: there is no environment {', '.join(unknown) or 'in it'}")

    @classmethod
    def given(cls, context: Callable[[str], Any]) -> Self | None:
        """From `-c github=owner/name -c deploys=dev,staging -c costs-to=... -c monthly-budget=50`; else None."""
        repository = context("github")
        if repository is None:
            return None
        return cls(
            repository=str(repository),
            environments=tuple(str(context("deploys") or "").split(",")),
            costs_to=str(context("costs-to") or ""),
            monthly_budget=int(context("monthly-budget") or 0),
        )


class AccountStack(Stack):
    """Deployed once by a person: `npx cdk deploy Account -c github=... -c deploys=... -c costs-to=...`."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: AccountSettings, region: str) -> None:
        tags = {"project": "payflowx", "environment": "account", "owner": "payments", "data-class": "none"}
        super().__init__(scope, construct_id, env={"region": region}, termination_protection=True, tags=tags)
        role = self._role(settings.repository, settings.environments)
        self._budget(settings.monthly_budget, settings.costs_to)
        self._anomalies(settings.costs_to)
        CfnOutput(self, "DeployRoleArn", value=role.role_arn)

    def _role(self, repository: str, environments: Sequence[str]) -> iam.Role:
        """For jobs of these GitHub environments, whose reviewers GitHub asks first; for no branch and no fork."""
        provider = iam.OidcProviderNative(self, "GitHub", url=f"https://{_ISSUER}", client_ids=[_AUDIENCE])
        subjects = [f"repo:{repository}:environment:{environment}" for environment in environments]
        role = iam.Role(
            self,
            "Deploy",
            role_name=ROLE_NAME,
            description="PayFlowX: GitHub Actions may assume the roles of the CDK, and nothing else",
            max_session_duration=Duration.hours(1),
            assumed_by=iam.WebIdentityPrincipal(
                provider.oidc_provider_arn,
                {"StringEquals": {f"{_ISSUER}:aud": _AUDIENCE, f"{_ISSUER}:sub": subjects}},
            ),
        )
        arns = [f"arn:{self.partition}:iam::{self.account}:role/cdk-{_QUALIFIER}-{name}-role-*" for name in _CDK_ROLES]
        role.add_to_policy(iam.PolicyStatement(actions=["sts:AssumeRole"], resources=arns))
        reason = "The names end with account and region, and an account has environments in several regions."
        for name in _CDK_ROLES:
            reported = f"arn:aws:iam::<AWS::AccountId>:role/cdk-{_QUALIFIER}-{name}-role-*"
            acknowledge(role, {f"AwsSolutions-IAM5[Resource::{reported}]": reason})
        return role

    def _budget(self, dollars: int, costs_to: str) -> None:
        def when(kind: str, percent: int) -> budgets.CfnBudget.NotificationWithSubscribersProperty:
            return budgets.CfnBudget.NotificationWithSubscribersProperty(
                notification=budgets.CfnBudget.NotificationProperty(
                    comparison_operator="GREATER_THAN",
                    notification_type=kind,
                    threshold=percent,
                    threshold_type="PERCENTAGE",
                ),
                subscribers=[budgets.CfnBudget.SubscriberProperty(address=costs_to, subscription_type="EMAIL")],
            )

        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=dollars, unit="USD"),
            ),
            notifications_with_subscribers=[when("ACTUAL", _WARN_PERCENT), when("FORECASTED", 100)],
        )

    def _anomalies(self, costs_to: str) -> None:
        """A loop of messages or a flood of logs shows here days before it shows in the budget."""
        monitor = ce.CfnAnomalyMonitor(
            self,
            "AnomalyMonitor",
            monitor_name="payflowx-services",
            monitor_type="DIMENSIONAL",
            monitor_dimension="SERVICE",
        )
        threshold = (
            '{"Dimensions":{"Key":"ANOMALY_TOTAL_IMPACT_ABSOLUTE","MatchOptions":["GREATER_THAN_OR_EQUAL"],'
            f'"Values":["{_ANOMALY_DOLLARS}"]}}}}'
        )
        ce.CfnAnomalySubscription(
            self,
            "AnomalySubscription",
            subscription_name="payflowx-services",
            frequency="DAILY",
            monitor_arn_list=[monitor.attr_monitor_arn],
            subscribers=[ce.CfnAnomalySubscription.SubscriberProperty(address=costs_to, type="EMAIL")],
            threshold_expression=threshold,
        )
