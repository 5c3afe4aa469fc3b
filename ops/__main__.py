"""`payflowx`, or `python -m ops`."""

from ops.cli import payflowx


def main() -> None:
    """Ends the process with one of the exit codes of `ops/errors.py`."""
    payflowx(prog_name="payflowx")


if __name__ == "__main__":
    main()
