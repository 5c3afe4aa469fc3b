"""`make pages`: write the pages that are made from other files."""

from reference.decisions import INDEX, index

INDEX.write_text(index())
