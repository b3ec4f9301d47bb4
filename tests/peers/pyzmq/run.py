"""Runs the tests of this folder: python run.py PATH_OF_SLK [-v] [NAMES...]. The last line is what cargo's runner would say."""

import os
import sys
import unittest

import zmq


def main():
    os.environ["SERVERLINK_SLK"] = sys.argv[1]
    words = [word for word in sys.argv[2:] if word != "-v"]
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, here)
    loader = unittest.TestLoader()
    suite = loader.loadTestsFromNames(words) if words else loader.discover(here)
    print(f"pyzmq {zmq.__version__} with libzmq {zmq.zmq_version()}")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, buffer=True, descriptions=False).run(suite)
    # A test whose subtests fail counts once.
    failed = {getattr(test, "test_case", test).id() for test, _ in result.failures + result.errors}
    verdict = "ok" if result.wasSuccessful() and result.testsRun else "FAILED"
    print(f"test result: {verdict}. {result.testsRun - len(failed)} passed; {len(failed)} failed")
    return 0 if verdict == "ok" else 1


if __name__ == "__main__":
    sys.exit(main())
