/* What the programs of this folder share. */
#ifndef CHECK_H
#define CHECK_H

#include <serverlink/serverlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                                                  \
    do {                                                                                                                                  \
        if (!(condition)) {                                                                                                               \
            fprintf (stderr, "%s:%d: `%s` does not hold; slk_errno: %d, %s\n", __FILE__, __LINE__, #condition, slk_errno (),              \
                     slk_strerror (slk_errno ()));                                                                                        \
            exit (1);                                                                                                                     \
        }                                                                                                                                 \
    } while (0)

/* A call that fails with this code. */
#define FAILS(call, code) CHECK ((call) == -1 && slk_errno () == (code))

/* Nothing here takes so long; a fault shows instead of hanging. */
#define PATIENCE 20000

static inline int set_int (slk_socket_t *socket, int option, int value)
{
    return slk_setsockopt (socket, option, &value, sizeof value);
}

static inline int get_int (slk_socket_t *socket, int option)
{
    int value = -12345;
    size_t len = sizeof value;
    CHECK (slk_getsockopt (socket, option, &value, &len) == 0 && len == sizeof value);
    return value;
}

static inline slk_socket_t *open_socket (slk_ctx_t *ctx, int type)
{
    slk_socket_t *socket = slk_socket (ctx, type);
    CHECK (socket);
    CHECK (set_int (socket, SLK_RCVTIMEO, PATIENCE) == 0);
    CHECK (set_int (socket, SLK_SNDTIMEO, PATIENCE) == 0);
    CHECK (set_int (socket, SLK_LINGER, 0) == 0);
    return socket;
}

/* Binds to any free port, and connects another socket to it unless that is NULL. */
static inline const char *join (slk_socket_t *bound, slk_socket_t *connected)
{
    static char endpoint[256];
    size_t len = sizeof endpoint;
    CHECK (slk_bind (bound, "tcp://127.0.0.1:*") == 0);
    CHECK (slk_getsockopt (bound, SLK_LAST_ENDPOINT, endpoint, &len) == 0);
    if (connected)
        CHECK (slk_connect (connected, endpoint) == 0);
    return endpoint;
}

static inline void send_text (slk_socket_t *socket, const char *text, int flags)
{
    CHECK (slk_send (socket, text, strlen (text), flags) == (int) strlen (text));
}

static inline void expect_text (slk_socket_t *socket, const char *text)
{
    char buffer[1024];
    int len = slk_recv (socket, buffer, sizeof buffer, 0);
    CHECK (len == (int) strlen (text));
    CHECK (memcmp (buffer, text, (size_t) len) == 0);
}

/* A subscription as an XPUB receives it. */
static inline void expect_notice (slk_socket_t *xpub, char first, const char *topic)
{
    char buffer[1024];
    int len = slk_recv (xpub, buffer, sizeof buffer, 0);
    CHECK (len == (int) strlen (topic) + 1 && buffer[0] == first);
    CHECK (memcmp (buffer + 1, topic, strlen (topic)) == 0);
}

#endif
