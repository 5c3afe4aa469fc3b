"""HTTP requests as bytes on a socket, for servers that misbehave."""

import re
import socket
from typing import Final

_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_END: Final = b"\r\n\r\n"


def read_request(sock: socket.socket) -> bytes:
    """One request with its body, which may come in a segment of its own; what is no HTTP as it comes.

    Empty, or a part, where the client leaves.
    """
    data = b""
    while not _is_whole(data):
        part = sock.recv(65536)
        if not part:
            break
        data += part
    return data


def _is_whole(data: bytes) -> bool:
    if data and not data[:1].isalpha():  # a handshake of TLS
        return True
    head, end, body = data.partition(_END)
    length = _LENGTH.search(head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)
