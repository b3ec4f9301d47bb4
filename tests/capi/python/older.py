"""A plugin of pytest's: pyzmq does not try steerable proxies with libzmq 4.3.5, which left them out. Ours has them."""

import zmq

zmq.zmq_version_info = lambda: (4, 3, 4)
