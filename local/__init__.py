"""The local environment: runs the synthesized templates on this machine.

Nothing about tables, queues, routes, roles or functions is written here a second time. template_adapter.py changes what
the engine cannot model, in a copy of the template, and prints each change.
"""
