"""Provider simulators: they implement the providers' wire formats, keep a ledger, and can misbehave on request.

Written from the providers' documentation and independent of the connectors, so that tests of one against the other
can find mistakes in both.
"""
