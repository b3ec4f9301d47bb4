"""A bad cable: two network interfaces, and between them somebody who loses, delays and reorders packets.

Each end is a TUN device of its own namespace, so that what is lost are IP packets, as in a real network, and the kernel's TCP has
to deal with it. netem would do the same, where the kernel has it; this is the same on every machine, and its chance has a seed.
"""

import fcntl
import heapq
import itertools
import os
import random
import selectors
import struct
import subprocess
import threading
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
LEFT, RIGHT = "10.9.0.1", "10.9.0.2"
MOST_IN_A_ROW = 4


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")


class Cable:
    """Two namespaces, `NAME-left` and `NAME-right`, and the cable between them. `loss` is a probability, `delay` and `jitter` are
    seconds; all may change while it is used. `cut` loses everything.

    Chance loses at most `MOST_IN_A_ROW` packets in a row on the way to an end: without a bound, any time that a test allows is too short once in
    a while."""

    def __init__(self, name, loss=0.0, delay=0.0, jitter=0.0):
        self.loss, self.delay, self.jitter, self.cut = loss, delay, jitter, False
        self.name, self.passed, self.lost = name, 0, 0
        self.chance = random.Random(name)
        self.news = threading.Condition()
        self.ended = False
        self.in_a_row = {}
        ends = [self._end("left", LEFT, RIGHT), self._end("right", RIGHT, LEFT)]
        self.across = {ends[0]: ends[1], ends[1]: ends[0]}
        self.thread = threading.Thread(target=self._carry, daemon=True)
        self.thread.start()

    def wait_for_losses(self, count):
        """Returns when so many more packets were lost."""
        with self.news:
            enough = self.lost + count
            if not self.news.wait_for(lambda: self.lost >= enough, timeout=60):
                raise AssertionError(f"only {self.lost} packets were lost, {enough} were awaited")

    def unplug(self, side):
        """Takes one end's interface away, without a word to the other end."""
        run("ip", "-n", f"{self.name}-{side}", "link", "set", "wire", "down")

    def plug_in(self, side):
        """Brings the interface back; its routes went with it."""
        run("ip", "-n", f"{self.name}-{side}", "link", "set", "wire", "up")
        self._route(side)

    def close(self):
        self.ended = True
        self.thread.join()
        for side in ("left", "right"):
            run("ip", "netns", "del", f"{self.name}-{side}")
        for end in self.across:
            os.close(end)

    def _end(self, side, own, other):
        namespace, device = f"{self.name}-{side}", f"{self.name[:8]}-{side[0]}"
        run("ip", "netns", "add", namespace)
        end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TUN | IFF_NO_PI))
        run("ip", "link", "set", device, "netns", namespace, "name", "wire")
        run("ip", "-n", namespace, "address", "add", own, "peer", other, "dev", "wire")
        run("ip", "-n", namespace, "link", "set", "lo", "up")
        run("ip", "-n", namespace, "link", "set", "wire", "up")
        self._route(side)
        # Where the kernel has them: a stream that is thin anyway does not double its pauses to minutes. A kernel counts how often it tried before it
        # gives a connection up, and with short pauses that is a matter of seconds.
        for name, value in (("tcp_thin_linear_timeouts", 1), ("tcp_rto_max_ms", 1000), ("tcp_retries2", 200)):
            subprocess.run(["ip", "netns", "exec", namespace, "sysctl", "-qw", f"net.ipv4.{name}={value}"], capture_output=True)
        return end

    def _route(self, side):
        own, other = (LEFT, RIGHT) if side == "left" else (RIGHT, LEFT)
        run("ip", "-n", f"{self.name}-{side}", "route", "replace", other, "dev", "wire", "src", own, "rto_min", "40ms")

    def _carry(self):
        """Packets wait in a heap for their time. Those with less jitter overtake those with more."""
        ears = selectors.DefaultSelector()
        for end in self.across:
            ears.register(end, selectors.EVENT_READ)
        waiting, numbers = [], itertools.count()
        while not self.ended:
            pause = waiting[0][0] - time.monotonic() if waiting else 0.1
            for key, _ in ears.select(min(max(pause, 0), 0.1)):
                for packet in self._packets(key.fd):
                    due = time.monotonic() + self.delay + self.chance.uniform(-self.jitter, self.jitter)
                    heapq.heappush(waiting, (due, next(numbers), self.across[key.fd], packet))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, end, packet = heapq.heappop(waiting)
                self._deliver(end, packet)

    def _packets(self, end):
        while True:
            try:
                yield os.read(end, 65536)
            except OSError:
                # Nothing more for now, or the interface is down.
                return

    def _deliver(self, end, packet):
        unlucky = self.chance.random() < self.loss and self.in_a_row.get(end, 0) < MOST_IN_A_ROW
        self.in_a_row[end] = self.in_a_row.get(end, 0) + 1 if unlucky else 0
        lost = self.cut or unlucky
        if not lost:
            try:
                os.write(end, packet)
            except OSError:
                # The interface there is down.
                lost = True
        with self.news:
            if lost:
                self.lost += 1
            else:
                self.passed += 1
            self.news.notify_all()
