/* Sequences of calls with arbitrary arguments, on handles that are open, closed, of another kind or none, by two threads at once. Whatever they give, the
 * process goes on and everything can be closed. `calls SEED` repeats one sequence (for one thread: two threads meet as they do). */
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>

#define PLACES 12
#define STEPS 1000
#define SEEDS 200

static _Atomic (void *) sockets[PLACES], messages[PLACES], others[PLACES];
static _Atomic (void *) context;
static int is_alone;

struct dice
{
    uint64_t state;
};

static unsigned roll (struct dice *dice, unsigned sides)
{
    dice->state = dice->state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned) (dice->state >> 33) % sides;
}

static void on_event (slk_socket_t *socket, const slk_event_t *event, void *user_data)
{
    int type;
    size_t len = sizeof type;
    CHECK (event->endpoint && user_data == NULL);
    slk_getsockopt (socket, SLK_TYPE, &type, &len);
}

static void on_timer (int id, void *argument)
{
    CHECK (id >= 1 && argument == NULL);
}

/* Mostly what was asked for. */
static void *pick (struct dice *dice, _Atomic (void *) *places)
{
    static char memory[64];
    switch (roll (dice, 20)) {
    case 0:
        return NULL;
    case 1:
        return memory;
    case 2:
        return atomic_load (&context);
    case 3:
        return atomic_load (&messages[roll (dice, PLACES)]);
    case 4:
        return atomic_load (&sockets[roll (dice, PLACES)]);
    case 5:
        return (char *) atomic_load (&places[roll (dice, PLACES)]) + 1;
    default:
        return atomic_load (&places[roll (dice, PLACES)]);
    }
}

static const char *endpoint (struct dice *dice)
{
    static const char *const all[] = {"inproc://a",        "inproc://b", "inproc://c", "tcp://127.0.0.1:*", "ipc://*", "tcp://127.0.0.1:1", "tcp://[::1]:*",
                                      "tcp://127.0.0.1:x", "",           "://",        "udp://1.2.3.4:5",   "tcp",     "inproc://",        NULL};
    return all[roll (dice, sizeof all / sizeof *all)];
}

static void use_socket (struct dice *dice, slk_socket_t *socket)
{
    char bytes[64] = {0};
    int option = (int) roll (dice, 220) - 2, flags = (int) roll (dice, 4) | SLK_DONTWAIT;
    size_t len = roll (dice, 12), count = 4;
    void *ids[4];
    size_t lens[4];
    slk_peer_stats_t stats;
    slk_peer_id_t *peers;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char) (roll (dice, 3) ? roll (dice, 3) : roll (dice, 256));
    switch (roll (dice, 16)) {
    case 0:
    case 1:
        slk_setsockopt (socket, option, roll (dice, 9) ? bytes : NULL, len);
        break;
    case 2:
        slk_getsockopt (socket, option, bytes, &len);
        break;
    case 3:
        slk_bind (socket, endpoint (dice));
        break;
    case 4:
    case 5:
        slk_connect (socket, endpoint (dice));
        break;
    case 6:
        slk_unbind (socket, endpoint (dice));
        break;
    case 7:
        slk_disconnect (socket, endpoint (dice));
        break;
    case 8:
    case 9:
        slk_send (socket, bytes, roll (dice, 64), flags);
        break;
    case 10:
    case 11:
        slk_recv (socket, bytes, roll (dice, 64), flags);
        break;
    case 12:
        slk_send_to (socket, bytes, roll (dice, 9), bytes, len, flags);
        break;
    case 13:
        slk_msg_send ((slk_msg_t *) pick (dice, messages), socket, flags);
        break;
    case 14:
        slk_msg_recv ((slk_msg_t *) pick (dice, messages), socket, flags);
        break;
    default:
        slk_socket_monitor (socket, roll (dice, 3) ? on_event : NULL, NULL, (int) roll (dice, 0x10000));
        slk_is_connected (socket, bytes, len);
        slk_get_peer_stats (socket, bytes, len, &stats);
        if (slk_get_peers (socket, ids, lens, &count) == 0)
            slk_free_peers (ids, lens, count < 4 ? count : 4);
        if (slk_peers (socket, &peers, &count) == 0)
            slk_peers_free (peers);
    }
}

