"""Rolls routing documents out through AWS AppConfig, whose validators check them once more."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from payflowx.domain.merchants.directory import Publication, RoutingVersions
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

    def published(self, document: bytes) -> Publication | None:
        """The newest roll-out, if it is of this very document: the answer to its request was lost."""
        with _errors():
            newest = next((d for d in self._deployments() if d["State"] in _SERVED), None)
            if newest is None:
                return None
            publication = self._publication(newest)
            if publication.document == document:
                return publication
            _refuse_while_under_way(newest)
            return None

    def publish(self, document: bytes, description: str) -> Publication:
        """A new version, rolled out by the environment's strategy."""
        with _errors():
            version = self.client.create_hosted_configuration_version(
                ApplicationId=self.application,
                ConfigurationProfileId=self.profile,
                Content=document,
                ContentType="application/json",
                Description=description[:_MAX_DESCRIPTION_CHARS],
            )
            return self._deploy(int(version["VersionNumber"]), description)

    def versions_to_roll_back(self, to: int | None) -> RoutingVersions:
        """A roll-out that AppConfig has taken back, by itself or for an operator, is not followed by a further one.

        Each document gets a higher version than all before it. So where an older one is served than was before, the
        last roll-out was a roll-back.
        """
        with _errors():
            deployments = list(self._deployments())
        versions = [_version(d) for d in deployments if d["State"] in _SERVED]
        if to is not None and to not in versions:
            words = f"None of the last {_MAX_DEPLOYMENTS} roll-outs that were not taken back served version {to}."
            raise Refusal("nothing_to_roll_back", words)
        before = to if to is not None else next((version for version in versions if version != versions[0]), None)
        if before is None:
            raise Refusal("nothing_to_roll_back", "There is no other version that was ever served.")
        if to is None and (deployments[0]["State"] not in _SERVED or versions[0] < max(versions)):
            raise Refusal(
                "nothing_to_roll_back",
                f"The last roll-out is taken back already, and version {versions[0]} is served. To go further back, "
                "name the version: `payflowx routing rollback --to VERSION`.",
            )
        return RoutingVersions(served=versions[0], before=before)

    def roll_back(self, to: int, description: str) -> Publication:
        """Have AppConfig take the newest roll-out back, also a complete one; else deploy the version.

        A revert takes effect at once, and no alarm stops it. A deployment does not progress while the alarm that the
        environment watches is active, and that alarm is why most documents are rolled back.
        """
        with _errors():
            served = [d for d in self._deployments() if d["State"] in _SERVED]
            former = _version(served[1]) if len(served) > 1 else None
            if served and _version(served[0]) == to:
                return self.current()
            if served and served[0]["State"] in _UNDER_WAY:
                self._take_back(served[0])
                if former == to:
                    return self.current()
            elif former == to and self._revert(served[0]):
                return self.current()
            return self._deploy(to, description)

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


def _version(deployment: Mapping[str, Any]) -> int:
    return int(deployment["ConfigurationVersion"])


def _refuse_while_under_way(newest: Mapping[str, Any]) -> None:
    if newest["State"] in _UNDER_WAY:
        raise Refusal("routing_busy", "Another routing document is being rolled out. Wait for it, or roll it back.")


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
