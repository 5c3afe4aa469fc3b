"""What MkDocs calls while it builds the site (`hooks` in mkdocs.yml)."""

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from reference.api import page


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Expand `folder/` in the navigation to the pages of that folder, so that a new page needs no entry."""
    config.nav = [_expanded(entry, Path(config.docs_dir)) for entry in config.nav or ()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the API reference."""
    files.append(File.generated(config, "api-reference.md", content=page()))
    return files


def _expanded(entry: Any, docs: Path) -> Any:
    if isinstance(entry, dict):
        return {title: _expanded(value, docs) for title, value in entry.items()}
    if isinstance(entry, list):
        return [_expanded(one, docs) for one in entry]
    if isinstance(entry, str) and entry.endswith("/"):
        pages = sorted((docs / entry).glob("*.md"), key=lambda path: (path.name != "README.md", path.name))
        return [str(path.relative_to(docs)) for path in pages]
    return entry
