"""What a gateway says that lacks something: what is not there is never asked for, because the declaration says so."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

from payflowx.domain.movement import Movement
from payflowx.domain.notices import ForgedWebhookError, Notice, Webhook
from payflowx.domain.statements import StatementPage
from payflowx.domain.transport import HttpResponse
from payflowx.providers.contract import MovementStep


class WithoutOwnList:
    """No list of its own charges: `capabilities.own_list` is None, and reconciliation passes the gateway over."""

    def statement_request(self, page: StatementPage) -> NoReturn:
        """Never asked for."""
        self._nothing()

    def read_statement(self, page: StatementPage, response: HttpResponse) -> NoReturn:
        """Never asked for."""
        self._nothing()

    def read_settlement(self, row: Mapping[str, str]) -> NoReturn:
        """A file that cannot be this gateway's."""
        self._nothing()

    @staticmethod
    def _nothing() -> NoReturn:
        raise ValueError("this gateway has no list of its own")


class WithoutMovements(WithoutOwnList):
    """Charges only: a capture, void or refund is refused before anything is reserved, and nobody sends webhooks."""

    def movement_steps(self, movement: Movement) -> Sequence[MovementStep]:
        """None of any kind."""
        return ()

    def movement_inquiry_steps(self, movement: Movement) -> Sequence[MovementStep]:
        """None of any kind."""
        return ()

    def read_webhook(self, webhook: Webhook, secrets: Sequence[str]) -> Notice:
        """Whoever sends one is not this gateway."""
        raise ForgedWebhookError
