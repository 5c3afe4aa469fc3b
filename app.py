#!/usr/bin/env python3
"""The CDK application, one stage for each environment. Synthesis needs no credentials and no network.

With `-c github=owner/name` there is the account's own stack as well: docs/operations/delivery.md.
"""

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.settings import ENVIRONMENTS, chosen
from infra.stacks.account import AccountSettings, AccountStack
from infra.stage import PayFlowXStage

app = App()
for settings in chosen(app.node.try_get_context):
    PayFlowXStage(app, settings.stage_id, settings=settings)
account = AccountSettings.given(app.node.try_get_context)
if account is not None:
    AccountStack(app, "Account", settings=account, region=ENVIRONMENTS[-1].region)
Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
app.synth()