static void use_message (struct dice *dice, slk_msg_t *message)
{
    char bytes[16] = {1};
    size_t len = roll (dice, 16);
    switch (roll (dice, 9)) {
    case 0:
        slk_msg_init (message);
        break;
    case 1:
        slk_msg_init_data (message, roll (dice, 9) ? bytes : NULL, len);
        break;
    case 2:
        slk_msg_close (message);
        break;
    case 3:
        slk_msg_copy (message, (slk_msg_t *) pick (dice, messages));
        break;
    case 4:
        slk_msg_move (message, (slk_msg_t *) pick (dice, messages));
        break;
    case 5:
        slk_msg_get (message, (int) roll (dice, 3), bytes, &len);
        break;
    case 6:
        slk_msg_set_routing_id (message, bytes, len);
        break;
    case 7:
        slk_msg_get_routing_id (message, bytes, &len);
        break;
    default: {
        /* Another thread may change it while one writes through the pointer. */
        char *data = (char *) slk_msg_data (message);
        if (is_alone && slk_msg_size (message) > 0)
            data[0] = 'x';
    }
    }
}

/* Pollers, timers, counters, stopwatches and shards, each taken for any of the others. */
static void use_other (struct dice *dice, void *other)
{
    slk_poller_event_t events[2];
    slk_fd_t fd = (slk_fd_t) roll (dice, 3);
    short what = (short) roll (dice, 10);
    char name[4] = {'c', (char) ('0' + roll (dice, 8)), 0, 0};
    switch (roll (dice, 16)) {
    case 0:
    case 1:
        slk_poller_add (other, pick (dice, sockets), NULL, what);
        break;
    case 2:
        slk_poller_add_fd (other, fd - 1, NULL, what);
        break;
    case 3:
        slk_poller_modify (other, pick (dice, sockets), what);
        break;
    case 4:
        slk_poller_remove (other, pick (dice, sockets));
        break;
    case 5:
        slk_poller_remove_fd (other, fd);
        break;
    case 6:
        slk_poller_wait_all (other, events, (int) roll (dice, 4) - 1, (long) roll (dice, 2));
        break;
    case 7:
        slk_timers_add (other, roll (dice, 3), roll (dice, 5) ? on_timer : NULL, NULL);
        break;
    case 8:
        slk_timers_cancel (other, (int) roll (dice, 5));
        break;
    case 9:
        slk_timers_execute (other);
        slk_timers_timeout (other);
        break;
    case 10:
        slk_timers_set_interval (other, (int) roll (dice, 5), roll (dice, 100));
        break;
    case 11:
        slk_atomic_counter_inc (other);
        slk_atomic_counter_dec (other);
        slk_atomic_counter_set (other, 7);
        break;
    case 12:
        slk_stopwatch_intermediate (other);
        break;
    case 13:
        slk_spublish ((slk_sharded_pubsub_t *) other, name, name, 2);
        break;
    case 14:
        slk_ssubscribe ((slk_sharded_pubsub_t *) other, (slk_socket_t *) pick (dice, sockets), name);
        break;
    default:
        slk_sunsubscribe ((slk_sharded_pubsub_t *) other, (slk_socket_t *) pick (dice, sockets), name);
        slk_sharded_pubsub_set_hwm ((slk_sharded_pubsub_t *) other, (int) roll (dice, 9) - 1);
    }
}

static void close_socket (slk_socket_t *socket)
{
    /* What nobody takes must not keep the context waiting. */
    set_int (socket, SLK_LINGER, 0);
    slk_close (socket);
}

static void close_other (void *other)
{
    void *place = other;
    slk_poller_destroy (&place);
    slk_timers_destroy (&place);
    slk_atomic_counter_destroy (&place);
    slk_stopwatch_stop (place);
    slk_sharded_pubsub_destroy ((slk_sharded_pubsub_t **) &place);
}

