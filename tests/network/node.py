"""The program of ours at one end of the cable."""

import os
import subprocess
import threading

# Only a failing test waits so long.
PATIENCE = 70


class Node:
    def __init__(self, cable, side, *words):
        command = ["ip", "netns", "exec", f"{cable.name}-{side}", os.environ["SERVERLINK_NODE"], *words]
        self.name = f"{words[0]} on the {side}"
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines, self.read, self.news = [], 0, threading.Condition()
        threading.Thread(target=self._follow, daemon=True).start()

    def type_in(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()

    def wait_for(self, start):
        """The next line that starts so; those before it are passed over."""
        with self.news:
            if not self.news.wait_for(lambda: self._find(start), timeout=PATIENCE):
                raise AssertionError(f"{self.name} did not say '{start}' but {self.lines}")
            return self.lines[self.read - 1]

    def said(self, start):
        with self.news:
            return [line for line in self.lines if line.startswith(start)]

    def kill(self):
        self.child.kill()
        self.child.wait()

    def _find(self, start):
        while self.read < len(self.lines):
            self.read += 1
            if self.lines[self.read - 1].startswith(start):
                return True
        if self.child.poll() is not None:
            raise AssertionError(f"{self.name} ended: {self.lines}")
        return False

    def _follow(self):
        for line in self.child.stdout:
            with self.news:
                self.lines.append(line.rstrip("\n"))
                self.news.notify_all()
        self.child.wait()
        with self.news:
            self.news.notify_all()
