"""A web ACL before the API: AWS's common rules, and limits for each credential and each address.

It begins by counting: a rule that fits nobody's real traffic would refuse merchants and providers. Its log shows the
requests that it would have refused; `FirewallMode.BLOCK` follows when these are none of ours.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aws_cdk import Aws, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from infra.settings import EnvironmentSettings, FirewallMode

_WINDOW_SECONDS: Final = 300
_MANAGED: Final = "AWSManagedRulesCommonRuleSet"
"""AWS's set of known bad inputs is left out, at a dollar a month: it looks for Log4j, Java's deserialization and paths
of other products, and API Gateway passes on nothing but this API's own paths and methods."""
_ALWAYS_COUNTED: Final = (
    "SizeRestrictions_BODY",  # it refuses bodies above 8 KB; the API takes 64 KB
    "NoUserAgent_HEADER",
    "EC2MetaDataSSRF_BODY",  # these three search bodies for addresses, which metadata of a payment may hold
    "GenericLFI_BODY",
    "GenericRFI_BODY",
)
"""Rules of the common set that the API's own limits and checks replace."""
_TOO_MANY: Final = "too-many"
_TOO_MANY_BODY: Final = {
    "type": "urn:payflowx:problem:rate_limited",
    "title": "Too many requests",
    "status": 429,
    "detail": "Wait and repeat the request with the same idempotency key.",
    "code": "rate_limited",
}


class Firewall(Construct):
    """It costs about eight dollars a month (docs/costs.md), so an environment can leave it out.

    Providers' webhooks pass the managed rules: their bodies are theirs, and the receiver verifies their signatures. So
    do payers' pages: a provider sends payers back with whatever query it likes, and the handler reads none of it.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stages: Mapping[str, apigateway.Stage],
        unmanaged_paths: Sequence[str],
        key: kms.IKey,
        settings: EnvironmentSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self._blocks = settings.firewall is FirewallMode.BLOCK
        self._unmanaged_paths = unmanaged_paths
        # As much as the stage lets through to begin with: a merchant may have one address and all of the traffic.
        limit = settings.api_rate_per_second * _WINDOW_SECONDS
        of_a_merchant = (settings.merchant_rate_per_second or settings.api_rate_per_second) * _WINDOW_SECONDS
        acl = wafv2.CfnWebACL(
            self,
            "Acl",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visible("payflowx"),
            custom_response_bodies={
                _TOO_MANY: wafv2.CfnWebACL.CustomResponseBodyProperty(
                    content=json.dumps(_TOO_MANY_BODY), content_type="APPLICATION_JSON"
                )
            },
            rules=[
                self._managed(priority=0),
                self._rate_limit("rate-of-a-credential", 1, _of_each_credential(of_a_merchant)),
                # Several merchants of a platform may come from one address.
                self._rate_limit("rate-of-an-address", 2, _of_each_address(2 * limit)),
            ],
        )
        for name, stage in stages.items():
            wafv2.CfnWebACLAssociation(self, name, resource_arn=stage.stage_arn, web_acl_arn=acl.attr_arn)
        self._log(acl, key, settings)

    def _managed(self, priority: int) -> wafv2.CfnWebACL.RuleProperty:
        action: dict[str, Any] = {"none": {}} if self._blocks else {"count": {}}
        return wafv2.CfnWebACL.RuleProperty(
            name=_MANAGED,
            priority=priority,
            override_action=wafv2.CfnWebACL.OverrideActionProperty(**action),
            statement=wafv2.CfnWebACL.StatementProperty(
                managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
                    vendor_name="AWS",
                    name=_MANAGED,
                    rule_action_overrides=[
                        wafv2.CfnWebACL.RuleActionOverrideProperty(
                            name=rule, action_to_use=wafv2.CfnWebACL.RuleActionProperty(count={})
                        )
                        for rule in _ALWAYS_COUNTED
                    ],
                    scope_down_statement=self._managed_paths(),
                )
            ),
            visibility_config=_visible(_MANAGED),
        )

    def _managed_paths(self) -> wafv2.CfnWebACL.StatementProperty:
        unmanaged = wafv2.CfnWebACL.OrStatementProperty(
            statements=[_path_starts_with(path) for path in self._unmanaged_paths]
        )
        return wafv2.CfnWebACL.StatementProperty(
            not_statement=wafv2.CfnWebACL.NotStatementProperty(
                statement=wafv2.CfnWebACL.StatementProperty(or_statement=unmanaged)
            )
        )

    def _rate_limit(
        self, name: str, priority: int, statement: wafv2.CfnWebACL.RateBasedStatementProperty
    ) -> wafv2.CfnWebACL.RuleProperty:
        """Answered like the API's own limit: clients wait after 429, and give up after 403."""
        answer = wafv2.CfnWebACL.CustomResponseProperty(
            response_code=429,
            custom_response_body_key=_TOO_MANY,
            response_headers=[wafv2.CfnWebACL.CustomHTTPHeaderProperty(name="Retry-After", value="60")],
        )
        block = wafv2.CfnWebACL.BlockActionProperty(custom_response=answer)
        return wafv2.CfnWebACL.RuleProperty(
            name=name,
            priority=priority,
            action=(
                wafv2.CfnWebACL.RuleActionProperty(block=block)
                if self._blocks
                else wafv2.CfnWebACL.RuleActionProperty(count={})
            ),
            statement=wafv2.CfnWebACL.StatementProperty(rate_based_statement=statement),
            visibility_config=_visible(name),
        )

    def _log(self, acl: wafv2.CfnWebACL, key: kms.IKey, settings: EnvironmentSettings) -> None:
        """Log the requests that a rule counted or blocked, and no others."""
        # WAF requires the prefix `aws-waf-logs-`; the rest tells the environments of one account apart.
        log_group = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"aws-waf-logs-payflowx-{settings.name}",
            retention=settings.log_retention,
            encryption_key=key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        wafv2.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=acl.attr_arn,
            log_destination_configs=[
                f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:{log_group.log_group_name}"
            ],
            redacted_fields=[
                wafv2.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": "authorization"}),
                wafv2.CfnLoggingConfiguration.FieldToMatchProperty(query_string={}),
                # The paths of webhooks and of payers' pages bear tokens.
                wafv2.CfnLoggingConfiguration.FieldToMatchProperty(uri_path={}),
            ],
            logging_filter={
                "DefaultBehavior": "DROP",
                "Filters": [
                    {
                        "Behavior": "KEEP",
                        "Requirement": "MEETS_ANY",
                        "Conditions": [
                            {"ActionCondition": {"Action": action}}
                            for action in ("BLOCK", "COUNT", "EXCLUDED_AS_COUNT")
                        ],
                    }
                ],
            },
        ).node.add_dependency(log_group)


