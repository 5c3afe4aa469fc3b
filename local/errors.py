"""A failure of the local environment that the person who started it can act on."""


class LocalEnvironmentError(Exception):
    """Its text is one sentence that says what happened and what to do; no traceback is shown."""
