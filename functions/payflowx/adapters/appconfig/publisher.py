"""Rolls routing documents out through AWS AppConfig, whose validators check them once more."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from payflowx.domain.merchants.directory import Publication
from payflowx.domain.shared.errors import Refusal, StorageUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_appconfig import AppConfigClient

_UNDER_WAY: Final = frozenset({"VALIDATING", "DEPLOYING", "BAKING"})
_SERVED: Final = frozenset({"COMPLETE", *_UNDER_WAY})
_MAX_DESCRIPTION_CHARS: Final = 1_024
_MAX_DEPLOYMENTS: Final = 50
"""How far back a roll-back looks for another version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppConfigPublisher:
    """Implements `RoutingPublisher`."""

    client: "AppConfigClient"
    application: str
    environment: str
    profile: str
    strategy: str

    def current(self) -> Publication:
        """The newest deployment that is served, wholly or in part."""
        with _errors():
            for deployment in self._deployments():
                if deployment["State"] in _SERVED:
                    return self._publication(deployment)
        raise Refusal("routing_missing", "No routing document was ever rolled out. Deploy the service stack.")

    def publish(self, document: bytes, description: str) -> Publication:
        """A new version, rolled out by the environment's strategy."""
        with _errors():
            self._refuse_while_under_way()
            version = self.client.create_hosted_configuration_version(
                ApplicationId=self.application,
                ConfigurationProfileId=self.profile,
                Content=document,
                ContentType="application/json",
                Description=description[:_MAX_DESCRIPTION_CHARS],
            )
            return self._deploy(int(version["VersionNumber"]), description)

    def roll_back(self, description: str) -> Publication:
        """Have AppConfig take the newest roll-out back, also a complete one; else deploy the former version.

        A revert takes effect at once, and no alarm stops it. A deployment does not progress while the alarm that the
        environment watches is active, and that alarm is why most documents are rolled back.
        """
        with _errors():
            served = [d for d in self._deployments() if d["State"] in _SERVED]
            if served and served[0]["State"] in _UNDER_WAY:
                self._take_back(served[0])
                return self.current()
            versions = [int(d["ConfigurationVersion"]) for d in served]
            before = next((version for version in versions if version != versions[0]), None)
            if before is None:
                raise Refusal("nothing_to_roll_back", "There is no other version that was ever served.")
            if before == versions[1] and self._revert(served[0]):
                return self.current()
            return self._deploy(before, description)

    def _revert(self, deployment: Mapping[str, Any]) -> bool:
        """Return False where AppConfig refuses: the deployment was complete three days ago or earlier."""
        try:
            self._take_back(deployment)
        except ClientError as error:
            if error.response["Error"]["Code"] != "BadRequestException":
                raise
            return False
        return True

    def _take_back(self, deployment: Mapping[str, Any]) -> None:
        """Without `AllowRevert`, AppConfig stops a deployment only as long as it grows, and not while it bakes."""
        self.client.stop_deployment(
            ApplicationId=self.application,
            EnvironmentId=self.environment,
            DeploymentNumber=deployment["DeploymentNumber"],
            AllowRevert=True,
        )

    def _deploy(self, version: int, description: str) -> Publication:
        answer = self.client.start_deployment(
            ApplicationId=self.application,
            EnvironmentId=self.environment,
            DeploymentStrategyId=self.strategy,
            ConfigurationProfileId=self.profile,
            ConfigurationVersion=str(version),
            Description=description[:_MAX_DESCRIPTION_CHARS],
        )
        return self._publication(answer)

    def _refuse_while_under_way(self) -> None:
        if any(d["State"] in _UNDER_WAY for d in self._deployments()):
            raise Refusal("routing_busy", "Another routing document is being rolled out. Wait for it, or roll it back.")

    def _deployments(self) -> Iterator[Mapping[str, Any]]:
        """Newest first. The application has this one profile."""
        answer = self.client.list_deployments(
            ApplicationId=self.application, EnvironmentId=self.environment, MaxResults=_MAX_DEPLOYMENTS
        )
        yield from sorted(answer["Items"], key=lambda d: int(d["DeploymentNumber"]), reverse=True)

    def _publication(self, deployment: Mapping[str, Any]) -> Publication:
        number = int(deployment["ConfigurationVersion"])
        version = self.client.get_hosted_configuration_version(
            ApplicationId=self.application, ConfigurationProfileId=self.profile, VersionNumber=number
        )
        return Publication(
            number=number,
            document=version["Content"].read(),
            state=str(deployment["State"]),
            percent=int(deployment.get("PercentageComplete") or 0),
        )


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] == "BadRequestException":
            raise Refusal("routing_invalid", f"AppConfig refused it: {error.response['Error']['Message']}") from error
        if error.response["Error"]["Code"] == "ConflictException":
            raise Refusal("routing_busy", "Another routing document is being rolled out.") from error
        raise StorageUnavailableError("AppConfig did not take the request") from error
    except BotoCoreError as error:
        raise StorageUnavailableError("AppConfig did not answer") from error
