"""Provider simulators: they speak the providers' wire formats, keep a ledger, and can be told to misbehave.

Written from the providers' rules and not from the adapters, so that the two can find each other's mistakes.
"""
