/* Types whose messages have one part, and perhaps a group or a number beside it. */
#include "check.h"

static uint32_t number_of (slk_msg_t *msg)
{
    uint32_t number = 0;
    size_t len = sizeof number;
    CHECK (slk_msg_get_routing_id (msg, &number, &len) == 0 && len == sizeof number);
    return number;
}

/* Receives, and gives the number that came with it. */
static uint32_t expect_from (slk_socket_t *socket, const char *text)
{
    slk_msg_t *msg = slk_msg_new ();
    uint32_t number;
    CHECK (slk_msg_recv (msg, socket, 0) == (int) strlen (text) && memcmp (slk_msg_data (msg), text, strlen (text)) == 0);
    number = number_of (msg);
    slk_msg_destroy (msg);
    return number;
}

static void say_to (slk_socket_t *socket, uint32_t number, const char *text)
{
    CHECK (slk_send_to (socket, &number, sizeof number, text, strlen (text), 0) == (int) strlen (text));
}

static void servers (slk_ctx_t *ctx)
{
    slk_socket_t *server = open_socket (ctx, SLK_SERVER), *client = open_socket (ctx, SLK_CLIENT);
    slk_msg_t *msg = slk_msg_new_data ("answer", 6);
    slk_peer_stats_t stats;
    slk_peer_id_t *peers;
    uint32_t who, nobody;
    size_t count;
    join (server, client);
    FAILS (slk_send (client, "a", 1, SLK_SNDMORE), SLK_EINVAL);
    FAILS (slk_send (server, "to whom?", 8, 0), SLK_EHOSTUNREACH);
    FAILS (slk_send_to (server, "x", 1, "x", 1, 0), SLK_EINVAL);
    FAILS (slk_send_to (client, "1234", 4, "x", 1, 0), SLK_EINVAL);
    send_text (client, "question", 0);
    who = expect_from (server, "question");
    nobody = who + 1;
    CHECK (who != 0);
    say_to (server, who, "one");
    expect_text (client, "one");
    CHECK (slk_msg_set_routing_id (msg, &nobody, 4) == 0);
    FAILS (slk_msg_send (msg, server, 0), SLK_EHOSTUNREACH);
    CHECK (slk_msg_size (msg) == 6 && slk_msg_set_routing_id (msg, &who, 4) == 0 && slk_msg_send (msg, server, 0) == 6);
    expect_text (client, "answer");
    /* Peers have the same name everywhere. */
    CHECK (slk_is_connected (server, &who, 4) == 1 && slk_is_connected (server, &nobody, 4) == 0);
    CHECK (slk_get_peer_stats (server, &who, 4, &stats) == 0 && stats.msgs_received == 1 && stats.msgs_sent == 2);
    CHECK (slk_peers (server, &peers, &count) == 0 && count == 1 && peers[0].len == 4 && memcmp (peers[0].data, &who, 4) == 0);
    slk_peers_free (peers);
    /* And are sent away by it. */
    FAILS (slk_disconnect_peer (server, nobody), SLK_EHOSTUNREACH);
    FAILS (slk_disconnect_peer (client, who), SLK_ENOTSUP);
    say_to (server, who, "last");
    CHECK (slk_disconnect_peer (server, who) == 0);
    FAILS (slk_send_to (server, &who, 4, "late", 4, 0), SLK_EHOSTUNREACH);
    FAILS (slk_disconnect_peer (server, who), SLK_EHOSTUNREACH);
    expect_text (client, "last");
    slk_msg_destroy (msg);
    CHECK (slk_close (client) == 0 && slk_close (server) == 0);
}

static void peers (slk_ctx_t *ctx)
{
    slk_socket_t *one = open_socket (ctx, SLK_PEER), *other = open_socket (ctx, SLK_PEER), *server = open_socket (ctx, SLK_SERVER);
    const char *endpoint = join (one, NULL);
    uint32_t number = slk_connect_peer (other, endpoint), back;
    CHECK (number != 0);
    CHECK (slk_connect_peer (server, endpoint) == 0 && slk_errno () == SLK_ENOTSUP);
    CHECK (slk_connect_peer (other, "nonsense") == 0 && slk_errno () == SLK_EINVAL);
    say_to (other, number, "hello");
    back = expect_from (one, "hello");
    say_to (one, back, "you");
    CHECK (expect_from (other, "you") == number);
    /* One that was connected to is not connected to again. */
    CHECK (slk_disconnect_peer (other, number) == 0);
    FAILS (slk_disconnect (other, endpoint), SLK_ENOENT);
    FAILS (slk_disconnect_peer (server, 1), SLK_EHOSTUNREACH);
    CHECK (slk_close (one) == 0 && slk_close (other) == 0 && slk_close (server) == 0);
}

