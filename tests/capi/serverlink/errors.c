/* Handles that are none, codes of one space, and calls that make no sense: each is an answer, none ends the process. */
#include "check.h"
#include <errno.h>

static void handles (slk_ctx_t *ctx)
{
    int number = 1;
    size_t len = sizeof number;
    char memory[256] = {0};
    slk_socket_t *strangers[] = {NULL, (slk_socket_t *) memory, (slk_socket_t *) ctx, NULL, NULL};
    slk_socket_t *closed = open_socket (ctx, SLK_PAIR);
    CHECK (slk_close (closed) == 0);
    FAILS (slk_close (closed), SLK_ENOTSOCK);
    strangers[3] = closed;
    strangers[4] = (slk_socket_t *) slk_msg_new ();
    for (int i = 0; i < 5; i++) {
        slk_socket_t *s = strangers[i];
        void *peer;
        slk_peer_id_t *peers;
        slk_peer_stats_t stats;
        FAILS (slk_bind (s, "inproc://a"), SLK_ENOTSOCK);
        FAILS (slk_connect (s, "inproc://a"), SLK_ENOTSOCK);
        FAILS (slk_unbind (s, "inproc://a"), SLK_ENOTSOCK);
        FAILS (slk_disconnect (s, "inproc://a"), SLK_ENOTSOCK);
        FAILS (slk_setsockopt (s, SLK_LINGER, &number, sizeof number), SLK_ENOTSOCK);
        FAILS (slk_getsockopt (s, SLK_LINGER, &number, &len), SLK_ENOTSOCK);
        FAILS (slk_send (s, "", 0, 0), SLK_ENOTSOCK);
        FAILS (slk_recv (s, memory, 1, 0), SLK_ENOTSOCK);
        FAILS (slk_send_to (s, "a", 1, "", 0, 0), SLK_ENOTSOCK);
        FAILS (slk_socket_monitor (s, NULL, NULL, 0), SLK_ENOTSOCK);
        FAILS (slk_get_peer_stats (s, "a", 1, &stats), SLK_ENOTSOCK);
        FAILS (slk_get_peers (s, &peer, &len, &len), SLK_ENOTSOCK);
        FAILS (slk_peers (s, &peers, &len), SLK_ENOTSOCK);
        CHECK (slk_is_connected (s, "a", 1) == 0 && slk_errno () == SLK_ENOTSOCK);
        FAILS (slk_close (s), SLK_ENOTSOCK);
        if (s) {
            FAILS (slk_poll (&(slk_pollitem_t){s, 0, SLK_POLLIN, 0}, 1, 0), SLK_ENOTSOCK);
            FAILS (slk_proxy (s, s, NULL), SLK_ENOTSOCK);
        }
    }
    FAILS (slk_proxy (NULL, NULL, NULL), SLK_EFAULT);
    slk_msg_destroy ((slk_msg_t *) strangers[4]);
    FAILS (slk_msg_init ((slk_msg_t *) strangers[4]), SLK_EFAULT);
    FAILS (slk_msg_close (NULL), SLK_EFAULT);
    CHECK (slk_msg_data (NULL) == NULL && slk_msg_size (NULL) == 0);
    CHECK (slk_socket (NULL, SLK_PAIR) == NULL && slk_errno () == SLK_EFAULT);
    FAILS (slk_ctx_set ((slk_ctx_t *) memory, SLK_IO_THREADS, &number, sizeof number), SLK_EFAULT);
    FAILS (slk_timers_execute (memory), SLK_EFAULT);
    FAILS (slk_poller_size (memory), SLK_EFAULT);
    FAILS (slk_atomic_counter_inc (memory), SLK_EFAULT);
    slk_ctx_destroy ((slk_ctx_t *) memory);
    slk_ctx_destroy (NULL);
    slk_msg_destroy ((slk_msg_t *) memory);
    CHECK (slk_pubsub_numpat (NULL) == -1 && slk_errno () == SLK_EFAULT);
}

