from tests.integration.conftest import functions

__all__ = ["functions"]
