"""`make chaos`: the local environment under load while its parts are killed, paused, cut off and restarted.

load.py pays, captures, cancels and refunds; trouble.py breaks; provider_events.py spoils and counts the simulators'
webhooks; cases.py waits and reads everything about each payment. result.py compares payments, events and charges and
prints the table; operations.py compares captures, voids and refunds, deliveries.py what reached the merchant.

Left out on purpose: `tok_reopened_decline` (its charge comes after FAILED, by the provider's own rules), and requests
to razorpay_mock that get lost before they have an effect. Nothing can prove that these had none, so such a payment is
inquired about for longer than this command waits. Where a kill has the same result, the table says so.
"""
