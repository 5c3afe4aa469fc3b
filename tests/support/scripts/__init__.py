"""Programs of other interpreters, which see the code of one release only."""
