"""Violations of the rule packs that we accept, each at its construct and with its reason."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    """`reasons` maps the id of a rule, such as `AwsSolutions-SMG4`, to the reason why it does not apply here."""
    for rule, reason in reasons.items():
        pack = rule.split("-", 1)[0]
        Validations.of(construct).acknowledge(Acknowledgment(id=f"{pack}::{rule}", reason=reason))


def acknowledge_annotation(construct: IConstruct, annotation: str, reason: str) -> None:
    """Accept a warning of the CDK itself."""
    Validations.of(construct).acknowledge(Acknowledgment(id=f"Annotation::{annotation}", reason=reason))
