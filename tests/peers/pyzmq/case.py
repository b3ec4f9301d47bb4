"""What every test needs: sockets of pyzmq that end with their test, and the ways in which they meet an slk."""

import contextlib
import os
import tempfile
import unittest

import zmq
from zmq.utils.monitor import recv_monitor_message

from slk import PATIENCE, Slk

WIRES = ("tcp", "ipc")
# Which patterns of slk read messages, and which write them.
READS = {"push", "req", "dealer", "pair", "pub", "router", "xpub", "xsub"}
WRITES = {"pull", "req", "rep", "dealer", "pair", "sub", "router", "xpub", "xsub"}


class Case(unittest.TestCase):
    def setUp(self):
        self.context = zmq.Context()
        self.addCleanup(self.context.destroy, linger=0)
        self.directory = self.enterContext(tempfile.TemporaryDirectory())
        self.names = 0
        self.monitors = []

    def socket(self, kind, **options):
        """A socket with options by their names in lower case, those first that have to be set before it connects."""
        socket = self.context.socket(kind)
        socket.linger = 0
        socket.rcvtimeo = socket.sndtimeo = PATIENCE * 1000
        for name, value in options.items():
            socket.setsockopt(getattr(zmq, name.upper()), value)
        return socket

    def fresh_endpoint(self, wire):
        if wire == "tcp":
            return "tcp://127.0.0.1:*"
        self.names += 1
        return f"ipc://{os.path.join(self.directory, str(self.names))}"

    def slk(self, pattern, *words):
        """An slk whose messages are JSON on both sides."""
        formats = [*(["--input", "json"] if pattern in READS else []), *(["--output", "json"] if pattern in WRITES else [])]
        return Slk(pattern, *formats, *words)

    def links(self, pattern, kind, *words, **options):
        """The pairs of an slk and a socket, linked, over both wires and with either of them bound."""
        for wire in WIRES:
            for binder in ("slk", "pyzmq"):
                # Shown only when the test fails: which of the links it was.
                print(f"over {wire}, bound by {binder}")
                with contextlib.ExitStack() as stack:
                    socket = self.socket(kind, **options)
                    stack.callback(socket.close)
                    endpoint = self.fresh_endpoint(wire)
                    if binder == "slk":
                        slk = stack.enter_context(self.slk(pattern, "--bind", endpoint, *words))
                        socket.connect(slk.endpoint())
                    else:
                        socket.bind(endpoint)
                        slk = stack.enter_context(self.slk(pattern, "--connect", socket.last_endpoint.decode(), *words))
                    yield slk, socket

    def heard(self, slk, socket):
        """The next message of slk. A bound socket of libzmq sends what it says by itself, subscriptions and probes, only from
        inside a call."""
        while slk.printed.empty():
            socket.poll(1)
        return slk.message()

    def monitor(self, socket):
        """Its reader lives as long as the test: libzmq's I/O thread stops where nobody takes the events of a living socket."""
        monitor = socket.get_monitor_socket(zmq.EVENT_ALL)
        monitor.rcvtimeo = PATIENCE * 1000
        self.monitors.append(monitor)
        self.addCleanup(socket.close)
        return monitor


def wait_for_event(monitor, wanted):
    """Every event up to the wanted one, that included."""
    seen = []
    while wanted not in seen:
        seen.append(recv_monitor_message(monitor)["event"])
    return seen


def events_so_far(monitor):
    seen = []
    while monitor.poll(0):
        seen.append(recv_monitor_message(monitor)["event"])
    return seen


def texts(parts):
    return [part.decode() for part in parts]
