/* Monitors: what they tell, and that their function may call the library. */
#include "check.h"
#include <pthread.h>

/* What a monitor was told, for a thread that waits. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;
static int counts[16], last_err[16];
static char peer[16][8], last_endpoint[16][256];

static void note (slk_socket_t *socket, const slk_event_t *event, void *user_data)
{
    CHECK (user_data == &lock && socket && event->endpoint && event->event > 0 && event->event < 16);
    CHECK (event->timestamp > 1500000000000ull && event->peer_id_len < 8);
    pthread_mutex_lock (&lock);
    counts[event->event]++;
    last_err[event->event] = event->err;
    memset (peer[event->event], 0, 8);
    if (event->peer_id_len)
        memcpy (peer[event->event], event->peer_id, event->peer_id_len);
    snprintf (last_endpoint[event->event], 256, "%s", event->endpoint);
    pthread_cond_broadcast (&told);
    pthread_mutex_unlock (&lock);
}

static void wait_for (int event, int count)
{
    pthread_mutex_lock (&lock);
    while (counts[event] < count)
        pthread_cond_wait (&told, &lock);
    pthread_mutex_unlock (&lock);
}

static void a_life (slk_ctx_t *ctx)
{
    slk_socket_t *router = open_socket (ctx, SLK_ROUTER), *dealer = open_socket (ctx, SLK_DEALER), *other = open_socket (ctx, SLK_ROUTER);
    CHECK (slk_socket_monitor (router, note, &lock, SLK_EVENT_ALL) == 0);
    /* A monitor is no use of the socket: options still have an effect. */
    CHECK (set_int (router, SLK_HEARTBEAT_IVL, 10) == 0 && set_int (router, SLK_HEARTBEAT_TIMEOUT, PATIENCE) == 0);
    CHECK (slk_setsockopt (dealer, SLK_ROUTING_ID, "dealer", 6) == 0);
    const char *endpoint = join (router, NULL);
    wait_for (SLK_EVENT_LISTENING, 1);
    CHECK (strcmp (last_endpoint[SLK_EVENT_LISTENING], endpoint) == 0);
    CHECK (slk_bind (router, endpoint) == -1);
    wait_for (SLK_EVENT_BIND_FAILED, 1);
    CHECK (last_err[SLK_EVENT_BIND_FAILED] == SLK_EADDRINUSE);
    CHECK (slk_connect (dealer, endpoint) == 0);
    wait_for (SLK_EVENT_HANDSHAKE_OK, 1);
    CHECK (counts[SLK_EVENT_ACCEPTED] == 1 && counts[SLK_EVENT_HANDSHAKE_START] == 1);
    CHECK (strcmp (peer[SLK_EVENT_HANDSHAKE_OK], "dealer") == 0);
    wait_for (SLK_EVENT_HEARTBEAT_OK, 3);
    CHECK (strcmp (peer[SLK_EVENT_HEARTBEAT_OK], "dealer") == 0);
    slk_peer_stats_t stats;
    CHECK (slk_get_peer_stats (router, "dealer", 6, &stats) == 0 && stats.last_heartbeat > 1500000000000ull);

    /* A second peer of the same name is told of. */
    slk_socket_t *twin = open_socket (ctx, SLK_DEALER);
    CHECK (slk_setsockopt (twin, SLK_ROUTING_ID, "dealer", 6) == 0 && slk_connect (twin, endpoint) == 0);
    wait_for (SLK_EVENT_HANDSHAKE_FAIL, 1);
    CHECK (slk_close (twin) == 0);

    CHECK (slk_close (dealer) == 0);
    wait_for (SLK_EVENT_DISCONNECTED, 1);
    CHECK (last_err[SLK_EVENT_DISCONNECTED] == SLK_ECONNRESET);
    CHECK (slk_unbind (router, endpoint) == 0);
    wait_for (SLK_EVENT_CLOSED, 1);
    CHECK (slk_close (router) == 0);
    /* Told before slk_close returned, and the last of all. */
    CHECK (counts[SLK_EVENT_CLOSED] == 2 && last_endpoint[SLK_EVENT_CLOSED][0] == 0);
    CHECK (slk_close (other) == 0);
}

static void a_mask (slk_ctx_t *ctx)
{
    memset (counts, 0, sizeof counts);
    slk_socket_t *pull = open_socket (ctx, SLK_PULL), *push = open_socket (ctx, SLK_PUSH);
    CHECK (slk_socket_monitor (push, note, &lock, 1 << SLK_EVENT_CONNECTED) == 0);
    join (pull, push);
    send_text (push, "a", 0);
    expect_text (pull, "a");
    wait_for (SLK_EVENT_CONNECTED, 1);
    CHECK (slk_socket_monitor (push, NULL, NULL, 0) == 0);
    CHECK (slk_close (push) == 0 && slk_close (pull) == 0);
    CHECK (counts[SLK_EVENT_CONNECTED] == 1 && counts[SLK_EVENT_HANDSHAKE_OK] == 0 && counts[SLK_EVENT_CLOSED] == 0);
}

/* Its function sends, asks, replaces the monitor and closes the socket. */
static int calls;

static void meddle (slk_socket_t *socket, const slk_event_t *event, void *user_data)
{
    CHECK (event->event == SLK_EVENT_HANDSHAKE_OK);
    CHECK (get_int (socket, SLK_TYPE) == SLK_PUSH);
    send_text (socket, "from the monitor", 0);
    CHECK (slk_socket_monitor (socket, NULL, NULL, 0) == 0);
    CHECK (slk_close (socket) == 0);
    *(int *) user_data += 1;
}

static void it_may_call (slk_ctx_t *ctx)
{
    slk_socket_t *pull = open_socket (ctx, SLK_PULL), *push = open_socket (ctx, SLK_PUSH);
    CHECK (set_int (push, SLK_LINGER, -1) == 0);
    CHECK (slk_socket_monitor (push, meddle, &calls, 1 << SLK_EVENT_HANDSHAKE_OK) == 0);
    join (pull, push);
    expect_text (pull, "from the monitor");
    CHECK (slk_close (pull) == 0);
}

int main (void)
{
    slk_ctx_t *ctx = slk_ctx_new ();
    a_life (ctx);
    a_mask (ctx);
    it_may_call (ctx);
    slk_ctx_destroy (ctx);
    CHECK (calls == 1);
    return 0;
}
