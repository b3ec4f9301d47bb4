"""The tool as a program beside this one: started, fed, read line by line, suspended, waited for."""

import json
import os
import queue
import signal
import subprocess
import threading

# Longer than anything takes on the slowest machine; only a failing test waits so long.
PATIENCE = 30


class Slk:
    """One running slk whose messages go in and out as JSON: a list of texts each. Killed where its `with` ends."""

    def __init__(self, *words):
        program = os.environ["SERVERLINK_SLK"]
        self.child = subprocess.Popen(
            [program, *words, "--timeout", str(PATIENCE)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        self.said = []
        self.listening = queue.Queue()
        self.printed = queue.Queue()
        for work in (self._follow_errors, self._follow_output):
            threading.Thread(target=work, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()
        self.child.stdin.close()

    def endpoint(self):
        """Where it listens, as it says itself."""
        endpoint = self._next(self.listening, "it does not listen")
        assert endpoint, f"it ended before it listened: {self.said}"
        return endpoint

    def type_in(self, *parts):
        self.child.stdin.write(json.dumps(list(parts)).encode() + b"\n")
        self.child.stdin.flush()

    def message(self):
        """The next message that it wrote."""
        line = self._next(self.printed, "it wrote nothing")
        assert line, f"it ended: {self.said}"
        return json.loads(line)

    def ended_well(self):
        self.child.stdin.close()
        status = self.child.wait(PATIENCE)
        assert status == 0, f"it ended with {status}: {self.said}"

    def suspend(self):
        self.child.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.child.send_signal(signal.SIGCONT)

    def _next(self, lines, what):
        try:
            return lines.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"{what}: {self.said}") from None

    def _follow_errors(self):
        with self.child.stderr as lines:
            for line in lines:
                self.said.append(line.decode().strip())
                _, found, endpoint = self.said[-1].partition("listening on ")
                if found:
                    self.listening.put(endpoint)
        self.listening.put(None)

    def _follow_output(self):
        with self.child.stdout as lines:
            for line in lines:
                self.printed.put(line)
        self.printed.put(None)
