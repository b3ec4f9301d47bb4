/* A socket that one thread closes while others use it: their calls end, and nothing breaks. */
#include "check.h"
#include <pthread.h>
#include <stdatomic.h>

#define ROUNDS 300

static _Atomic (slk_socket_t *) shared;
static atomic_int started;

static void *use (void *argument)
{
    static const char *const endpoints[] = {"inproc://closing", "tcp://127.0.0.1:1", "inproc://nobody"};
    slk_socket_t *socket = (slk_socket_t *) atomic_load (&shared);
    int result, at = (int) (intptr_t) argument;
    do {
        char byte;
        switch (at++ % 5) {
        case 0:
            result = slk_send (socket, "x", 1, SLK_DONTWAIT);
            break;
        case 1:
            result = slk_recv (socket, &byte, 1, SLK_DONTWAIT);
            break;
        default:
            result = slk_connect (socket, endpoints[at % 3]);
        }
        atomic_fetch_add (&started, 1);
        CHECK (result >= 0 || slk_errno () != SLK_EINTERNAL);
    } while (result >= 0 || slk_errno () != SLK_ENOTSOCK);
    return NULL;
}

int main (void)
{
    slk_ctx_t *ctx = slk_ctx_new ();
    slk_socket_t *bound = open_socket (ctx, SLK_DEALER);
    CHECK (slk_bind (bound, "inproc://closing") == 0);
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[2];
        slk_socket_t *socket = open_socket (ctx, round % 2 ? SLK_DEALER : SLK_PAIR);
        atomic_store (&shared, socket);
        atomic_store (&started, 0);
        for (intptr_t i = 0; i < 2; i++)
            CHECK (pthread_create (&threads[i], NULL, use, (void *) i) == 0);
        while (atomic_load (&started) < 10)
            ;
        CHECK (slk_close (socket) == 0);
        for (int i = 0; i < 2; i++)
            CHECK (pthread_join (threads[i], NULL) == 0);
    }
    CHECK (slk_close (bound) == 0);
    slk_ctx_destroy (ctx);
    return 0;
}
