// SOCKS5 proxies: what is set comes back as from libzmq, and what cannot be an address is refused.
#undef NDEBUG
#include <zmq.h>
#include <assert.h>
#include <errno.h>
#include <string.h>
#ifndef ZMQ_SOCKS_USERNAME
#define ZMQ_SOCKS_USERNAME 99
#define ZMQ_SOCKS_PASSWORD 100
#endif
static void expect (void *socket, int option, const char *text)
{
    char value[100];
    size_t len = sizeof value;
    assert (zmq_getsockopt (socket, option, value, &len) == 0);
    assert (len == strlen (text) + 1 && strcmp (value, text) == 0);
}
int main (void)
{
    static char long_text[256];
    memset (long_text, 'x', sizeof long_text);
    void *ctx = zmq_ctx_new (), *push = zmq_socket (ctx, ZMQ_PUSH), *pull = zmq_socket (ctx, ZMQ_PULL);
    assert (push && pull);
    expect (push, ZMQ_SOCKS_PROXY, "");
    expect (push, ZMQ_SOCKS_USERNAME, "");
    expect (push, ZMQ_SOCKS_PASSWORD, "");
    // In any order, and taken back by no value at all.
    assert (zmq_setsockopt (push, ZMQ_SOCKS_PASSWORD, "swordfish", 9) == 0);
    assert (zmq_setsockopt (push, ZMQ_SOCKS_USERNAME, "me", 2) == 0);
    assert (zmq_setsockopt (push, ZMQ_SOCKS_PROXY, "127.0.0.1:0;[::1]:1080", 22) == 0);
    expect (push, ZMQ_SOCKS_PROXY, "127.0.0.1:0;[::1]:1080");
    expect (push, ZMQ_SOCKS_USERNAME, "me");
    expect (push, ZMQ_SOCKS_PASSWORD, "swordfish");
    assert (zmq_setsockopt (push, ZMQ_SOCKS_PROXY, "", 0) == -1 && errno == EINVAL);
    assert (zmq_setsockopt (push, ZMQ_SOCKS_PROXY, "no-port", 7) == -1 && errno == EINVAL);
    assert (zmq_setsockopt (push, ZMQ_SOCKS_USERNAME, long_text, sizeof long_text) == -1 && errno == EINVAL);
    assert (zmq_setsockopt (push, ZMQ_SOCKS_PASSWORD, long_text, sizeof long_text) == -1 && errno == EINVAL);
    expect (push, ZMQ_SOCKS_PROXY, "127.0.0.1:0;[::1]:1080");
    assert (zmq_setsockopt (push, ZMQ_SOCKS_USERNAME, long_text, 255) == 0);
    assert (zmq_setsockopt (push, ZMQ_SOCKS_USERNAME, "", 0) == 0);
    assert (zmq_setsockopt (push, ZMQ_SOCKS_PASSWORD, NULL, 0) == 0);
    assert (zmq_setsockopt (push, ZMQ_SOCKS_PROXY, NULL, 0) == 0);
    expect (push, ZMQ_SOCKS_PROXY, "");
    expect (push, ZMQ_SOCKS_USERNAME, "");
    expect (push, ZMQ_SOCKS_PASSWORD, "");
    // A proxy that is not there keeps nobody from what is connected without it, before or behind.
    char endpoint[100];
    size_t len = sizeof endpoint;
    int linger = 0;
    assert (zmq_bind (pull, "tcp://127.0.0.1:*") == 0);
    assert (zmq_getsockopt (pull, ZMQ_LAST_ENDPOINT, endpoint, &len) == 0);
    assert (zmq_setsockopt (push, ZMQ_SOCKS_PROXY, "127.0.0.1:1", 11) == 0);
    assert (zmq_connect (push, "tcp://peer.invalid:5555") == 0);
    assert (zmq_disconnect (push, "tcp://peer.invalid:5555") == 0);
    assert (zmq_setsockopt (push, ZMQ_SOCKS_PROXY, NULL, 0) == 0);
    assert (zmq_connect (push, endpoint) == 0);
    assert (zmq_send (push, "straight on", 11, 0) == 11);
    char buffer[100];
    assert (zmq_recv (pull, buffer, sizeof buffer, 0) == 11 && memcmp (buffer, "straight on", 11) == 0);
    assert (zmq_setsockopt (push, ZMQ_LINGER, &linger, sizeof linger) == 0);
    assert (zmq_close (push) == 0 && zmq_close (pull) == 0);
    assert (zmq_ctx_term (ctx) == 0);
    return 0;
}
