"""Where the stage keeps what it makes. All of it may be deleted at any time."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
STATE: Final = ROOT / ".local"
STAGE_FILE: Final = STATE / "stage.json"
ASSEMBLY: Final = STATE / "cdk.out"
WHEELS: Final = STATE / "wheels"
LAYERS: Final = STATE / "layers"
