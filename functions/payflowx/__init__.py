"""PayFlowX: a payment orchestrator that charges once, loses nothing it accepted and never guesses an outcome."""

from payflowx import generated_code

generated_code.use()
