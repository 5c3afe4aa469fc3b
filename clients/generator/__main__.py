"""`python -m clients.generator` writes every generated file of the client libraries."""

from clients.generator import double, python, typescript
from clients.generator.document import load


def main() -> None:
    """Write the files; a test compares them."""
    api = load()
    for path, text in {**python.written(api), **typescript.written(api), **double.written(api)}.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


main()
