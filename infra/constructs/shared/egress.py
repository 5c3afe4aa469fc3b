"""Fixed addresses for what functions send to providers and merchants: a network whose only way out are two of them."""

from typing import Final

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from infra.acknowledgements import acknowledge

_ZONES: Final = "ab"
NETWORK_ACTIONS: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
"""What Lambda requires of a function's role to put the function into a network."""


class FixedEgress(Construct):
    """A NAT gateway with an address in each of two zones: one alone would end payments with its zone.

    Tables and files are reached by endpoints that cost nothing; queues, keys and secrets through the NAT gateways.
    """

    def __init__(self, scope: Construct, construct_id: str, *, region: str) -> None:
        super().__init__(scope, construct_id)
        self.vpc = ec2.Vpc(
            self,
            "Network",
            # Named, so that a synthesis needs no account to look them up in.
            availability_zones=[f"{region}{zone}" for zone in _ZONES],
            nat_gateways=len(_ZONES),
            subnet_configuration=[
                ec2.SubnetConfiguration(name="Out", subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False),
                ec2.SubnetConfiguration(name="Functions", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            ],
            gateway_endpoints={
                "Tables": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.DYNAMODB),
                "Files": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
            },
        )
        acknowledge(
            self.vpc,
            {"AwsSolutions-VPC7": "Nothing listens in it; each call that leaves it is in the caller's own log."},
        )
        self.security_group = ec2.SecurityGroup(
            self, "Functions", vpc=self.vpc, description="PayFlowX: functions that call providers and merchants"
        )
        self._addresses = [node for node in self.vpc.node.find_all() if isinstance(node, ec2.CfnEIP)]

    def outputs(self) -> dict[str, str]:
        """The addresses, for the lists of providers and merchants."""
        return {f"EgressAddress{number}": address.ref for number, address in enumerate(self._addresses, 1)}
