"""Brings the local environment up, and takes it down again however it ends."""

import json
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import urllib3

from local.admission import Limits
from local.alarm_listener import AlarmListener
from local.api import Api
from local.console import say, step
from local.deploy import bootstrap, create_stack, upload_assets
from local.engine import Engine, start_engine
from local.errors import LocalEnvironmentError
from local.folders import remove
from local.gateway_answers import gateway_answers
from local.gateway_server import Backend, GatewayServer, check_port
from local.layers import host_layer, layer_beside
from local.metrics_pump import MetricsPump
from local.paths import ENVIRONMENT_FILE, SERVER_LOG
from local.processes import Processes
from local.seed import MERCHANT_ID, seed_merchant
from local.simulators import make_accounts, start_simulators, subscribe
from local.start_lock import start_lock
from local.synthesis import synthesize
from local.template_adapter import Adaptation, path_at_api
from local.template_merge import SynthesizedStack, read_stacks
from sandbox.asgi_server import HOST
from sandbox.simulators import REAL_PROVIDERS, SIMULATORS

_CDK_STAGE: Final = "Dev"
_REGION: Final = "eu-west-1"
_API_STAGE: Final = "v1"
_API_OUTPUT: Final = "ApiId"
_PAGES_API_OUTPUT: Final = "CheckoutApiId"
_PAGES_OUTPUT: Final = "CheckoutPagesUrl"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalEnvironment:
    """A running environment. `mocks` and `simulators` map a provider's name to its simulator's address."""

    base_url: str
    api_key: str
    engine: Engine
    mocks: dict[str, str]
    """The providers that exist only here; payments are routed to them by default."""
    simulators: dict[str, str]
    """Those of real providers, for payments that name one."""
    outputs: dict[str, str]
    """Of all stacks."""
    alarms: AlarmListener

    def api(self) -> Api:
        """A client of its API."""
        return Api(self.base_url, self.api_key, urllib3.PoolManager(maxsize=8))


@contextmanager
def running_environment(port: int, *, keep_state: bool = False) -> Iterator[LocalEnvironment]:
    """Everything runs inside, nothing afterwards. Raises `LocalEnvironmentError`.

    With `keep_state` the engine can be restarted inside: `environment.engine.process.restart()`.
    """
    check_port(port)
    limits = Limits.read()
    with ExitStack() as cleanup, ExitStack() as start:
        start.enter_context(start_lock())
        _refuse_a_second_environment()
        _log_to_file()
        processes = Processes()
        with step("synthesizing the stacks"):
            synthesize()
        stacks = read_stacks(_CDK_STAGE)
        temporary = Path(tempfile.mkdtemp(prefix="payflowx-"))
        cleanup.callback(remove, temporary)
        cleanup.callback(processes.stop)
        with step("starting the engine"):
            engine = start_engine(
                processes, region=_REGION, temporary=temporary, parent=os.getpid(), keep_state=keep_state
            )
        outputs = _deploy(engine, stacks, f"http://{HOST}:{port}", temporary)
        with step("starting the provider simulators"):
            accounts = make_accounts()
            addresses = start_simulators(processes, accounts)
        with step("creating the demo merchant"):
            seeded = seed_merchant(engine, outputs["OperationsFunctionName"], addresses, accounts)
        server = _gateway_server(port, engine, outputs, stacks, limits)
        server.start()
        cleanup.callback(server.stop)
        subscribe(addresses, {name: server.url + path for name, path in seeded.webhook_paths.items()})
        alarms = _watch(engine, outputs, server, cleanup)
        environment = LocalEnvironment(
            base_url=server.url,
            api_key=seeded.api_key,
            engine=engine,
            mocks={name: addresses[name] for name in SIMULATORS},
            simulators={name: addresses[name] for name in REAL_PROVIDERS},
            outputs=outputs,
            alarms=alarms,
        )
        _write(environment, processes)
        cleanup.callback(ENVIRONMENT_FILE.unlink, missing_ok=True)
        start.close()
        yield environment


def _deploy(engine: Engine, stacks: dict[str, SynthesizedStack], base_url: str, temporary: Path) -> dict[str, str]:
    """The outputs of all stacks but the simulators' own, which run as servers here."""
    created = {name: stack for name, stack in stacks.items() if name != f"{_CDK_STAGE}-Sandbox"}
    with step("uploading the assets"):
        bootstrap(engine)
        upload_assets(engine, created, layer_beside(host_layer(), temporary))
    outputs: dict[str, str] = {}
    adaptations: list[Adaptation] = []
    for stack in created.values():
        with step(f"creating the stack {stack.name}"):
            made, changes = create_stack(engine, stack, base_url)
        outputs |= made
        adaptations += changes
    _say_differences(adaptations, has_simulators=len(created) < len(stacks))
    return outputs


