"""Ports for servers of other programs, which are told theirs and cannot be asked for it."""

from __future__ import annotations

import random
import socket

BELOW_THE_SYSTEMS = range(15_000, 30_000)
"""Linux hands out ports from 32768 on by itself, others from 49152 on."""

_rng = random.SystemRandom()  # two processes that were forked or seeded alike are not to agree


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has, and that nobody is given who asks for just any port.

    Until its server has taken it, a connection or a server of another test could be given one of
    the system's own.
    """
    while True:
        port = _rng.choice(BELOW_THE_SYSTEMS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:  # somebody has it
                continue
        return port
