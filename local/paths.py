"""Where the local environment keeps what it makes. All of it may be deleted at any time."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
STATE: Final = ROOT / ".local"
ENVIRONMENT_FILE: Final = STATE / "stage.json"
"""Address, API key and process ids of the environment that runs; `payflowx` reads it."""
ASSEMBLY: Final = STATE / "cdk.out"
WHEELS: Final = STATE / "wheels"
SERVER_LOG: Final = STATE / "api-server.log"
CONSOLE_LOG: Final = STATE / "console.log"
LAYERS: Final = STATE / "layers"
FUNCTION_CODE: Final = STATE / "function-code"
START_LOCK: Final = STATE / "start.lock"
