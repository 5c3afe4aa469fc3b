"""`make chaos`: the local stage under load while its parts are killed, paused, cut off and restarted; then the books.

load.py pays, trouble.py breaks, evidence.py waits and reads everything, verdict.py compares and prints the table.

What is left out on purpose: `tok_reopened_decline` (its charge comes after FAILED, by the gateway's own rules), and at
razorpay_mock requests that get lost before they have an effect: nothing can prove that they had none, so that such a
payment is asked about for longer than anybody waits here. Where a kill leads there all the same, the table says so.
"""