static void step (struct dice *dice)
{
    slk_ctx_t *ctx = (slk_ctx_t *) atomic_load (&context);
    unsigned place = roll (dice, PLACES);
    slk_pollitem_t items[3];
    char **channels;
    size_t count;
    int value[2] = {(int) place, 0};
    switch (roll (dice, 24)) {
    case 0:
    case 1:
        close_socket ((slk_socket_t *) atomic_exchange (&sockets[place], slk_socket (ctx, (int) roll (dice, 13) - 1)));
        break;
    case 2:
        slk_msg_destroy ((slk_msg_t *) atomic_exchange (&messages[place], roll (dice, 2) ? slk_msg_new () : slk_msg_new_data ("some bytes", 10)));
        break;
    case 3: {
        void *made[] = {slk_poller_new (), slk_timers_new (), slk_atomic_counter_new (), slk_stopwatch_start (), slk_sharded_pubsub_new (ctx, 3)};
        unsigned chosen = roll (dice, 5);
        for (unsigned i = 0; i < 5; i++)
            if (i != chosen)
                close_other (made[i]);
        close_other (atomic_exchange (&others[place], made[chosen]));
        break;
    }
    case 4:
        for (int i = 0; i < 3; i++)
            items[i] = (slk_pollitem_t){(slk_socket_t *) pick (dice, sockets), (int) roll (dice, 3) - 1, (short) roll (dice, 9), 0};
        slk_poll (items, (int) roll (dice, 5) - 1 > 3 ? 3 : (int) roll (dice, 4), 0);
        break;
    case 5:
        slk_pubsub_numpat (ctx);
        if (slk_pubsub_channels (ctx, roll (dice, 2) ? NULL : "[a-", &channels, &count) == 0)
            slk_pubsub_channels_free (channels, count);
        break;
    case 6:
    case 7:
    case 8:
        use_message (dice, (slk_msg_t *) pick (dice, messages));
        break;
    case 9:
    case 10:
    case 11:
        use_other (dice, pick (dice, others));
        break;
    case 12:
        slk_ctx_set (ctx, (int) roll (dice, 16), value, roll (dice, 6));
        break;
    default:
        use_socket (dice, (slk_socket_t *) pick (dice, sockets));
    }
}

static void *run (void *argument)
{
    for (int i = 0; i < STEPS; i++) {
        step ((struct dice *) argument);
        CHECK (slk_errno () != SLK_EINTERNAL);
    }
    return NULL;
}

static void sequence (uint64_t seed, int threads)
{
    struct dice dice[] = {{seed * 2 + 1}, {seed * 2 + 2}};
    pthread_t second;
    int most = 200;
    is_alone = threads == 1;
    atomic_store (&context, slk_ctx_new ());
    CHECK (slk_ctx_set ((slk_ctx_t *) atomic_load (&context), SLK_MAX_SOCKETS, &most, sizeof most) == 0);
    if (threads == 2)
        CHECK (pthread_create (&second, NULL, run, &dice[1]) == 0);
    run (&dice[0]);
    if (threads == 2)
        CHECK (pthread_join (second, NULL) == 0);
    for (int i = 0; i < PLACES; i++) {
        close_other (atomic_exchange (&others[i], NULL));
        close_socket ((slk_socket_t *) atomic_exchange (&sockets[i], NULL));
        slk_msg_destroy ((slk_msg_t *) atomic_exchange (&messages[i], NULL));
    }
    slk_ctx_destroy ((slk_ctx_t *) atomic_exchange (&context, NULL));
}

int main (int count, char **arguments)
{
    if (count > 1) {
        sequence (strtoull (arguments[1], NULL, 10), 1);
        return 0;
    }
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        printf ("\rseed %d of %d", (int) seed, SEEDS);
        fflush (stdout);
        sequence (seed, 1 + (int) (seed % 2));
    }
    puts ("");
    return 0;
}
