/* What is accepted has an effect, and what would have none is refused. */
#include "check.h"

static void of_contexts (void)
{
    slk_ctx_t *ctx = slk_ctx_new ();
    int number = 0;
    size_t size = 0, len = sizeof number;
    char text[32];
    CHECK (slk_ctx_get (ctx, SLK_IO_THREADS, &number, &len) == 0 && number == 1);
    CHECK (slk_ctx_get (ctx, SLK_MAX_SOCKETS, &number, &len) == 0 && number == 1023);
    CHECK (slk_ctx_get (ctx, SLK_SOCKET_LIMIT, &number, &len) == 0 && number == 65535);
    len = sizeof size;
    CHECK (slk_ctx_get (ctx, SLK_MSG_T_SIZE, &size, &len) == 0 && size == 64 && len == sizeof size);
    FAILS (slk_ctx_set (ctx, SLK_SOCKET_LIMIT, &number, sizeof number), SLK_EINVAL);
    FAILS (slk_ctx_set (ctx, 4711, &number, sizeof number), SLK_EINVAL);
    FAILS (slk_ctx_get (ctx, 4711, &number, &len), SLK_EINVAL);
    number = 1;
    FAILS (slk_ctx_set (ctx, SLK_THREAD_SCHED_POLICY, &number, sizeof number), SLK_ENOTSUP);
    FAILS (slk_ctx_set (ctx, SLK_IO_THREADS, &number, 3), SLK_EINVAL);
    CHECK (slk_ctx_set (ctx, SLK_THREAD_NAME_PREFIX, "sixteen-letters-", 16) == 0);
    FAILS (slk_ctx_set (ctx, SLK_THREAD_NAME_PREFIX, "seventeen-letters", 17), SLK_EINVAL);
    len = 5;
    FAILS (slk_ctx_get (ctx, SLK_THREAD_NAME_PREFIX, text, &len), SLK_EINVAL);
    CHECK (len == 17);
    CHECK (slk_ctx_get (ctx, SLK_THREAD_NAME_PREFIX, text, &len) == 0 && strcmp (text, "sixteen-letters-") == 0);
    CHECK (slk_ctx_set (ctx, SLK_MAX_SOCKETS, &number, sizeof number) == 0);
    slk_socket_t *only = open_socket (ctx, SLK_PAIR);
    CHECK (slk_socket (ctx, SLK_PAIR) == NULL && slk_errno () == SLK_EMFILE);
    FAILS (slk_ctx_set (ctx, SLK_IO_THREADS, &number, sizeof number), SLK_ENOTSUP);
    CHECK (slk_close (only) == 0);
    slk_ctx_destroy (ctx);
}

