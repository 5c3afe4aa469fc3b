"""The part of the gate that runs on Node."""
