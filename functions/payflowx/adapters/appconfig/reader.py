"""The routing document from AWS AppConfig, asked for once a minute at most."""

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from payflowx.adapters.appconfig.document import decode_routing_document
from payflowx.domain.routing.routing import RoutingDocument
from payflowx.domain.shared.ambient import Clock
from payflowx.domain.shared.errors import ConfigurationError, StorageUnavailableError
from payflowx.domain.shared.limits import MINUTE_MS

if TYPE_CHECKING:
    from mypy_boto3_appconfigdata import AppConfigDataClient

_POLL_INTERVAL_MS: Final = MINUTE_MS


@dataclass(slots=True, kw_only=True)
class AppConfigRules:
    """Implements `RoutingRules`. While AppConfig does not answer, the last document stays in force."""

    client: "AppConfigDataClient"
    application: str
    environment: str
    profile: str
    clock: Clock
    _token: str | None = None
    _document: RoutingDocument | None = None
    _asked_ms: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def current(self) -> RoutingDocument:
        """Raises `StorageUnavailableError` if there has never been an answer."""
        with self._lock:
            now_ms = self.clock.now_ms()
            if self._document is None or now_ms - self._asked_ms >= _POLL_INTERVAL_MS:
                self._refresh(now_ms)
            if self._document is None:
                raise StorageUnavailableError("the routing document could not be read")
            return self._document

    def _refresh(self, now_ms: int) -> None:
        try:
            answer = self.client.get_latest_configuration(ConfigurationToken=self._token or self._start())
            self._token = answer["NextPollConfigurationToken"]
            data = answer["Configuration"].read()
            if data:  # empty: unchanged
                self._document = decode_routing_document(data)
        except (ClientError, BotoCoreError):
            self._token = None  # a token works once and for a day; begin anew
        except ConfigurationError:
            # The validator refuses such documents; should one appear all the same, the last good one stays.
            if self._document is None:
                raise
        self._asked_ms = now_ms

    def _start(self) -> str:
        session = self.client.start_configuration_session(
            ApplicationIdentifier=self.application,
            EnvironmentIdentifier=self.environment,
            ConfigurationProfileIdentifier=self.profile,
        )
        return str(session["InitialConfigurationToken"])
