/* Datagrams: from and to any address, and nothing that could not be sent is lost. */
#include "check.h"

/* Bound to any free port: its address without the transport. */
static const char *bound (slk_socket_t *socket, char *endpoint, size_t len)
{
    CHECK (slk_bind (socket, "udp://127.0.0.1:*") == 0);
    CHECK (slk_getsockopt (socket, SLK_LAST_ENDPOINT, endpoint, &len) == 0);
    CHECK (strncmp (endpoint, "udp://", 6) == 0);
    return endpoint + 6;
}

int main (void)
{
    static char too_long[65508];
    slk_ctx_t *ctx = slk_ctx_new ();
    slk_socket_t *a = open_socket (ctx, SLK_DGRAM), *b = open_socket (ctx, SLK_DGRAM), *pub = open_socket (ctx, SLK_PUB);
    char one[64], other[64], address[64];
    const char *here = bound (a, one, sizeof one), *there = bound (b, other, sizeof other);
    int len;

    /* An address and a body, and nothing else. */
    FAILS (slk_send (a, there, strlen (there), 0), SLK_EINVAL);
    FAILS (slk_send (a, "localhost:5", 11, SLK_SNDMORE), SLK_EINVAL);
    FAILS (slk_send_to (a, "nowhere", 7, "x", 1, 0), SLK_EINVAL);
    FAILS (slk_send_to (a, there, strlen (there), too_long, sizeof too_long, 0), SLK_EMSGSIZE);
    send_text (a, there, SLK_SNDMORE);
    FAILS (slk_send (a, too_long, sizeof too_long, 0), SLK_EMSGSIZE);
    send_text (a, "ping", 0);

    /* It is a string, and goes back as it came. */
    len = slk_recv (b, address, sizeof address, 0);
    CHECK (len == (int) strlen (here) + 1 && strcmp (address, here) == 0);
    CHECK (get_int (b, SLK_RCVMORE) == 1);
    expect_text (b, "ping");
    CHECK (slk_send_to (b, address, (size_t) len, "pong", 4, 0) == 4);
    CHECK (slk_recv (a, address, sizeof address, 0) == (int) strlen (there) + 1);
    expect_text (a, "pong");

    /* Who has no datagrams is told, and so is who has nothing else. */
    FAILS (slk_bind (pub, "udp://127.0.0.1:*"), SLK_EPROTONOSUPPORT);
    FAILS (slk_connect (a, "udp://127.0.0.1:5555"), SLK_EPROTONOSUPPORT);
    FAILS (slk_connect (a, "tcp://127.0.0.1:5555"), SLK_EPROTONOSUPPORT);
    CHECK (get_int (a, SLK_MULTICAST_HOPS) == 1 && get_int (a, SLK_MULTICAST_LOOP) == 1);
    FAILS (set_int (a, SLK_MULTICAST_HOPS, 256), SLK_EINVAL);
    CHECK (set_int (a, SLK_MULTICAST_HOPS, 2) == 0 && get_int (a, SLK_MULTICAST_HOPS) == 2);

    CHECK (slk_unbind (a, one) == 0 && slk_bind (b, one) == -1 && slk_bind (a, one) == 0);
    CHECK (slk_close (a) == 0 && slk_close (b) == 0 && slk_close (pub) == 0);
    slk_ctx_destroy (ctx);
    puts ("datagrams: all hold");
    return 0;
}
