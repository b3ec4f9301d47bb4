"""Every pattern that the tool has, against its counterpart of libzmq."""

import zmq

from case import Case, texts

SHAPES = (["one"], ["several", "", "parts"], [""], ["last"])


class Patterns(Case):
    def test_slk_pushes_and_pyzmq_pulls(self):
        for slk, pull in self.links("push", zmq.PULL):
            for shape in SHAPES:
                slk.type_in(*shape)
                self.assertEqual(texts(pull.recv_multipart()), shape)
            slk.ended_well()

    def test_pyzmq_pushes_and_slk_pulls(self):
        for slk, push in self.links("pull", zmq.PUSH, "-n", str(len(SHAPES))):
            for shape in SHAPES:
                push.send_multipart([part.encode() for part in shape])
                self.assertEqual(slk.message(), shape)
            slk.ended_well()

    def test_slk_asks_and_pyzmq_answers(self):
        for slk, rep in self.links("req", zmq.REP):
            for shape in SHAPES:
                slk.type_in(*shape)
                self.assertEqual(texts(rep.recv_multipart()), shape)
                rep.send_multipart([b"answer", b"in parts"])
                self.assertEqual(slk.message(), ["answer", "in parts"])
            slk.ended_well()

    def test_pyzmq_asks_and_slk_answers(self):
        for slk, req in self.links("rep", zmq.REQ, "-n", str(len(SHAPES))):
            for shape in SHAPES:
                req.send_multipart([part.encode() for part in shape])
                self.assertEqual(slk.message(), shape)
                self.assertEqual(texts(req.recv_multipart()), shape)
            slk.ended_well()

    def test_requests_of_pyzmq_are_correlated(self):
        """A request that is given up for the next one gets no answer any more, the next one its own."""
        for slk, req in self.links("rep", zmq.REQ, req_correlate=1, req_relaxed=1):
            for number in range(20):
                req.send_string(f"given up {number}")
                req.send_string(f"question {number}")
                self.assertEqual(req.recv_string(), f"question {number}")

    def test_a_dealer_of_slk_is_known_to_a_router_by_its_name(self):
        for slk, router in self.links("dealer", zmq.ROUTER, "--routing-id", "worker", router_mandatory=1):
            slk.type_in("to", "router")
            self.assertEqual(texts(router.recv_multipart()), ["worker", "to", "router"])
            router.send_multipart([b"worker", b"", b"back"])
            self.assertEqual(slk.message(), ["", "back"])

    def test_a_dealer_of_pyzmq_is_known_to_slk_by_its_name(self):
        for slk, dealer in self.links("router", zmq.DEALER, routing_id=b"worker"):
            dealer.send_multipart([b"to", b"router"])
            self.assertEqual(slk.message(), ["worker", "to", "router"])
            slk.type_in("worker", "", "back")
            self.assertEqual(texts(dealer.recv_multipart()), ["", "back"])

    def test_a_probe_tells_slk_the_name_at_once(self):
        for slk, dealer in self.links("router", zmq.DEALER, routing_id=b"worker", probe_router=1):
            self.assertEqual(self.heard(slk, dealer), ["worker", ""])
            slk.type_in("worker", "welcome")
            self.assertEqual(texts(dealer.recv_multipart()), ["welcome"])

    def test_a_dealer_of_pyzmq_is_answered_by_a_rep_of_slk(self):
        for slk, dealer in self.links("rep", zmq.DEALER):
            dealer.send_multipart([b"hop", b"", b"question"])
            self.assertEqual(slk.message(), ["question"])
            self.assertEqual(texts(dealer.recv_multipart()), ["hop", "", "question"])

    def test_pairs_talk_both_ways(self):
        for slk, pair in self.links("pair", zmq.PAIR):
            for shape in SHAPES:
                slk.type_in(*shape)
                self.assertEqual(texts(pair.recv_multipart()), shape)
                pair.send_multipart([part.encode() for part in shape])
                self.assertEqual(slk.message(), shape)

    def test_parts_may_be_sent_one_by_one(self):
        for slk, push in self.links("pull", zmq.PUSH):
            for part in (b"first", b"", b"third"):
                push.send(part, zmq.SNDMORE)
            push.send(b"last")
            self.assertEqual(slk.message(), ["first", "", "third", "last"])

    def test_parts_may_be_received_one_by_one(self):
        for slk, pull in self.links("push", zmq.PULL):
            slk.type_in("first", "", "last")
            for part, more in ((b"first", 1), (b"", 1), (b"last", 0)):
                self.assertEqual(pull.recv(), part)
                self.assertEqual(pull.rcvmore, more)

    def test_large_messages(self):
        body = "0123456789abcdef" * (5 * 1024 * 1024 // 16)
        for slk, pair in self.links("pair", zmq.PAIR):
            pair.send_multipart([b"here it comes", body.encode()])
            self.assertTrue(slk.message() == ["here it comes", body], "it changed on the way to slk")
            slk.type_in(body)
            self.assertTrue(pair.recv() == body.encode(), "it changed on the way back")

    def test_a_stream_arrives_whole_and_in_order(self):
        for slk, push in self.links("pull", zmq.PUSH):
            for number in range(3000):
                push.send_multipart([str(number).encode(), b"x" * (number % 300)])
            for number in range(3000):
                self.assertEqual(slk.message(), [str(number), "x" * (number % 300)])
