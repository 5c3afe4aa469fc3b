"""PayFlowX: a payment orchestrator that charges once, loses nothing it accepted and never guesses an outcome."""
