"""CloudFormation itself refuses to lower `list_partitions`: what lies in the further partitions would be in no list.

The data stack exports a name for each further partition, and the service stack imports it. CloudFormation deletes no
export that another stack imports, and the data stack is deployed first: a deployment with a lower number fails there,
before anything has changed.
"""

from aws_cdk import CfnOutput, Fn, Stack


def refuse_fewer_list_partitions(*, data: Stack, service: Stack, count: int) -> None:
    """Hold the number: the refusal names the export, and so the lowest number that may be deployed."""
    for number in range(2, count + 1):
        name = f"{data.stack_name}:ListPartitionsNotBelow{number}"
        CfnOutput(data, f"ListPartition{number}", value=str(number), export_name=name)
        CfnOutput(service, f"ListPartition{number}", value=Fn.import_value(name))
