"""In-memory models of AWS services that unit tests and the simulator share."""
