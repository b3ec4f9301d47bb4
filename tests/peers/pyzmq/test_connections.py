"""Handshakes, heartbeats and restarts, as libzmq's monitor and its options show them."""

import socket

import zmq

from case import WIRES, Case, events_so_far, wait_for_event
from slk import Slk

# libzmq gives up a peer that says nothing for so long, in milliseconds.
PAUSE, PATIENCE_WITH_SILENCE = 100, 1000


class Connections(Case):
    def test_the_handshake_succeeds_at_once(self):
        for wire in WIRES:
            with self.subTest(wire=wire):
                pull = self.socket(zmq.PULL)
                monitor = self.monitor(pull)
                pull.bind(self.fresh_endpoint(wire))
                with Slk("push", "--connect", pull.last_endpoint.decode(), "-m", "hello") as slk:
                    seen = wait_for_event(monitor, zmq.EVENT_HANDSHAKE_SUCCEEDED)
                    self.assertEqual(seen, [zmq.EVENT_LISTENING, zmq.EVENT_ACCEPTED, zmq.EVENT_HANDSHAKE_SUCCEEDED])
                    self.assertEqual(pull.recv(), b"hello")
                    slk.ended_well()
                self.assertEqual(wait_for_event(monitor, zmq.EVENT_DISCONNECTED), [zmq.EVENT_DISCONNECTED])

    def test_a_wrong_pair_is_refused_and_others_come_in(self):
        for wire in WIRES:
            with self.subTest(wire=wire):
                pull = self.socket(zmq.PULL)
                monitor = self.monitor(pull)
                pull.bind(self.fresh_endpoint(wire))
                endpoint = pull.last_endpoint.decode()
                with Slk("sub", "--connect", endpoint):
                    wait_for_event(monitor, zmq.EVENT_DISCONNECTED)
                    with Slk("push", "--connect", endpoint, "-m", "hello"):
                        self.assertEqual(pull.recv(), b"hello")

    def test_a_sender_that_queues_for_nobody_waits_for_the_handshake(self):
        """With ZMQ_IMMEDIATE nothing is sent until slk is there, and then it is."""
        for wire in WIRES:
            with self.subTest(wire=wire):
                endpoint = self.endpoint_where_nobody_listens(wire)
                push = self.socket(zmq.PUSH, immediate=1, reconnect_ivl=20)
                push.connect(endpoint)
                with self.assertRaises(zmq.Again):
                    push.send(b"too early", zmq.DONTWAIT)
                with self.slk("pull", "--bind", endpoint) as slk:
                    push.send(b"now")
                    self.assertEqual(slk.message(), ["now"])

    def endpoint_where_nobody_listens(self, wire):
        if wire == "ipc":
            return self.fresh_endpoint(wire)
        with socket.create_server(("127.0.0.1", 0)) as reserved:
            return f"tcp://127.0.0.1:{reserved.getsockname()[1]}"

    def test_heartbeats_of_libzmq_are_answered(self):
        """A suspended slk is given up. One that runs has been silent as long, and is kept because it answers."""
        options = {
            "heartbeat_ivl": PAUSE, "heartbeat_timeout": PATIENCE_WITH_SILENCE, "heartbeat_ttl": PATIENCE_WITH_SILENCE,
        }
        for slk, push in self.links("pull", zmq.PUSH, **options):
            push.send(b"before")
            self.assertEqual(slk.message(), ["before"])
            monitor = self.monitor(push)
            self.wait_until_a_suspended_one_is_given_up(options)
            self.assertNotIn(zmq.EVENT_DISCONNECTED, events_so_far(monitor))
            push.send(b"after")
            self.assertEqual(slk.message(), ["after"])

    def wait_until_a_suspended_one_is_given_up(self, options):
        push = self.socket(zmq.PUSH, **options)
        push.bind("tcp://127.0.0.1:*")
        with self.slk("pull", "--connect", push.last_endpoint.decode()) as slk:
            push.send(b"hello")
            self.assertEqual(slk.message(), ["hello"])
            monitor = self.monitor(push)
            slk.suspend()
            self.assertIn(zmq.EVENT_DISCONNECTED, wait_for_event(monitor, zmq.EVENT_DISCONNECTED))
            # And it comes back as if nothing had been.
            slk.go_on()
            wait_for_event(monitor, zmq.EVENT_HANDSHAKE_SUCCEEDED)
            push.send(b"again")
            self.assertEqual(slk.message(), ["again"])
        push.close()

    def test_a_restarted_slk_is_found_again(self):
        for wire in WIRES:
            with self.subTest(wire=wire):
                endpoint = self.fresh_endpoint(wire)
                req = self.socket(zmq.REQ, reconnect_ivl=20)
                for life in range(3):
                    with self.slk("rep", "--bind", endpoint, "-n", "1") as slk:
                        if life == 0:
                            endpoint = slk.endpoint()
                            req.connect(endpoint)
                        req.send_string(f"in life {life}")
                        self.assertEqual(req.recv_string(), f"in life {life}")
                        slk.ended_well()

    def test_slk_finds_a_restarted_pyzmq_again(self):
        for wire in WIRES:
            with self.subTest(wire=wire):
                xpub = self.socket(zmq.XPUB)
                xpub.bind(self.fresh_endpoint(wire))
                endpoint = xpub.last_endpoint.decode()
                with self.slk("sub", "--connect", endpoint, "--topic", "news") as slk:
                    for life in range(3):
                        if life > 0:
                            xpub = self.bind_again(endpoint)
                        self.assertEqual(xpub.recv(), b"\x01news")
                        xpub.send_string(f"news of life {life}")
                        self.assertEqual(slk.message(), [f"news of life {life}"])
                        xpub.close()

    def bind_again(self, endpoint):
        """libzmq closes in the background: an address that was just given up may take a moment."""
        xpub = self.socket(zmq.XPUB)
        while True:
            try:
                xpub.bind(endpoint)
                return xpub
            except zmq.ZMQError as error:
                if error.errno != zmq.EADDRINUSE:
                    raise
