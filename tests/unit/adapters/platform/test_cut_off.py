"""The total time of a call: one thread for all calls, which ends those that take too long and no others."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from payflowx.adapters.platform.body_limit import CutOff

_LONG_SECONDS = 600
_SOON_SECONDS = 0.05


@contextmanager
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection to somebody who never answers; a read of it gives up after a minute."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(60)
        yield ours, theirs


def test_a_call_that_takes_too_long_ends() -> None:
    with sockets() as (ours, _):
        cut_off = CutOff()
        cut_off.arm(ours, _SOON_SECONDS)
        assert ours.recv(1) == b""
        assert cut_off.struck


def test_a_short_call_behind_a_long_one_ends_in_its_own_time() -> None:
    with sockets() as (ours, _), sockets() as (other, _theirs):
        patient, hasty = CutOff(), CutOff()
        patient.arm(other, _LONG_SECONDS)
        hasty.arm(ours, _SOON_SECONDS)
        assert ours.recv(1) == b""
        assert (hasty.struck, patient.struck) == (True, False)
        patient.disarm()


def test_what_is_over_is_never_ended() -> None:
    """Its socket may serve the next call by then."""
    with sockets() as (ours, theirs), sockets() as (other, _theirs):
        over, witness = CutOff(), CutOff()
        over.arm(ours, _SOON_SECONDS)
        witness.arm(other, 2 * _SOON_SECONDS)
        over.disarm()
        assert other.recv(1) == b"", "by then the time of the first call is over, too"
        theirs.sendall(b"x")
        assert ours.recv(1) == b"x"
        assert not over.struck


def test_a_second_call_on_a_connection_has_a_time_of_its_own() -> None:
    with sockets() as (ours, theirs), sockets() as (other, _theirs):
        first, second, witness = CutOff(), CutOff(), CutOff()
        first.arm(ours, _SOON_SECONDS)
        first.disarm()
        second.arm(ours, _LONG_SECONDS)
        witness.arm(other, 2 * _SOON_SECONDS)
        first.disarm()
        assert other.recv(1) == b""
        assert not second.struck
        theirs.sendall(b"x")
        assert ours.recv(1) == b"x"
        second.disarm()
        third = CutOff()
        third.arm(ours, _SOON_SECONDS)
        assert ours.recv(1) == b"", "and a third one, which is shorter"
        assert (first.struck, second.struck, third.struck) == (False, False, True)


def test_the_end_of_a_call_over_tls_forgets_no_keys() -> None:
    """`SSLSocket.shutdown` would: a thread that is sending at that moment would send the rest as plain text."""

    class TlsSocket(socket.socket):
        def shutdown(self, _how: int) -> None:
            pytest.fail("the keys are forgotten")

    ours, theirs = socket.socketpair()
    with theirs, TlsSocket(fileno=ours.detach()) as tls:
        tls.settimeout(60)
        cut_off = CutOff()
        cut_off.arm(tls, _SOON_SECONDS)
        assert tls.recv(1) == b""
        assert cut_off.struck


def test_a_socket_that_is_closed_already_ends_no_other_call_early_or_late() -> None:
    with sockets() as (ours, _), sockets() as (closed, _theirs):
        first, second = CutOff(), CutOff()
        first.arm(closed, _SOON_SECONDS)
        closed.close()
        second.arm(ours, 2 * _SOON_SECONDS)
        assert ours.recv(1) == b""
        assert second.struck


def test_many_calls_at_once_share_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    with sockets() as (first, _):
        CutOff().arm(first, _SOON_SECONDS)
        assert first.recv(1) == b""
    monkeypatch.setattr(threading.Thread, "start", lambda thread: pytest.fail(f"{thread.name} was started"))
    with sockets() as (ours, _):
        calls = [CutOff() for _ in range(200)]
        for call in calls:
            call.arm(ours, _LONG_SECONDS)
        for call in calls:
            call.disarm()
        ours.setblocking(False)
        time.sleep(2 * _SOON_SECONDS)
        with pytest.raises(BlockingIOError):
            ours.recv(1)
