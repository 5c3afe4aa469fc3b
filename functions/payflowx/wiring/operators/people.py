"""Who asks, and changes that need a second person."""

from dataclasses import dataclass
from functools import cached_property

from payflowx.adapters.dynamodb.merchants.proposals import DynamoDBProposals
from payflowx.adapters.dynamodb.merchants.seen_proofs import DynamoDBSeenProofs
from payflowx.adapters.platform.caller_identities import StsCallerIdentities, sts_endpoint
from payflowx.application.operators.identify import IdentifyCaller
from payflowx.application.operators.list_audit_log import ListAuditLog
from payflowx.application.operators.proposals import DecideProposal, ListProposals, Propose
from payflowx.wiring.operators.base import OperatorsBase


@dataclass(kw_only=True)
class PeopleCommands(OperatorsBase):
    @cached_property
    def identify_caller(self) -> IdentifyCaller:
        variables = self.platform.environment
        region = variables.get("AWS_REGION", "")
        identities = StsCallerIdentities(
            http=self.platform.http,
            endpoint=sts_endpoint(region, variables.get("AWS_ENDPOINT_URL")),
            region=region,
            audience=variables.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            clock=self.platform.clock,
        )
        return IdentifyCaller(
            identities=identities,
            seen=DynamoDBSeenProofs(
                client=self.platform.clients.dynamodb,
                table=self.settings.transactions_table,
                randomness=self.platform.randomness,
            ),
            clock=self.platform.clock,
            telemetry=self.telemetry,
        )

    @cached_property
    def _proposals(self) -> DynamoDBProposals:
        return DynamoDBProposals(client=self.platform.clients.dynamodb, table=self.settings.configuration_table)

    @cached_property
    def propose(self) -> Propose:
        return Propose(proposals=self._proposals, clock=self.platform.clock)

    @cached_property
    def decide_proposal(self) -> DecideProposal:
        return DecideProposal(proposals=self._proposals, clock=self.platform.clock)

    @cached_property
    def list_proposals(self) -> ListProposals:
        return ListProposals(proposals=self._proposals)

    @cached_property
    def list_audit_entries(self) -> ListAuditLog:
        return ListAuditLog(merchant_directory=self.merchant_directory)
