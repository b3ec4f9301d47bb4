/* Routing ids, what a router refuses and tells, and what it knows of its peers. */
#include "check.h"

/* Over every transport. */
static void ids_come_first (slk_ctx_t *ctx, const char *endpoint)
{
    slk_socket_t *router = open_socket (ctx, SLK_ROUTER), *named = open_socket (ctx, SLK_DEALER), *unnamed = open_socket (ctx, SLK_DEALER);
    char id[256];
    size_t len = sizeof id;
    CHECK (slk_setsockopt (named, SLK_ROUTING_ID, "ann", 3) == 0);
    CHECK (slk_bind (router, endpoint) == 0);
    CHECK (slk_getsockopt (router, SLK_LAST_ENDPOINT, id, &len) == 0);
    CHECK (slk_connect (named, id) == 0);
    send_text (named, "hello", 0);
    expect_text (router, "ann");
    expect_text (router, "hello");
    CHECK (slk_send_to (router, "ann", 3, "answer", 6, 0) == 6);
    expect_text (named, "answer");
    send_text (router, "ann", SLK_SNDMORE);
    send_text (router, "again", 0);
    expect_text (named, "again");

    CHECK (slk_getsockopt (router, SLK_LAST_ENDPOINT, id, &(size_t){sizeof id}) == 0);
    CHECK (slk_connect (unnamed, id) == 0);
    send_text (unnamed, "who am I", 0);
    CHECK (slk_recv (router, id, sizeof id, 0) == 5 && id[0] == 0);
    expect_text (router, "who am I");
    CHECK (slk_send_to (router, id, 5, "a", 1, SLK_SNDMORE) == 1 && slk_send (router, "b", 1, 0) == 1);
    expect_text (unnamed, "a");
    expect_text (unnamed, "b");

    CHECK (slk_send_to (router, "bob", 3, "dropped", 7, 0) == 7);
    CHECK (set_int (router, SLK_ROUTER_MANDATORY, 1) == 0);
    FAILS (slk_send_to (router, "bob", 3, "refused", 7, 0), SLK_EHOSTUNREACH);
    FAILS (slk_send_to (router, "", 0, "", 0, 0), SLK_EINVAL);
    CHECK (slk_close (named) == 0 && slk_close (unnamed) == 0 && slk_close (router) == 0);
}

static void peers_are_known (slk_ctx_t *ctx)
{
    slk_socket_t *router = open_socket (ctx, SLK_ROUTER), *dealers[3];
    const char *names[] = {"a", "bb", "ccc"};
    CHECK (slk_is_connected (router, "a", 1) == 0);
    CHECK (set_int (router, SLK_ROUTER_NOTIFY, 3) == 0);
    const char *endpoint = join (router, NULL);
    for (int i = 0; i < 3; i++) {
        dealers[i] = open_socket (ctx, SLK_DEALER);
        CHECK (slk_setsockopt (dealers[i], SLK_ROUTING_ID, names[i], strlen (names[i])) == 0);
        CHECK (slk_connect (dealers[i], endpoint) == 0);
        expect_text (router, names[i]);
        expect_text (router, "");
    }
    send_text (dealers[1], "12345", 0);
    expect_text (router, "bb");
    expect_text (router, "12345");
    CHECK (slk_is_connected (router, "bb", 2) == 1 && slk_is_connected (router, "b", 1) == 0);

    slk_peer_stats_t stats;
    memset (&stats, 0xff, sizeof stats);
    CHECK (slk_get_peer_stats (router, "bb", 2, &stats) == 0);
    CHECK (stats.msgs_received == 1 && stats.msgs_sent == 0 && stats.bytes_received >= 7 && stats.is_alive == 1 && stats.last_heartbeat == 0);
    CHECK (stats.connected_time < PATIENCE);
    FAILS (slk_get_peer_stats (router, "zz", 2, &stats), SLK_EPEERUNREACH);
    FAILS (slk_get_peer_stats (router, "bb", 2, NULL), SLK_EFAULT);

    slk_peer_id_t *peers;
    size_t count, octets = 0;
    CHECK (slk_peers (router, &peers, &count) == 0 && count == 3);
    for (size_t i = 0; i < count; i++)
        octets += peers[i].len;
    CHECK (octets == 6);
    slk_peers_free (peers);
    slk_peers_free (NULL);

    void *ids[2];
    size_t lens[2];
    count = 0;
    CHECK (slk_get_peers (router, NULL, NULL, &count) == 0 && count == 3);
    count = 2;
    CHECK (slk_get_peers (router, ids, lens, &count) == 0 && count == 3);
    CHECK (lens[0] + lens[1] >= 3 && memchr ("abc", *(char *) ids[0], 3));
    slk_free_peers (ids, lens, 2);
    CHECK (ids[0] == NULL && ids[1] == NULL && lens[0] == 0);

    CHECK (slk_close (dealers[1]) == 0);
    expect_text (router, "bb");
    expect_text (router, "");
    CHECK (slk_is_connected (router, "bb", 2) == 0);
    CHECK (slk_close (dealers[0]) == 0 && slk_close (dealers[2]) == 0 && slk_close (router) == 0);
}