def _path_starts_with(path: str) -> wafv2.CfnWebACL.StatementProperty:
    return wafv2.CfnWebACL.StatementProperty(
        byte_match_statement=wafv2.CfnWebACL.ByteMatchStatementProperty(
            field_to_match=wafv2.CfnWebACL.FieldToMatchProperty(uri_path={}),
            positional_constraint="STARTS_WITH",
            search_string=path,
            text_transformations=[wafv2.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")],
        )
    )


def _of_each_credential(limit: int) -> wafv2.CfnWebACL.RateBasedStatementProperty:
    """Requests without the header are not counted here."""
    return wafv2.CfnWebACL.RateBasedStatementProperty(
        aggregate_key_type="CUSTOM_KEYS",
        custom_keys=[
            wafv2.CfnWebACL.RateBasedStatementCustomKeyProperty(
                header=wafv2.CfnWebACL.RateLimitHeaderProperty(
                    name="authorization",
                    text_transformations=[wafv2.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")],
                )
            )
        ],
        limit=limit,
        evaluation_window_sec=_WINDOW_SECONDS,
    )


def _of_each_address(limit: int) -> wafv2.CfnWebACL.RateBasedStatementProperty:
    """The second net: whoever invents a new credential for each request has one address still."""
    return wafv2.CfnWebACL.RateBasedStatementProperty(
        aggregate_key_type="IP", limit=limit, evaluation_window_sec=_WINDOW_SECONDS
    )


def _visible(name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    """Without samples: they would show API keys in the console."""
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )
