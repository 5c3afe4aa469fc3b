"""The exceptions of the project. Expected results are values, not exceptions.

PayFlowXError
  + Refusal                   the rules do not allow a valid request; nothing was written
  + StorageUnavailableError   a write failed, or its result is unknown; repeat the call
  + LeaseLostError            a newer worker took over; stop
  + ConfigurationError        the deployment or a configuration document is wrong
  + TransitionError           a defect: the transition table does not allow a change
  + InvariantError            stored facts contradict each other; nothing was written
  + InvalidSignatureError     a webhook's signature is invalid (domain.providers.events)
  + UnreadableItemError       a stored item has a word or a shape that this release does not know
  + UnreadableMessageError    a queue's message cannot be parsed
  + UnknownPaymentError       a webhook's key matches nothing (application.inbound_webhooks)
  + UnknownDueItemError       a due item is of a kind that this release does not know (application.recovery)
"""


class PayFlowXError(Exception):
    """The base class of every exception that this project raises deliberately."""


class TransitionError(PayFlowXError):
    """The transition table does not allow a change: a defect, never bad input."""


class InvariantError(PayFlowXError):
    """Stored facts contradict each other. Nothing is written."""


class StorageUnavailableError(PayFlowXError):
    """The database or a queue did not accept a write, or the result of the write is unknown."""


class UnreadableItemError(PayFlowXError):
    """A stored item has a word or a shape that this release does not know; a newer release wrote it.

    Nothing is guessed and nothing is written: the item stays due until a release runs that reads it. `kind` names the
    item's kind and `reason` the attribute or the word; neither holds a personal datum.
    """

    def __init__(self, kind: str, schema_version: object, reason: str) -> None:
        super().__init__(f"cannot read {kind} (schema version {schema_version}): {reason}")
        self.kind = kind
        self.reason = reason


class UnreadableMessageError(PayFlowXError):
    """A queue's message that this release cannot parse."""


class ConfigurationError(PayFlowXError):
    """The deployment lacks a required part, or a configuration document is wrong."""


class Refusal(PayFlowXError):  # noqa: N818 - an expected refusal, not an error of the program
    """A valid request that the rules do not allow. Nothing was written.

    `code` is stable and part of the API; `detail` says what happened and what to do next, and never repeats what the
    caller sent.
    """

    def __init__(self, code: str, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field


class LeaseLostError(PayFlowXError):
    """A newer worker took over: this worker must neither send nor write anything more."""
