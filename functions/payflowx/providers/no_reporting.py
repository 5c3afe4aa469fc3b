"""A gateway that lacks something: what is not there is never asked for, because the declaration says so."""

from collections.abc import Mapping
from typing import NoReturn

from payflowx.domain.reconciliation.reports import ReportPage
from payflowx.domain.shared.transport import HttpResponse


class NoReporting:
    """No list of its own charges: `capabilities.own_list` is None, and reconciliation passes the gateway over."""

    def report_request(self, page: ReportPage) -> NoReturn:
        """Never asked for."""
        self._nothing()

    def read_report(self, page: ReportPage, response: HttpResponse) -> NoReturn:
        """Never asked for."""
        self._nothing()

    def read_settlement(self, row: Mapping[str, str]) -> NoReturn:
        """A file that cannot be this gateway's."""
        self._nothing()

    @staticmethod
    def _nothing() -> NoReturn:
        raise ValueError("this gateway has no list of its own")
