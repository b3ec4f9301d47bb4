"""Topics, in both directions."""

import zmq

from case import WIRES, Case, texts


class Subscriptions(Case):
    def test_an_xpub_of_pyzmq_serves_slk(self):
        for slk, xpub in self.links("sub", zmq.XPUB, "--topic", "news", "--topic", "weather"):
            told = sorted([xpub.recv(), xpub.recv()])
            self.assertEqual(told, [b"\x01news", b"\x01weather"])
            for sent in ([b"sport"], [b"news", b"", b"of the day"], [b"weather: rain"]):
                xpub.send_multipart(sent)
            self.assertEqual(slk.message(), ["news", "", "of the day"])
            self.assertEqual(slk.message(), ["weather: rain"])

    def test_subscriptions_of_slk_end_with_it(self):
        """Where pyzmq is bound: an XPUB that connects waits for its peer to come back, and keeps them."""
        for wire in WIRES:
            xpub = self.socket(zmq.XPUB)
            xpub.bind(self.fresh_endpoint(wire))
            with self.slk("sub", "--connect", xpub.last_endpoint.decode(), "--topic", "news", "-n", "1") as slk:
                self.assertEqual(xpub.recv(), b"\x01news")
                xpub.send(b"news: the last")
                slk.ended_well()
                self.assertEqual(xpub.recv(), b"\x00news")

    def test_an_xsub_of_slk_subscribes_and_is_served(self):
        for slk, xpub in self.links("xsub", zmq.XPUB, "--topic", "news"):
            self.assertEqual(xpub.recv(), b"\x01news")
            xpub.send(b"weather")
            xpub.send(b"news: done")
            self.assertEqual(slk.message(), ["news: done"])

    def test_an_xpub_of_slk_sees_what_pyzmq_wants(self):
        for slk, sub in self.links("xpub", zmq.SUB):
            sub.subscribe(b"news")
            self.assertEqual(self.heard(slk, sub), ["\x01news"])
            sub.subscribe(b"weather")
            self.assertEqual(self.heard(slk, sub), ["\x01weather"])
            sub.unsubscribe(b"news")
            self.assertEqual(self.heard(slk, sub), ["\x00news"])
            slk.type_in("news: nobody wants it")
            slk.type_in("weather", "", "rain")
            self.assertEqual(texts(sub.recv_multipart()), ["weather", "", "rain"])

    def test_a_pub_of_slk_waits_for_its_subscriber(self):
        for slk, sub in self.links("pub", zmq.SUB, "--topic", "news", subscribe=b"ne"):
            # A bound socket of libzmq sends what it wants only from inside a call, and receiving is one.
            slk.type_in("of the day")
            self.assertEqual(texts(sub.recv_multipart()), ["news", "of the day"])

    def test_an_xsub_of_pyzmq_is_served(self):
        for slk, xsub in self.links("xpub", zmq.XSUB):
            xsub.send(b"\x01news")
            self.assertEqual(self.heard(slk, xsub), ["\x01news"])
            slk.type_in("news: done")
            self.assertEqual(texts(xsub.recv_multipart()), ["news: done"])
