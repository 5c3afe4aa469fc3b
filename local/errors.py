"""What can go wrong with the stage, in one sentence for the person who started it."""


class StageError(Exception):
    """Its text says what happened and what to do; no traceback is shown."""
