"""`python -m clients.generator` writes every generated file of the client libraries."""

from clients.generator import python
from clients.generator.document import load


def main() -> None:
    """Write the files; a test compares them."""
    for path, text in python.written(load()).items():
        path.write_text(text)


main()
