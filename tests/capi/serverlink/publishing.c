/* Topics and patterns, who subscribed, manual publishers, shards. */
#include "check.h"

/* Literal and glob subscriptions are a union: each message comes once. */
static void patterns (slk_ctx_t *ctx)
{
    slk_socket_t *xpub = open_socket (ctx, SLK_XPUB), *sub = open_socket (ctx, SLK_SUB);
    const char *wrong[] = {"[", "[]", "a\\", "[z-a]"};
    for (int i = 0; i < 4; i++)
        FAILS (slk_setsockopt (sub, SLK_PSUBSCRIBE, wrong[i], strlen (wrong[i])), SLK_EINVAL);
    CHECK (slk_setsockopt (sub, SLK_PSUBSCRIBE, "news.*.[a-c]", 12) == 0);
    CHECK (slk_setsockopt (sub, SLK_SUBSCRIBE, "news.sports", 11) == 0);
    join (xpub, sub);
    /* In the order in which they were made, topics first. */
    expect_notice (xpub, 1, "news.sports");
    expect_notice (xpub, 1, "news.");
    CHECK (slk_setsockopt (sub, SLK_PSUBSCRIBE, "end", 3) == 0);
    expect_notice (xpub, 1, "end");
    send_text (xpub, "news.x.d", 0);
    send_text (xpub, "news.x.b", 0);
    send_text (xpub, "news.sports.b", 0);
    send_text (xpub, "the end", 0);
    send_text (xpub, "end", 0);
    expect_text (sub, "news.x.b");
    expect_text (sub, "news.sports.b");
    expect_text (sub, "end");
    CHECK (slk_pubsub_numpat (ctx) == 2);
    CHECK (slk_setsockopt (sub, SLK_PUNSUBSCRIBE, "news.*.[a-c]", 12) == 0);
    expect_notice (xpub, 0, "news.");
    CHECK (slk_pubsub_numpat (ctx) == 1);
    CHECK (slk_close (sub) == 0);
    /* Both are told, in no particular order. */
    CHECK (slk_recv (xpub, NULL, 0, 0) > 0 && slk_recv (xpub, NULL, 0, 0) > 0);
    CHECK (slk_pubsub_numpat (ctx) == 0 && get_int (xpub, SLK_TOPICS_COUNT) == 0);
    CHECK (slk_close (xpub) == 0);
}

static void who_subscribed (slk_ctx_t *ctx)
{
    slk_socket_t *xpub = open_socket (ctx, SLK_XPUB), *subs[2];
    const char *names[] = {"news", "weather", "nobody"};
    size_t numbers[3], count;
    char **channels;
    CHECK (set_int (xpub, SLK_XPUB_VERBOSER, 1) == 0);
    const char *endpoint = join (xpub, NULL);
    for (int i = 0; i < 2; i++) {
        subs[i] = open_socket (ctx, SLK_SUB);
        CHECK (slk_setsockopt (subs[i], SLK_SUBSCRIBE, "news", 4) == 0 && slk_connect (subs[i], endpoint) == 0);
        expect_notice (xpub, 1, "news");
    }
    CHECK (slk_setsockopt (subs[0], SLK_SUBSCRIBE, "weather", 7) == 0);
    expect_notice (xpub, 1, "weather");
    CHECK (slk_pubsub_numsub (ctx, names, 3, numbers) == 0 && numbers[0] == 2 && numbers[1] == 1 && numbers[2] == 0);
    CHECK (slk_pubsub_channels (ctx, NULL, &channels, &count) == 0 && count == 2);
    CHECK (strcmp (channels[0], "news") == 0 && strcmp (channels[1], "weather") == 0);
    slk_pubsub_channels_free (channels, count);
    CHECK (slk_pubsub_channels (ctx, "w*", &channels, &count) == 0 && count == 1 && strcmp (channels[0], "weather") == 0);
    slk_pubsub_channels_free (channels, count);
    CHECK (slk_pubsub_channels (ctx, "w", &channels, &count) == 0 && count == 0);
    slk_pubsub_channels_free (channels, count);
    FAILS (slk_pubsub_channels (ctx, "[", &channels, &count), SLK_EINVAL);
    FAILS (slk_pubsub_channels (ctx, "", NULL, &count), SLK_EFAULT);
    FAILS (slk_pubsub_numsub (ctx, NULL, 1, numbers), SLK_EFAULT);

    CHECK (slk_setsockopt (subs[0], SLK_UNSUBSCRIBE, "news", 4) == 0);
    expect_notice (xpub, 0, "news");
    CHECK (slk_pubsub_numsub (ctx, names, 3, numbers) == 0 && numbers[0] == 1 && numbers[1] == 1);
    CHECK (slk_close (subs[0]) == 0);
    expect_notice (xpub, 0, "weather");
    CHECK (slk_pubsub_numsub (ctx, names, 3, numbers) == 0 && numbers[0] == 1 && numbers[1] == 0);
    CHECK (slk_close (subs[1]) == 0 && slk_close (xpub) == 0);
}

