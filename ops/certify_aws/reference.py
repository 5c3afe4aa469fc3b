"""The table of docs/operations/certify-aws.md, which a test compares."""

from ops.certify_aws.certification import planned


def table() -> str:
    """One row a step."""
    return "\n".join(
        f"| {step.name} | {step.asks} | {step.minutes:g} | {'yes' if step.local else f'no: {step.why_not}'} |"
        for step in planned()
    )


def dollars() -> str:
    """The sum of what the steps may cost."""
    return f"{sum(step.dollars for step in planned()):.2f}"
