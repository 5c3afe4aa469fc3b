#!/usr/bin/env python3
"""The CDK application, one stage for each environment. Synthesis needs no credentials and no network."""

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.settings import chosen
from infra.stage import PayFlowXStage

app = App()
for settings in chosen(app.node.try_get_context):
    PayFlowXStage(app, settings.stage_id, settings=settings)
Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
app.synth()