static void manual (slk_ctx_t *ctx)
{
    slk_socket_t *xpub = open_socket (ctx, SLK_XPUB), *sub = open_socket (ctx, SLK_SUB);
    CHECK (set_int (xpub, SLK_XPUB_MANUAL, 1) == 0);
    CHECK (slk_setsockopt (sub, SLK_SUBSCRIBE, "A", 1) == 0);
    join (xpub, sub);
    expect_notice (xpub, 1, "A");
    CHECK (slk_setsockopt (sub, SLK_SUBSCRIBE, "XA", 2) == 0);
    expect_notice (xpub, 1, "XA");
    CHECK (slk_setsockopt (xpub, SLK_SUBSCRIBE, "XA", 2) == 0);
    FAILS (set_int (xpub, SLK_XPUB_MANUAL, 0), SLK_ENOTSUP);
    send_text (xpub, "A", 0);
    send_text (xpub, "XA", 0);
    expect_text (sub, "XA");
    CHECK (slk_close (sub) == 0 && slk_close (xpub) == 0);
}

static void shards (slk_ctx_t *ctx)
{
    slk_sharded_pubsub_t *sharded = slk_sharded_pubsub_new (ctx, 16);
    slk_socket_t *sub = open_socket (ctx, SLK_SUB), *push = open_socket (ctx, SLK_PUSH);
    char name[32];
    CHECK (sharded && slk_sharded_pubsub_set_hwm (sharded, 500) == 0);
    CHECK (slk_sharded_pubsub_new (ctx, 0) == NULL && slk_errno () == SLK_EINVAL);
    CHECK (slk_sharded_pubsub_new (ctx, 1025) == NULL && slk_errno () == SLK_EINVAL);
    FAILS (slk_sharded_pubsub_set_hwm (sharded, -1), SLK_EINVAL);
    /* CRC-16/XMODEM of "123456789" is 0x31C3: 12739 modulo 16384, 3 modulo 16. */
    CHECK (slk_sharded_pubsub_shard (sharded, "123456789") == 3);
    CHECK (slk_sharded_pubsub_shard (sharded, "a{123456789}b{c}") == 3);
    CHECK (slk_sharded_pubsub_shard (sharded, "{room}chat") == slk_sharded_pubsub_shard (sharded, "members{room}"));
    for (int i = 0; i < 8; i++) {
        snprintf (name, sizeof name, "channel%d", i);
        CHECK (slk_ssubscribe (sharded, sub, name) == 0);
    }
    FAILS (slk_ssubscribe (sharded, push, "a"), SLK_EINVAL);
    FAILS (slk_ssubscribe (sharded, NULL, "a"), SLK_ENOTSOCK);
    FAILS (slk_ssubscribe (sharded, sub, ""), SLK_EINVAL);
    FAILS (slk_spublish (sharded, NULL, "a", 1), SLK_EINVAL);
    FAILS (slk_sharded_pubsub_set_hwm (sharded, 5), SLK_ENOTSUP);
    /* Exactly the channel, not what begins with it. */
    CHECK (slk_spublish (sharded, "channel10", "no", 2) == 2);
    for (int i = 0; i < 8; i++) {
        snprintf (name, sizeof name, "channel%d", i);
        CHECK (slk_spublish (sharded, name, "data", 4) == 4);
        expect_text (sub, name);
        expect_text (sub, "data");
    }
    CHECK (slk_sunsubscribe (sharded, sub, "channel3") == 0);
    CHECK (slk_spublish (sharded, "channel3", "no", 2) == 2 && slk_spublish (sharded, "channel4", "yes", 3) == 3);
    expect_text (sub, "channel4");
    expect_text (sub, "yes");
    CHECK (slk_close (sub) == 0 && slk_close (push) == 0);
    CHECK (slk_sharded_pubsub_destroy (&sharded) == 0 && sharded == NULL);
    FAILS (slk_sharded_pubsub_destroy (&sharded), SLK_EFAULT);
}

/* 37 messages came before a publisher's restart, and none after it. */
static void subscriptions_come_back (slk_ctx_t *ctx)
{
    slk_socket_t *sub = open_socket (ctx, SLK_SUB), *xpub = open_socket (ctx, SLK_XPUB);
    char endpoint[256];
    CHECK (slk_setsockopt (sub, SLK_PSUBSCRIBE, "a?c", 3) == 0);
    strcpy (endpoint, join (xpub, sub));
    expect_notice (xpub, 1, "a");
    send_text (xpub, "abc", 0);
    expect_text (sub, "abc");
    CHECK (slk_close (xpub) == 0);
    xpub = open_socket (ctx, SLK_XPUB);
    while (slk_bind (xpub, endpoint) == -1)
        CHECK (slk_errno () == SLK_EADDRINUSE);
    expect_notice (xpub, 1, "a");
    send_text (xpub, "axc", 0);
    expect_text (sub, "axc");
    CHECK (slk_close (sub) == 0 && slk_close (xpub) == 0);
}

int main (void)
{
    slk_ctx_t *ctx = slk_ctx_new ();
    patterns (ctx);
    who_subscribed (ctx);
    manual (ctx);
    shards (ctx);
    subscriptions_come_back (ctx);
    slk_ctx_destroy (ctx);
    return 0;
}
