/* A router that is told of its peers as they come and go, and tells who is there.
 *
 *     cc watch.c $(pkg-config --cflags --libs serverlink) && ./a.out
 */
#include <serverlink/serverlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must (int succeeded, const char *what)
{
    if (!succeeded) {
        fprintf (stderr, "%s: %s\n", what, slk_strerror (slk_errno ()));
        exit (1);
    }
}

/* Runs on the monitor's thread. */
static void on_event (slk_socket_t *socket, const slk_event_t *event, void *user_data)
{
    (void) socket;
    if (event->event == SLK_EVENT_HANDSHAKE_OK)
        printf ("%s: %.*s is there\n", (const char *) user_data, (int) event->peer_id_len, (const char *) event->peer_id);
    if (event->event == SLK_EVENT_DISCONNECTED)
        printf ("%s: somebody has left: %s\n", (const char *) user_data, slk_strerror (event->err));
}

int main (void)
{
    slk_ctx_t *ctx = slk_ctx_new ();
    must (ctx != NULL, "opening a context");
    slk_socket_t *router = slk_socket (ctx, SLK_ROUTER), *dealer = slk_socket (ctx, SLK_DEALER);
    must (router && dealer, "opening sockets");
    int events = 1 << SLK_EVENT_HANDSHAKE_OK | 1 << SLK_EVENT_DISCONNECTED, on = 1;
    must (slk_socket_monitor (router, on_event, "router", events) == 0, "watching");
    must (slk_setsockopt (router, SLK_ROUTER_MANDATORY, &on, sizeof on) == 0, "setting an option");
    must (slk_setsockopt (dealer, SLK_ROUTING_ID, "ann", 3) == 0, "naming the dealer");

    char endpoint[128], text[64];
    size_t len = sizeof endpoint;
    must (slk_bind (router, "tcp://127.0.0.1:*") == 0, "listening");
    must (slk_getsockopt (router, SLK_LAST_ENDPOINT, endpoint, &len) == 0, "asking for the endpoint");
    must (slk_connect (dealer, endpoint) == 0, "connecting");

    /* Who sent it, then what. */
    must (slk_send (dealer, "hello", 5, 0) == 5, "sending");
    must (slk_recv (router, text, sizeof text, 0) == 3, "receiving the routing id");
    must (slk_recv (router, text, sizeof text, 0) == 5, "receiving");

    slk_peer_id_t *peers;
    size_t count;
    must (slk_peers (router, &peers, &count) == 0, "asking for the peers");
    for (size_t i = 0; i < count; i++) {
        slk_peer_stats_t stats;
        if (slk_get_peer_stats (router, peers[i].data, peers[i].len, &stats) == 0)
            printf ("%.*s sent %llu messages\n", (int) peers[i].len, (const char *) peers[i].data, (unsigned long long) stats.msgs_received);
    }
    slk_peers_free (peers);

    must (slk_send_to (router, "ann", 3, "hello ann", 9, 0) == 9, "answering");
    must (slk_recv (dealer, text, sizeof text, 0) == 9, "receiving the answer");
    must (slk_send_to (router, "bob", 3, "hello bob", 9, 0) == -1 && slk_errno () == SLK_EHOSTUNREACH, "expecting that there is no bob");

    slk_close (dealer);
    slk_close (router);
    slk_ctx_destroy (ctx);
    return 0;
}