static void one_space (slk_ctx_t *ctx)
{
    slk_socket_t *first = open_socket (ctx, SLK_PULL), *second = open_socket (ctx, SLK_PULL);
    char buffer[8];
    const char *endpoint = join (first, NULL);
    FAILS (slk_bind (second, endpoint), SLK_EADDRINUSE);
    CHECK (errno == EADDRINUSE);
    /* 2 is the system's ENOENT, which must not read as SLK_ENOMEM. On Windows a path is the name of a pipe, which needs no folder. */
#if !defined(_WIN32)
    FAILS (slk_bind (second, "ipc:///no/such/folder/at/all"), SLK_ENOENT);
    CHECK (errno == ENOENT);
#endif
    FAILS (slk_bind (second, "tcp://192.0.2.1:5"), SLK_EADDRNOTAVAIL);
    FAILS (slk_bind (second, "carrier-pigeon://roof"), SLK_EPROTONOSUPPORT);
    FAILS (slk_bind (second, "no endpoint"), SLK_EINVAL);
    FAILS (slk_bind (second, NULL), SLK_EINVAL);
    FAILS (slk_unbind (second, "tcp://127.0.0.1:1"), SLK_ENOENT);
    CHECK (errno == ENOENT);
    FAILS (slk_recv (second, buffer, sizeof buffer, SLK_DONTWAIT), SLK_EAGAIN);
    FAILS (slk_recv (second, NULL, 5, SLK_DONTWAIT), SLK_EFAULT);
    FAILS (slk_send (second, "a", 1, 0), SLK_ENOTSUP);
    CHECK (set_int (second, SLK_RCVTIMEO, 1) == 0);
    FAILS (slk_recv (second, buffer, sizeof buffer, 0), SLK_EAGAIN);
    CHECK (slk_close (first) == 0 && slk_close (second) == 0);

    slk_socket_t *asker = open_socket (ctx, SLK_REQ);
    FAILS (slk_recv (asker, buffer, sizeof buffer, SLK_DONTWAIT), SLK_ENOTREADY);
    CHECK (slk_close (asker) == 0);
    CHECK (slk_socket (ctx, 999) == NULL && slk_errno () == SLK_EINVAL);
    CHECK (slk_socket (ctx, -1) == NULL && slk_errno () == SLK_EINVAL);

    /* Every part of the library sets it. */
    void *timers = slk_timers_new (), *poller = slk_poller_new ();
    FAILS (slk_timers_cancel (timers, 7), SLK_EINVAL);
    FAILS (slk_timers_add (timers, 1, NULL, NULL), SLK_EFAULT);
    FAILS (slk_poller_wait (poller, &(slk_poller_event_t){0}, 0), SLK_EAGAIN);
    FAILS (slk_poller_remove_fd (poller, 1), SLK_EINVAL);
    CHECK (slk_timers_destroy (&timers) == 0 && timers == NULL);
    CHECK (slk_poller_destroy (&poller) == 0 && poller == NULL);
    FAILS (slk_poller_destroy (&poller), SLK_EFAULT);
}

static void spot (slk_ctx_t *ctx)
{
    CHECK (slk_spot_new (ctx) == NULL && slk_errno () == SLK_ENOTSUP);
    FAILS (slk_spot_publish (NULL, "topic", "data", 4), SLK_ENOTSUP);
    FAILS (slk_spot_recv (NULL, NULL, 0, NULL, NULL, 0, NULL, 0), SLK_ENOTSUP);
    slk_spot_destroy (NULL);
}

/* SLK_ETERM wakes who waits. */
static void shutdown_ends_calls (void)
{
    slk_ctx_t *ctx = slk_ctx_new ();
    slk_socket_t *socket = open_socket (ctx, SLK_PULL);
    char buffer[8];
    CHECK (slk_ctx_shutdown (ctx) == 0);
    FAILS (slk_recv (socket, buffer, sizeof buffer, 0), SLK_ETERM);
    FAILS (slk_bind (socket, "inproc://late"), SLK_ETERM);
    CHECK (slk_socket (ctx, SLK_PULL) == NULL && slk_errno () == SLK_ETERM);
    CHECK (slk_close (socket) == 0);
    slk_ctx_destroy (ctx);
}

int main (void)
{
    slk_ctx_t *ctx = slk_ctx_new ();
    CHECK (ctx && slk_errno () == 0);
    handles (ctx);
    one_space (ctx);
    spot (ctx);
    slk_ctx_destroy (ctx);
    shutdown_ends_calls ();
    return 0;
}
