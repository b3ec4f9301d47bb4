/* Keys, encrypted connections, and who is turned away. */
#include "check.h"
#include <pthread.h>

static char server_public[41], server_secret[41], client_public[41], client_secret[41];

static void keys (slk_ctx_t *ctx)
{
    char text[41];
    unsigned char octets[32];
    size_t len = sizeof octets;
    CHECK (slk_has ("curve") == 1 && slk_has ("plain") == 1);
    CHECK (slk_curve_keypair (server_public, server_secret) == 0 && slk_curve_keypair (client_public, client_secret) == 0);
    CHECK (strlen (server_public) == 40 && strlen (server_secret) == 40 && strcmp (server_public, client_public) != 0);
    CHECK (slk_curve_public (text, server_secret) == 0 && strcmp (text, server_public) == 0);
    FAILS (slk_curve_public (text, "not a key"), SLK_EINVAL);
    FAILS (slk_curve_public (NULL, server_secret), SLK_EFAULT);
    FAILS (slk_curve_keypair (text, NULL), SLK_EFAULT);

    slk_socket_t *socket = open_socket (ctx, SLK_PAIR);
    CHECK (get_int (socket, SLK_MECHANISM) == 0);
    FAILS (slk_setsockopt (socket, SLK_CURVE_SERVERKEY, "short", 5), SLK_EINVAL);
    CHECK (slk_setsockopt (socket, SLK_CURVE_SERVERKEY, server_public, 40) == 0 && get_int (socket, SLK_MECHANISM) == 2);
    CHECK (slk_getsockopt (socket, SLK_CURVE_SERVERKEY, octets, &len) == 0 && len == 32);
    len = sizeof text;
    CHECK (slk_getsockopt (socket, SLK_CURVE_SERVERKEY, text, &len) == 0 && len == 41 && strcmp (text, server_public) == 0);
    /* Half of the keys is no security. */
    FAILS (slk_connect (socket, "tcp://127.0.0.1:1"), SLK_EINVAL);
    CHECK (slk_close (socket) == 0);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;
static int failures, last;

static void note (slk_socket_t *socket, const slk_event_t *event, void *user_data)
{
    (void) socket;
    (void) user_data;
    pthread_mutex_lock (&lock);
    failures++;
    last = event->err;
    pthread_cond_broadcast (&told);
    pthread_mutex_unlock (&lock);
}

static void encrypted (slk_ctx_t *ctx)
{
    slk_socket_t *server = open_socket (ctx, SLK_REP), *client = open_socket (ctx, SLK_REQ), *plain = open_socket (ctx, SLK_REQ);
    CHECK (set_int (server, SLK_CURVE_SERVER, 1) == 0 && slk_setsockopt (server, SLK_CURVE_SECRETKEY, server_secret, 40) == 0);
    CHECK (slk_setsockopt (client, SLK_CURVE_SERVERKEY, server_public, 40) == 0);
    CHECK (slk_setsockopt (client, SLK_CURVE_PUBLICKEY, client_public, 40) == 0 && slk_setsockopt (client, SLK_CURVE_SECRETKEY, client_secret, 40) == 0);
    CHECK (slk_socket_monitor (server, note, NULL, 1 << SLK_EVENT_HANDSHAKE_FAIL) == 0);
    const char *endpoint = join (server, client);
    send_text (client, "secret", 0);
    expect_text (server, "secret");
    send_text (server, "answer", 0);
    expect_text (client, "answer");
    CHECK (failures == 0);

    CHECK (slk_connect (plain, endpoint) == 0);
    pthread_mutex_lock (&lock);
    while (failures == 0)
        pthread_cond_wait (&told, &lock);
    CHECK (last == SLK_EAUTH);
    pthread_mutex_unlock (&lock);
    CHECK (slk_close (plain) == 0 && slk_close (client) == 0 && slk_close (server) == 0);
}

int main (void)
{
    slk_ctx_t *ctx = slk_ctx_new ();
    keys (ctx);
    encrypted (ctx);
    slk_ctx_destroy (ctx);
    return 0;
}
