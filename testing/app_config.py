"""A model of AppConfig's data plane: one document, which a client gets again only after it has changed."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class AppConfigData:
    """A boto3 AppConfigData client. A token stands for the document that its holder has."""

    document: Callable[[], bytes]

    def start_configuration_session(self, **_request: str) -> dict[str, Any]:
        """StartConfigurationSession."""
        return {"InitialConfigurationToken": ""}

    def get_latest_configuration(self, *, ConfigurationToken: str) -> dict[str, Any]:  # noqa: N803 - the API's name
        """GetLatestConfiguration."""
        document = self.document()
        data = b"" if document.decode() == ConfigurationToken else document
        return {"NextPollConfigurationToken": document.decode(), "Configuration": io.BytesIO(data)}
