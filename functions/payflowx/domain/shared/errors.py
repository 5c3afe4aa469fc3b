"""One exception tree.

Expected results are values; these are for what the caller could not foresee.
"""


class PayFlowXError(Exception):
    """Everything this project raises on purpose."""


class TransitionError(PayFlowXError):
    """A change that the transition table does not allow: a defect, never bad input."""


class InvariantError(PayFlowXError):
    """A stored fact contradicts another one. Nothing is written."""


class StorageUnavailableError(PayFlowXError):
    """The database or the queue did not take a write, or we do not know whether it did."""


class ConfigurationError(PayFlowXError):
    """The deployment lacks something it needs, or a configuration document is wrong."""


class Refusal(PayFlowXError):  # noqa: N818 - it is the field's word, and no fault of the program
    """A request that is understood and not carried out. Nothing was written.

    `code` is stable and part of the API; `detail` says what happened and what to do next, and never repeats
    what the caller sent.
    """

    def __init__(self, code: str, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.field = field


class LeaseLostError(PayFlowXError):
    """A newer worker has taken over: this one must neither send nor write anything more."""
