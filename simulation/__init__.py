"""The whole product in one process, on simulated time, against everything that can go wrong.

The code under test is the deployed code: entrypoints, use cases, adapters with their expressions, providers' builders
and parsers. What lies beyond the boto3 clients and the HTTP client is a model. A seed decides everything.
"""
