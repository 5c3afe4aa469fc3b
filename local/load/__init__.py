"""`make load`: many clients pay at once through a local environment of their own; a table shows how it held.

clients.py pays, sampling.py counts processes, result.py judges and prints the table.
"""
