"""`make soak`: a steady rate of payments through a local environment; nothing that it uses may grow.

steady.py pays, samples.py measures, verdict.py judges and prints the table.
"""