def _gateway_server(
    port: int, engine: Engine, outputs: dict[str, str], stacks: dict[str, SynthesizedStack], limits: Limits
) -> GatewayServer:
    """One address before both APIs: the pages' paths are those of the template's output."""
    template = stacks[f"{_CDK_STAGE}-Service"].template
    path = path_at_api(template["Outputs"][_PAGES_OUTPUT]["Value"])
    pages = Backend(
        path_prefix=f"{path}/",
        target=_api_url(engine, outputs[_PAGES_API_OUTPUT]),
        answers=gateway_answers(template, _PAGES_API_OUTPUT),
    )
    answers = gateway_answers(template, _API_OUTPUT)
    return GatewayServer(port, _api_url(engine, outputs[_API_OUTPUT]), answers, limits, (pages,))


def _api_url(engine: Engine, api_id: str) -> str:
    return f"{engine.endpoint_url}/restapis/{api_id}/{_API_STAGE}/_user_request_"


def _watch(engine: Engine, outputs: dict[str, str], server: GatewayServer, cleanup: ExitStack) -> AlarmListener:
    """Feed the engine's metrics, and print the alarms."""
    queues = {name: url for name, url in outputs.items() if name.endswith("QueueUrl")}
    api_name = engine.client("apigateway").get_rest_api(restApiId=outputs["ApiId"])["name"]
    pump = MetricsPump(engine, queues, api_name, _API_STAGE, server.answered)
    pump.start()
    cleanup.callback(pump.stop)
    listener = AlarmListener(engine, (outputs["AlarmTopicArn"], outputs["TicketTopicArn"]))
    listener.start()
    cleanup.callback(listener.stop)
    return listener


def _say_differences(adaptations: list[Adaptation], *, has_simulators: bool) -> None:
    say("  the templates run as synthesized, except:")
    say("    code and layer are the same modules, as bytecode for this machine, under the same keys")
    if has_simulators:
        say(f"    {_CDK_STAGE}-Sandbox is not created: its simulators run as servers, so that their faults are real")
    for text in _grouped(adaptations):
        say(f"    {text}")


def _grouped(adaptations: list[Adaptation]) -> Iterator[str]:
    """One line for all that are changed alike."""
    alike: dict[tuple[str, str, str], list[Adaptation]] = {}
    for adaptation in adaptations:
        kind = adaptation.resource.rpartition(" ")[2]
        alike.setdefault((kind, adaptation.change, adaptation.reason), []).append(adaptation)
    for (kind, change, reason), several in alike.items():
        yield str(several[0]) if len(several) == 1 else f"{len(several)} of {kind}: {change}, because {reason}"


def _write(environment: LocalEnvironment, processes: Processes) -> None:
    """Readable by its owner only: the file holds an API key."""
    content = {
        "baseUrl": environment.base_url,
        "apiKey": environment.api_key,
        "merchantId": MERCHANT_ID,
        "endpointUrl": environment.engine.endpoint_url,
        "region": environment.engine.region,
        "gateways": {**environment.mocks, **environment.simulators},
        "pids": [os.getpid(), *processes.pids()],
        "outputs": environment.outputs,
        "startedAt": int(time.time()),
    }
    ENVIRONMENT_FILE.touch(mode=0o600)
    ENVIRONMENT_FILE.write_text(json.dumps(content, indent=2) + "\n")


def _refuse_a_second_environment() -> None:
    """Two environments of one checkout would share one file."""
    if not ENVIRONMENT_FILE.is_file():
        return
    try:
        pid = json.loads(ENVIRONMENT_FILE.read_text())["pids"][0]
        os.kill(pid, 0)
    except (ValueError, KeyError, IndexError, ProcessLookupError, PermissionError):
        ENVIRONMENT_FILE.unlink(missing_ok=True)  # its environment was killed
        return
    raise LocalEnvironmentError(
        f"A local environment of this checkout is running already (process {pid}); stop it first."
    )


def _log_to_file() -> None:
    """The server's complaints about clients belong into a file, not between the lines of the walkthrough."""
    SERVER_LOG.unlink(missing_ok=True)
    handler = logging.FileHandler(SERVER_LOG, delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    for name in ("uvicorn", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
