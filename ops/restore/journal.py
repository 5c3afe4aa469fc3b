"""The progress of a restore in a file: a command that was killed goes on from it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ops.errors import Exit, OperatorError
from payflowx.application.recovery.restore import UsedNumbers
from payflowx.application.recovery.restore_procedure import Progress, Step

_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FileJournal:
    """Implements `Journal`. The file has ids, no personal data."""

    path: Path

    def load(self) -> Progress | None:
        """None without a file. Raises `OperatorError` for a file of another form."""
        try:
            stored = json.loads(self.path.read_text())
        except FileNotFoundError:
            return None
        except ValueError:
            stored = {}
        if stored.get("format") != _FORMAT:
            raise OperatorError(f"{self.path} is not the journal of a restore.", Exit.USAGE)
        return Progress(
            restored_to_ms=stored["restored_to_ms"],
            done=tuple(Step(step) for step in stored["done"]),
            sources=stored["sources"],
            stopped_at_ms=stored["stopped_at_ms"],
            copies=stored["copies"],
            touched=tuple(UsedNumbers(**used) for used in stored["touched"]),
            runs=tuple(stored["runs"]),
        )

    def save(self, progress: Progress, /) -> None:
        """Replace the file in one step, so that a kill leaves the old or the new one."""
        text = json.dumps({"format": _FORMAT, **asdict(progress)}, indent=1)
        beside = self.path.with_suffix(".new")
        beside.write_text(text)
        beside.replace(self.path)
