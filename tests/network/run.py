"""The real-network tests, all at once: each has a cable of its own. ci/network starts this where it may make namespaces."""

import contextlib
import sys
import threading
import time
import traceback

from cable import RIGHT, Cable
from node import Node

ENDPOINT = f"tcp://{RIGHT}:5555"
# Given up after 0.9 s without a byte.
QUICK = ("heartbeat=300", "silence=600", "handshake=2000")
SILENT = "disconnected: nothing was heard from the peer for too long"


def a_stream_survives_60_percent_loss(scene):
    """Both ways: of what is sent and acknowledged, a sixth arrives with its acknowledgement."""
    cable = scene.cable(loss=0.6, delay=0.005)
    pull = scene.node("right", "pull", ENDPOINT, "count=150", "bytes=200", "silence=60000")
    pull.wait_for("listening")
    push = scene.node("left", "push", ENDPOINT, "count=150", "bytes=200", "silence=60000")
    pull.wait_for("complete 150")
    assert push.said("established") == ["established"] and not push.said("disconnected"), push.lines
    assert cable.lost > 20, f"only {cable.lost} packets were lost, {cable.passed} were not"


def a_stream_survives_delay_reordering_and_loss(scene):
    cable = scene.cable(loss=0.02, delay=0.05, jitter=0.02)
    pull = scene.node("right", "pull", ENDPOINT, "count=1500", "bytes=400")
    pull.wait_for("listening")
    push = scene.node("left", "push", ENDPOINT, "count=1500", "bytes=400")
    pull.wait_for("complete 1500")
    assert not push.said("disconnected"), push.lines
    assert cable.lost > 3, f"only {cable.lost} packets were lost"


def a_request_waits_out_a_short_partition(scene):
    """It is shorter than the heartbeats' patience, so that nobody notices it but by waiting."""
    cable = scene.cable(delay=0.005)
    rep = scene.node("right", "rep", ENDPOINT)
    rep.wait_for("listening")
    req = scene.node("left", "req", ENDPOINT)
    req.type_in("before")
    req.wait_for("answer before")
    cable.cut = True
    req.type_in("during")
    # TCP tries again after 0.04, 0.08, 0.16 ... seconds: these are about two seconds.
    cable.wait_for_losses(6)
    assert not req.said("answer during")
    cable.cut = False
    req.wait_for("answer during")
    assert not req.said("disconnected") and not rep.said("disconnected"), (req.lines, rep.lines)


def a_long_partition_is_noticed_by_both_and_requests_go_on(scene):
    cable = scene.cable(delay=0.005)
    rep = scene.node("right", "rep", ENDPOINT, *QUICK)
    rep.wait_for("listening")
    req = scene.node("left", "req", ENDPOINT, *QUICK)
    req.type_in("before")
    req.wait_for("answer before")
    cable.cut = True
    assert req.wait_for("disconnected") == SILENT
    assert rep.wait_for("disconnected") == SILENT
    # Nobody is there: it waits in the socket, and the attempts to connect are told.
    req.type_in("during")
    req.wait_for("retrying")
    cable.cut = False
    req.wait_for("established")
    req.wait_for("answer during")
    req.type_in("after")
    req.wait_for("answer after")


def subscriptions_come_back_after_a_long_partition(scene):
    cable = scene.cable(delay=0.005)
    publisher = scene.node("right", "pub", ENDPOINT, *QUICK)
    publisher.wait_for("listening")
    subscriber = scene.node("left", "sub", ENDPOINT, *QUICK)
    for number in range(2):
        publisher.type_in(f"news {number}")
        subscriber.wait_for(f"got news {number}")
        cable.cut = True
        assert subscriber.wait_for("disconnected") == SILENT
        assert publisher.wait_for("disconnected") == SILENT
        cable.cut = False
    publisher.type_in("the last news")
    subscriber.wait_for("got the last news")
    assert subscriber.said("got") == ["got news 0", "got news 1", "got the last news"]


def a_peer_that_is_gone_without_a_word_is_noticed(scene):
    """Its machine's cable is pulled out, and then it dies: no FIN and no RST ever comes. Another one takes its place."""
    cable = scene.cable(delay=0.005)
    pull = scene.node("right", "pull", ENDPOINT, "count=10")
    pull.wait_for("listening")
    push = scene.node("left", "push", ENDPOINT, "count=10", *QUICK)
    pull.wait_for("complete 10")
    cable.unplug("right")
    pull.kill()
    assert push.wait_for("disconnected") == SILENT
    push.wait_for("retrying")
    cable.plug_in("right")
    scene.node("right", "pull", ENDPOINT, "count=0").wait_for("established")
    push.wait_for("established")


def a_listener_forgets_a_peer_that_is_gone_without_a_word(scene):
    cable = scene.cable(delay=0.005)
    pull = scene.node("right", "pull", ENDPOINT, "count=20", "bytes=100", *QUICK)
    pull.wait_for("listening")
    push = scene.node("left", "push", ENDPOINT, "count=10")
    pull.wait_for("established")
    push.wait_for("sent all")
    # What was on its way would be lost with its sender.
    cable.unplug("left")
    push.kill()
    assert pull.wait_for("disconnected") == SILENT
    assert not pull.said("something else"), pull.lines


TESTS = [
    a_stream_survives_60_percent_loss,
    a_stream_survives_delay_reordering_and_loss,
    a_request_waits_out_a_short_partition,
    a_long_partition_is_noticed_by_both_and_requests_go_on,
    subscriptions_come_back_after_a_long_partition,
    a_peer_that_is_gone_without_a_word_is_noticed,
    a_listener_forgets_a_peer_that_is_gone_without_a_word,
]


class Scene(contextlib.ExitStack):
    """What a test made, given up where it ends."""

    def __init__(self, number):
        super().__init__()
        self.number, self.the_cable, self.nodes = number, None, []

    def cable(self, **faults):
        self.the_cable = Cable(f"sl{self.number}", **faults)
        self.callback(self.the_cable.close)
        return self.the_cable

    def node(self, side, *words):
        node = Node(self.the_cable, side, *words)
        self.callback(node.kill)
        self.nodes.append(node)
        return node

    def account(self):
        """What happened so far, for whoever finds that something did not."""
        cable = self.the_cable
        packets = f"{cable.passed} packets passed, {cable.lost} were lost" if cable else "no cable"
        return "\n".join([packets, *(f"{node.name} said {node.lines}" for node in self.nodes)])


def attempt(number, test, failures):
    started = time.monotonic()
    try:
        with Scene(number) as scene:
            try:
                test(scene)
            except Exception:
                failures[test.__name__] = f"{traceback.format_exc()}\n{scene.account()}\n"
    except Exception:
        failures[test.__name__] = failures.get(test.__name__, "") + traceback.format_exc()
    verdict = "FAILED" if test.__name__ in failures else "ok"
    print(f"test {test.__name__} ... {verdict} ({time.monotonic() - started:.1f} s)", flush=True)


def main():
    failures = {}
    chosen = [test for test in TESTS if not sys.argv[1:] or test.__name__ in sys.argv[1:]]
    threads = [threading.Thread(target=attempt, args=(number, test, failures)) for number, test in enumerate(chosen)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        print("\nfailures:\n")
        for name, trace in failures.items():
            print(f"---- {name}\n{trace}")
    verdict = "FAILED" if failures or not chosen else "ok"
    print(f"test result: {verdict}. {len(chosen) - len(failures)} passed; {len(failures)} failed", flush=True)
    return 0 if verdict == "ok" else 1


if __name__ == "__main__":
    sys.exit(main())