static void radios (slk_ctx_t *ctx)
{
    slk_socket_t *radio = open_socket (ctx, SLK_RADIO), *dish = open_socket (ctx, SLK_DISH);
    slk_msg_t *msg = slk_msg_new_data ("Friends", 7);
    char too_long[257];
    memset (too_long, 'g', 256);
    too_long[256] = 0;
    FAILS (slk_join (radio, "TV"), SLK_ENOTSUP);
    FAILS (slk_join (dish, too_long), SLK_EINVAL);
    FAILS (slk_join (dish, NULL), SLK_EFAULT);
    FAILS (slk_join (NULL, "TV"), SLK_ENOTSOCK);
    CHECK (slk_join (dish, "TV") == 0 && slk_join (dish, "Movies") == 0 && slk_leave (dish, "Movies") == 0);
    FAILS (slk_join (dish, "TV"), SLK_EINVAL);
    FAILS (slk_leave (dish, "Movies"), SLK_EINVAL);
    CHECK (slk_bind (dish, "inproc://waves") == 0 && slk_connect (radio, "inproc://waves") == 0);
    CHECK (strcmp (slk_msg_group (msg), "") == 0 && slk_msg_group (NULL) == NULL && slk_errno () == SLK_EFAULT);
    FAILS (slk_msg_set_group (msg, too_long), SLK_EINVAL);
    FAILS (slk_msg_set_group (msg, NULL), SLK_EFAULT);
    CHECK (slk_send_to (radio, "Movies", 6, "Godfather", 9, 0) == 9);
    CHECK (slk_msg_set_group (msg, "TV") == 0 && strcmp (slk_msg_group (msg), "TV") == 0);
    CHECK (slk_msg_send (msg, radio, 0) == 7);
    CHECK (slk_msg_recv (msg, dish, 0) == 7 && strcmp (slk_msg_group (msg), "TV") == 0 && memcmp (slk_msg_data (msg), "Friends", 7) == 0);
    CHECK (slk_send_to (radio, "TV", 2, "News", 4, 0) == 4);
    expect_text (dish, "News");
    FAILS (slk_send (radio, "a", 1, SLK_SNDMORE), SLK_EINVAL);
    slk_msg_destroy (msg);
    CHECK (slk_close (radio) == 0 && slk_close (dish) == 0);
}

static void one_way_and_two (slk_ctx_t *ctx)
{
    slk_socket_t *scatter = open_socket (ctx, SLK_SCATTER), *gather = open_socket (ctx, SLK_GATHER);
    slk_socket_t *one = open_socket (ctx, SLK_CHANNEL), *other = open_socket (ctx, SLK_CHANNEL);
    join (gather, scatter);
    send_text (scatter, "work", 0);
    expect_text (gather, "work");
    FAILS (slk_send (gather, "x", 1, 0), SLK_ENOTSUP);
    FAILS (slk_recv (scatter, NULL, 0, SLK_DONTWAIT), SLK_ENOTSUP);
    join (one, other);
    send_text (one, "there", 0);
    expect_text (other, "there");
    send_text (other, "back", 0);
    expect_text (one, "back");
    FAILS (slk_send (one, "a", 1, SLK_SNDMORE), SLK_EINVAL);
    CHECK (slk_close (scatter) == 0 && slk_close (gather) == 0 && slk_close (one) == 0 && slk_close (other) == 0);
    CHECK (slk_socket (ctx, 21) == NULL && slk_errno () == SLK_EINVAL && slk_socket (ctx, -1) == NULL);
}

int main (void)
{
    slk_ctx_t *ctx = slk_ctx_new ();
    servers (ctx);
    peers (ctx);
    radios (ctx);
    one_way_and_two (ctx);
    slk_ctx_destroy (ctx);
    puts ("addressed: all hold");
    return 0;
}
