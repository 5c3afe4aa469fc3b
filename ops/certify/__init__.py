"""Certification: the checklists of docs/providers, run with our connectors against a provider's sandbox."""
