// Messages whole and in parts, lent memory, polling, and handles that are none.
#define _GNU_SOURCE
#undef NDEBUG
#include <zmq.h>
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
static int freed;
static void give_back (void *data, void *hint) { (void) data; freed += *(int *) hint; }
int main (void)
{
    int major, minor, patch;
    zmq_version (&major, &minor, &patch);
    assert (major == 4 && minor == 3 && patch == 5);
    void *ctx = zmq_ctx_new ();
    assert (ctx);
    assert (zmq_ctx_get (ctx, ZMQ_MSG_T_SIZE) == sizeof (zmq_msg_t));
    void *pull = zmq_socket (ctx, ZMQ_PULL), *push = zmq_socket (ctx, ZMQ_PUSH);
    assert (pull && push);
    assert (zmq_bind (pull, "tcp://127.0.0.1:*") == 0);
    char endpoint[100]; size_t len = sizeof endpoint;
    assert (zmq_getsockopt (pull, ZMQ_LAST_ENDPOINT, endpoint, &len) == 0);
    printf ("%s %zu\n", endpoint, len);
    assert (zmq_connect (push, endpoint) == 0);
    assert (zmq_send (push, "hello", 5, ZMQ_SNDMORE) == 5);
    assert (zmq_send (push, "world", 5, 0) == 5);
    char buffer[100];
    assert (zmq_recv (pull, buffer, 3, 0) == 5 && memcmp (buffer, "hel", 3) == 0);
    int more; len = sizeof more;
    assert (zmq_getsockopt (pull, ZMQ_RCVMORE, &more, &len) == 0 && more == 1);
    zmq_msg_t msg;
    assert (zmq_msg_init (&msg) == 0);
    assert (zmq_msg_recv (&msg, pull, 0) == 5 && !zmq_msg_more (&msg));
    assert (memcmp (zmq_msg_data (&msg), "world", 5) == 0);
    printf ("from %s, a %s\n", zmq_msg_gets (&msg, "Peer-Address"), zmq_msg_gets (&msg, "Socket-Type"));
    zmq_msg_close (&msg);
    assert (zmq_msg_close (&msg) == -1 && errno == EFAULT);
    int one = 1;
    static char lent[100000];
    assert (zmq_msg_init_data (&msg, lent, sizeof lent, give_back, &one) == 0);
    zmq_msg_t copy; zmq_msg_init (&copy); zmq_msg_copy (&copy, &msg);
    assert (zmq_msg_data (&copy) == lent);
    assert (zmq_msg_send (&msg, push, 0) == sizeof lent);
    zmq_msg_close (&msg); zmq_msg_close (&copy);
    assert (zmq_recv (pull, buffer, sizeof buffer, 0) == sizeof lent);
    zmq_pollitem_t item = { pull, 0, ZMQ_POLLIN, 0 };
    assert (zmq_poll (&item, 1, 10) == 0);
    zmq_send (push, "", 0, 0);
    assert (zmq_poll (&item, 1, 1000) == 1 && item.revents == ZMQ_POLLIN);
    assert (zmq_recv (pull, buffer, sizeof buffer, ZMQ_DONTWAIT) == 0);
    assert (zmq_recv (pull, buffer, sizeof buffer, ZMQ_DONTWAIT) == -1 && errno == EAGAIN);
    assert (zmq_send (pull, "", 0, 0) == -1 && errno == ENOTSUP);
    assert (zmq_close (push) == 0 && zmq_close (push) == -1 && errno == ENOTSOCK);
    assert (zmq_close (&item) == -1 && errno == ENOTSOCK);
    assert (zmq_close (NULL) == -1 && errno == ENOTSOCK);
    assert (zmq_ctx_term (&item) == -1 && errno == EFAULT);
    zmq_close (pull);
    assert (zmq_ctx_term (ctx) == 0);
    assert (freed == 1);
    puts ("ok");
    return 0;
}
