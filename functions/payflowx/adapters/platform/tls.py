"""TLS for the connections that the functions open themselves, to providers and to merchants' endpoints."""

import ssl
from functools import cache

from urllib3.util.ssl_ import create_urllib3_context


@cache
def tls_context() -> ssl.SSLContext:
    """One for the process, with urllib3's own settings and the machine's certificate authorities.

    Without it urllib3 makes one for each connection. Each reads all authorities again, which takes far more processor
    time than the handshake.
    """
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.load_default_certs()
    return context
