"""The local stage: runs the synthesized templates on this machine.

Nothing about tables, queues, routes, roles or functions is written here a second time; what the engine cannot model is
changed in a copy of the template, in adapt.py, and said.
"""
