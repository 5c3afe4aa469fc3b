"""The command line as a whole. To add a command: a line in `COMMANDS`."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import click

from ops.commands.approvals import approvals
from ops.commands.audit import audit
from ops.commands.certify import certify
from ops.commands.checkout import checkout
from ops.commands.console import console
from ops.commands.credentials import credentials
from ops.commands.deliveries import deliveries
from ops.commands.demo_data import demo_data
from ops.commands.disputes import disputes
from ops.commands.dlq import dlq
from ops.commands.doctor import doctor
from ops.commands.keys import keys
from ops.commands.links import links
from ops.commands.merchants import merchants
from ops.commands.payments import payments
from ops.commands.providers import providers
from ops.commands.reconcile import reconcile
from ops.commands.reconciliations import reconciliations
from ops.commands.restore import restore
from ops.commands.review import review
from ops.commands.routing import routing
from ops.commands.versions import versions
from ops.errors import Exit
from ops.options import root_options

COMMANDS: Final[tuple[click.Command, ...]] = (
    doctor,
    console,
    merchants,
    checkout,
    keys,
    credentials,
    providers,
    routing,
    payments,
    links,
    review,
    approvals,
    disputes,
    deliveries,
    dlq,
    reconcile,
    reconciliations,
    certify,
    versions,
    restore,
    audit,
    demo_data,
)


class _Root(click.Group):
    """Lists its commands in the order in which one needs them, and ends interrupted runs with 130."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - Click's signature
        return [command.name or "" for command in COMMANDS]

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            ended = super().main(*args, **{**kwargs, "standalone_mode": False})
        except click.exceptions.Abort:
            click.echo("Interrupted.", err=True)
            raise SystemExit(int(Exit.INTERRUPTED)) from None
        except click.ClickException as error:
            error.show()
            raise SystemExit(error.exit_code) from None
        raise SystemExit(ended if isinstance(ended, int) else int(Exit.DONE))


def _version() -> str:
    try:
        return version("payflowx")
    except PackageNotFoundError:
        return "not installed"


@click.group(cls=_Root, context_settings={"help_option_names": ["-h", "--help"]})
@root_options
@click.version_option(_version(), prog_name="payflowx")
def payflowx() -> None:
    """Run a PayFlowX deployment: by default the local environment, with --env NAME a deployed environment.

    Every change goes through the operations function, which calls the same use cases as everything else: no command
    can charge twice, and each is recorded with who and why.
    """


for _command in COMMANDS:
    payflowx.add_command(_command)