static void names_are_taken_over (slk_ctx_t *ctx)
{
    slk_socket_t *router = open_socket (ctx, SLK_ROUTER), *first = open_socket (ctx, SLK_DEALER), *second = open_socket (ctx, SLK_DEALER);
    CHECK (set_int (router, SLK_ROUTER_HANDOVER, 1) == 0);
    CHECK (slk_setsockopt (first, SLK_ROUTING_ID, "same", 4) == 0 && slk_setsockopt (second, SLK_ROUTING_ID, "same", 4) == 0);
    const char *endpoint = join (router, first);
    send_text (first, "1", 0);
    expect_text (router, "same");
    expect_text (router, "1");
    CHECK (slk_connect (second, endpoint) == 0);
    send_text (second, "2", 0);
    expect_text (router, "same");
    expect_text (router, "2");
    CHECK (slk_send_to (router, "same", 4, "for the second", 14, 0) == 14);
    expect_text (second, "for the second");
    CHECK (slk_close (first) == 0 && slk_close (second) == 0 && slk_close (router) == 0);
}

/* A duplicate is an error, not the end of the process. */
static void the_next_connection_is_named (slk_ctx_t *ctx)
{
    slk_socket_t *router = open_socket (ctx, SLK_ROUTER), *dealer = open_socket (ctx, SLK_DEALER);
    const char *endpoint = join (dealer, NULL);
    CHECK (slk_setsockopt (router, SLK_CONNECT_ROUTING_ID, "server", 6) == 0);
    CHECK (slk_connect (router, endpoint) == 0);
    CHECK (slk_send_to (router, "server", 6, "hi", 2, 0) == 2);
    expect_text (dealer, "hi");
    CHECK (slk_setsockopt (router, SLK_CONNECT_ROUTING_ID, "server", 6) == 0);
    FAILS (slk_connect (router, "tcp://127.0.0.1:9"), SLK_EINVAL);
    FAILS (slk_setsockopt (router, SLK_CONNECT_ROUTING_ID, "", 0), SLK_EINVAL);
    CHECK (slk_close (router) == 0 && slk_close (dealer) == 0);
}

/* Octets of plain TCP, behind the routing id of their connection. */
static void streams (slk_ctx_t *ctx)
{
    slk_socket_t *server = open_socket (ctx, SLK_STREAM), *client = open_socket (ctx, SLK_STREAM);
    char id[256];
    join (server, client);
    int len = slk_recv (client, id, sizeof id, 0);
    CHECK (len == 5);
    expect_text (client, "");
    CHECK (slk_send_to (client, id, 5, "octets", 6, 0) == 6);
    CHECK (slk_recv (server, id, sizeof id, 0) == 5);
    expect_text (server, "");
    CHECK (slk_recv (server, id, sizeof id, 0) == 5);
    expect_text (server, "octets");
    CHECK (slk_close (client) == 0);
    CHECK (slk_recv (server, id, sizeof id, 0) == 5);
    expect_text (server, "");
    CHECK (slk_close (server) == 0);
}

int main (void)
{
    slk_ctx_t *ctx = slk_ctx_new ();
    ids_come_first (ctx, "tcp://127.0.0.1:*");
    ids_come_first (ctx, "ipc://*");
    ids_come_first (ctx, "inproc://routers");
    peers_are_known (ctx);
    names_are_taken_over (ctx);
    the_next_connection_is_named (ctx);
    streams (ctx);
    slk_ctx_destroy (ctx);
    return 0;
}
