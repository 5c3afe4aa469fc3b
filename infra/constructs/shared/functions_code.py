"""The functions' code as an asset."""

from aws_cdk import aws_lambda as lambda_

from infra.settings import ROOT


def functions_code() -> lambda_.Code:
    """`functions/` as Lambda's root: the package, without files that only developers need."""
    return lambda_.Code.from_asset(
        str(ROOT / "functions"), exclude=["**/__pycache__", "**/*.pyc", "requirements*", ".*"]
    )
