"""Prepared incidents, solved from the console with only what its pages show.

`test_gate.py` runs with the other tests of the browser. pytest finds `nightly.py` where it is named: `make incidents`.
"""
