"""The API under a name of one's own, so that merchants and providers keep their address whatever becomes of a stack."""

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from constructs import Construct

from infra.constructs.api.checkout_api import DOMAIN_BASE_PATH, CheckoutApi
from infra.constructs.api.rest_api import STAGE, RestApi
from infra.settings import EnvironmentSettings


class Domain(Construct):
    """Paths stay what they are under API Gateway's own address, which stays as well: `/v1/payments` under both."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        api: RestApi,
        pages: CheckoutApi,
        settings: EnvironmentSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        if settings.domain is None or settings.certificate is None:
            raise ValueError(f"{settings.name}: there is no domain, or no certificate")
        self._name = settings.domain
        self.domain = apigateway.DomainName(
            self,
            "Name",
            domain_name=settings.domain,
            certificate=acm.Certificate.from_certificate_arn(self, "Certificate", settings.certificate),
            endpoint_type=apigateway.EndpointType.REGIONAL,
            security_policy=apigateway.SecurityPolicy.TLS_1_2,
        )
        self.domain.add_base_path_mapping(api.api, base_path=STAGE, stage=api.api.deployment_stage)
        self.domain.add_base_path_mapping(pages.api, base_path=DOMAIN_BASE_PATH, stage=pages.api.deployment_stage)
        if settings.hosted_zone is not None:
            self._add_record(settings.hosted_zone)

    def _add_record(self, hosted_zone: str) -> None:
        zone = route53.HostedZone.from_hosted_zone_attributes(
            self, "Zone", hosted_zone_id=hosted_zone, zone_name=self._name.partition(".")[2]
        )
        target = route53.RecordTarget.from_alias(targets.ApiGatewayDomain(self.domain))
        route53.ARecord(self, "Record", zone=zone, record_name=f"{self._name}.", target=target)

    def outputs(self) -> dict[str, str]:
        """The address, and the name that a record made by hand has to point to."""
        return {
            "DomainUrl": f"https://{self._name}/{STAGE}/",
            "DomainTarget": self.domain.domain_name_alias_domain_name,
        }
