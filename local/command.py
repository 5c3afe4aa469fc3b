"""The frame of the commands that start a local environment: signals, expected errors, exit status."""

import sys
from collections.abc import Callable

from local.console import say
from local.errors import LocalEnvironmentError
from local.signals import ignore_signals, interrupt_on_signals


def exit_status_of(command: Callable[[], int], *, interrupted: int = 130) -> int:
    """Run the command; return its exit status, 1 after an expected error, `interrupted` after Ctrl-C."""
    interrupt_on_signals()
    try:
        return command()
    except LocalEnvironmentError as error:
        print(f"\npayflowx: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        say("\nStopped.")
        return interrupted
    finally:
        ignore_signals()
