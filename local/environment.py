"""Stands the stage up, and takes it down again whatever happens."""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import urllib3

from local.alarm_listener import AlarmBell
from local.api import Api
from local.console import say, step
from local.deploy import bootstrap, create_stack, upload_assets
from local.engine import Engine, start_engine
from local.errors import StageError
from local.gateway_server import Front, check_port
from local.layers import host_layer
from local.metrics_pump import MetricsPump
from local.paths import STAGE_FILE, STATE
from local.processes import Processes
from local.seed import MERCHANT_ID, seed_merchant
from local.simulators import make_accounts, start_gateways, subscribe
from local.synthesis import synthesize
from local.template_adapter import Adaptation
from local.template_merge import read_stacks
from sandbox.simulators import REAL_PROVIDERS, SIMULATORS

_STAGE: Final = "Dev"
_REGION: Final = "eu-west-1"
_API_STAGE: Final = "v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A running stage."""

    base_url: str
    api_key: str
    engine: Engine
    gateways: dict[str, str]
    """The simulators to which payments are routed by default."""
    vendors: dict[str, str]
    """Those of the real vendors, for payments that ask for one by name."""
    outputs: dict[str, str]
    bell: AlarmBell
    """What the alarms have told."""

    def api(self) -> Api:
        """A client of its API."""
        return Api(self.base_url, self.api_key, urllib3.PoolManager(maxsize=8))


@contextmanager
def running_stage(port: int, *, keep_state: bool = False) -> Iterator[Stage]:
    """Everything up inside, everything down afterwards. Raises `StageError` with one sentence.

    With `keep_state` the engine can be restarted inside: `stage.engine.process.restart()`.
    """
    check_port(port)
    _refuse_a_second_stage()
    STATE.mkdir(exist_ok=True)
    with ExitStack() as cleanup:
        temporary = Path(tempfile.mkdtemp(prefix="payflowx-"))
        cleanup.callback(shutil.rmtree, temporary, ignore_errors=True)
        processes = Processes()
        cleanup.callback(processes.stop)
        yield _stand_up(port, processes, temporary, cleanup, keep_state=keep_state)


def _stand_up(port: int, processes: Processes, temporary: Path, cleanup: ExitStack, *, keep_state: bool) -> Stage:
    with step("synthesizing the stacks"):
        synthesize()
    stacks = read_stacks(_STAGE)
    simulators = stacks.pop(f"{_STAGE}-Sandbox", None)
    with step("starting the engine"):
        engine = start_engine(processes, region=_REGION, temporary=temporary, parent=os.getpid(), keep_state=keep_state)
    with step("uploading the assets"):
        bootstrap(engine)
        upload_assets(engine, stacks, host_layer())
    outputs: dict[str, str] = {}
    adaptations: list[Adaptation] = []
    for stack in stacks.values():
        with step(f"creating the stack {stack.name}"):
            made, changes = create_stack(engine, stack)
        outputs |= made
        adaptations += changes
    with step("starting the gateway simulators"):
        accounts = make_accounts()
        gateways = start_gateways(processes, accounts)
    with step("creating the demo merchant"):
        seeded = seed_merchant(engine, outputs["OperationsFunctionName"], gateways, accounts)
    _say_differences(adaptations, has_simulators=simulators is not None)
    front = Front(port, f"{engine.endpoint_url}/restapis/{outputs['ApiId']}/{_API_STAGE}/_user_request_")
    front.start()
    cleanup.callback(front.stop)
    subscribe(gateways, {name: front.url + path for name, path in seeded.webhook_paths.items()})
    queues = {name: url for name, url in outputs.items() if name.endswith("QueueUrl")}
    api_name = engine.client("apigateway").get_rest_api(restApiId=outputs["ApiId"])["name"]
    pump = MetricsPump(engine, queues, api_name, front.answered)
    pump.start()
    cleanup.callback(pump.stop)
    bell = AlarmBell(engine, outputs["AlarmTopicArn"])
    bell.start()
    cleanup.callback(bell.stop)
    stage = Stage(
        base_url=front.url,
        api_key=seeded.api_key,
        engine=engine,
        gateways={name: gateways[name] for name in SIMULATORS},
        vendors={name: gateways[name] for name in REAL_PROVIDERS},
        outputs=outputs,
        bell=bell,
    )
    _write(stage, processes)
    cleanup.callback(STAGE_FILE.unlink, missing_ok=True)
    return stage


def _say_differences(adaptations: list[Adaptation], *, has_simulators: bool) -> None:
    say("  the templates run as synthesized, but for:")
    say("    the layer holds the same packages, built for this machine, under the same key")
    if has_simulators:
        say("    Dev-Sandbox is not created: its simulators run as servers, so that their faults are real")
    for text in _summed_up(adaptations):
        say(f"    {text}")


def _summed_up(adaptations: list[Adaptation]) -> Iterator[str]:
    """One line for many of a kind."""
    alike: dict[tuple[str, str, str], list[Adaptation]] = {}
    for adaptation in adaptations:
        kind = adaptation.resource.rpartition(" ")[2]
        alike.setdefault((kind, adaptation.change, adaptation.reason), []).append(adaptation)
    for (kind, change, reason), several in alike.items():
        yield str(several[0]) if len(several) == 1 else f"{len(several)} of {kind}: {change}, because {reason}"


def _write(stage: Stage, processes: Processes) -> None:
    content = {
        "baseUrl": stage.base_url,
        "apiKey": stage.api_key,
        "merchantId": MERCHANT_ID,
        "endpointUrl": stage.engine.endpoint_url,
        "region": stage.engine.region,
        "gateways": {**stage.gateways, **stage.vendors},
        "pids": [os.getpid(), *processes.pids()],
        "outputs": stage.outputs,
        "startedAt": int(time.time()),
    }
    STAGE_FILE.touch(mode=0o600)
    STAGE_FILE.write_text(json.dumps(content, indent=2) + "\n")


def _refuse_a_second_stage() -> None:
    """Two stages of one checkout would share one stage.json."""
    if not STAGE_FILE.is_file():
        return
    try:
        pid = json.loads(STAGE_FILE.read_text())["pids"][0]
        os.kill(pid, 0)
    except (ValueError, KeyError, IndexError, ProcessLookupError, PermissionError):
        STAGE_FILE.unlink(missing_ok=True)  # left by a stage that was killed
        return
    raise StageError(f"A stage of this checkout is running already (process {pid}); stop it first.")
