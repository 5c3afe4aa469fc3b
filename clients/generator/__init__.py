"""Generates the client libraries' types and operations from `docs/openapi.json`.

`document` reads the OpenAPI document into tables that know no language; one module a language writes them down.
"""