static void defaults (slk_ctx_t *ctx)
{
    slk_socket_t *socket = slk_socket (ctx, SLK_ROUTER);
    const struct
    {
        int option, value;
    } known[] = {
        {SLK_LINGER, -1},        {SLK_RCVTIMEO, -1},     {SLK_SNDTIMEO, -1},    {SLK_SNDHWM, 1000},       {SLK_RCVHWM, 1000},
        {SLK_SNDBUF, -1},        {SLK_RECONNECT_IVL, 100}, {SLK_BACKLOG, 100},  {SLK_HEARTBEAT_IVL, 0},   {SLK_RECONNECT_IVL_MAX, 0},
        {SLK_ROUTER_HANDOVER, 0}, {SLK_ROUTER_MANDATORY, 0}, {SLK_TYPE, SLK_ROUTER}, {SLK_RCVMORE, 0}, {SLK_TCP_KEEPALIVE, -1},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        CHECK (get_int (socket, known[i].option) == known[i].value);
    CHECK (slk_close (socket) == 0);
}

/* A text comes back as it was set, and an address that is none is refused. */
static void proxies (slk_ctx_t *ctx)
{
    static char long_text[256];
    slk_socket_t *push = open_socket (ctx, SLK_PUSH);
    const struct
    {
        int option;
        const char *text;
    } texts[] = {{SLK_SOCKS_PROXY, "proxy.example:1080"}, {SLK_SOCKS_USERNAME, "me"}, {SLK_SOCKS_PASSWORD, "swordfish"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char value[100] = "x";
        size_t len = sizeof value;
        CHECK (slk_getsockopt (push, texts[i].option, value, &len) == 0 && len == 1 && value[0] == 0);
        CHECK (slk_setsockopt (push, texts[i].option, texts[i].text, strlen (texts[i].text)) == 0);
        len = sizeof value;
        CHECK (slk_getsockopt (push, texts[i].option, value, &len) == 0 && strcmp (value, texts[i].text) == 0);
    }
    memset (long_text, 'x', sizeof long_text);
    FAILS (slk_setsockopt (push, SLK_SOCKS_PROXY, "proxy.example", 13), SLK_EINVAL);
    FAILS (slk_setsockopt (push, SLK_SOCKS_USERNAME, long_text, sizeof long_text), SLK_EINVAL);
    FAILS (slk_setsockopt (push, SLK_SOCKS_PASSWORD, long_text, sizeof long_text), SLK_EINVAL);
    /* Nobody listens at the proxy's: who is connected without one is reached all the same. */
    CHECK (slk_setsockopt (push, SLK_SOCKS_PROXY, "127.0.0.1:1", 11) == 0);
    CHECK (slk_connect (push, "tcp://peer.invalid:5555") == 0);
    CHECK (slk_disconnect (push, "tcp://peer.invalid:5555") == 0);
    CHECK (slk_setsockopt (push, SLK_SOCKS_PROXY, "", 0) == 0);
    slk_socket_t *pull = open_socket (ctx, SLK_PULL);
    join (pull, push);
    send_text (push, "straight on", 0);
    expect_text (pull, "straight on");
    CHECK (slk_close (push) == 0 && slk_close (pull) == 0);
}

static void refusals (slk_ctx_t *ctx)
{
    slk_socket_t *router = open_socket (ctx, SLK_ROUTER);
    FAILS (slk_setsockopt (router, SLK_ROUTING_ID, "", 0), SLK_EINVAL);
    FAILS (slk_setsockopt (router, SLK_ROUTING_ID, "\0a", 2), SLK_EINVAL);
    FAILS (slk_setsockopt (router, SLK_SUBSCRIBE, "", 0), SLK_EINVAL);
    FAILS (slk_setsockopt (router, SLK_PSUBSCRIBE, "", 0), SLK_EINVAL);
    FAILS (set_int (router, SLK_XPUB_MANUAL, 1), SLK_EINVAL);
    FAILS (set_int (router, SLK_SNDHWM, -1), SLK_EINVAL);
    FAILS (set_int (router, SLK_TYPE, 1), SLK_EINVAL);
    /* libzmq's numbers of options that have others here, and of what only it has. */
    FAILS (set_int (router, 74, 1), SLK_EINVAL);
    FAILS (set_int (router, 98, 1), SLK_EINVAL);
    FAILS (set_int (router, 8, 100), SLK_EINVAL);
    FAILS (set_int (router, 4711, 1), SLK_EINVAL);
    FAILS (set_int (router, -1, 1), SLK_EINVAL);
    CHECK (slk_setsockopt (router, SLK_ROUTING_ID, "name", 4) == 0);
    CHECK (set_int (router, SLK_SNDHWM, 5) == 0 && get_int (router, SLK_SNDHWM) == 5);
    join (router, NULL);
    FAILS (set_int (router, SLK_IMMEDIATE, 1), SLK_ENOTSUP);
    CHECK (get_int (router, SLK_IMMEDIATE) == 0);
    CHECK (set_int (router, SLK_SNDHWM, 6) == 0 && get_int (router, SLK_SNDHWM) == 6);
    CHECK (set_int (router, SLK_LINGER, 10) == 0 && set_int (router, SLK_ROUTER_MANDATORY, 1) == 0);
    char name[10];
    size_t len = 2;
    FAILS (slk_getsockopt (router, SLK_ROUTING_ID, name, &len), SLK_EINVAL);
    CHECK (len == 4 && slk_getsockopt (router, SLK_ROUTING_ID, name, &len) == 0 && memcmp (name, "name", 4) == 0);
    FAILS (slk_getsockopt (router, SLK_ROUTING_ID, name, NULL), SLK_EFAULT);
    CHECK (slk_close (router) == 0);
}

/* Set before a bind, and only used by it. */
static void effects (slk_ctx_t *ctx)
{
    slk_socket_t *xpub = open_socket (ctx, SLK_XPUB), *sub = open_socket (ctx, SLK_SUB);
    CHECK (slk_setsockopt (xpub, SLK_XPUB_WELCOME_MSG, "welcome", 7) == 0);
    CHECK (set_int (xpub, SLK_XPUB_VERBOSER, 1) == 0);
    CHECK (slk_setsockopt (sub, SLK_SUBSCRIBE, "wel", 3) == 0);
    join (xpub, sub);
    expect_text (sub, "welcome");
    expect_notice (xpub, 1, "wel");
    CHECK (get_int (xpub, SLK_TOPICS_COUNT) == 1 && get_int (sub, SLK_TOPICS_COUNT) == 1);
    CHECK (slk_close (sub) == 0);
    expect_notice (xpub, 0, "wel");
    CHECK (slk_close (xpub) == 0);
}

int main (void)
{
    of_contexts ();
    slk_ctx_t *ctx = slk_ctx_new ();
    defaults (ctx);
    proxies (ctx);
    refusals (ctx);
    effects (ctx);
    slk_ctx_destroy (ctx);
    return 0;
}
