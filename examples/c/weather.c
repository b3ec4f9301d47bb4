/* A publisher, and a subscriber with a pattern.
 *
 *     cc weather.c $(pkg-config --cflags --libs serverlink) && ./a.out
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

int main (void)
{
    slk_ctx_t *ctx = slk_ctx_new ();
    must (ctx != NULL, "opening a context");

    /* An XPUB receives subscriptions as messages, so it can wait for the first one instead of publishing to nobody. */
    slk_socket_t *publisher = slk_socket (ctx, SLK_XPUB), *subscriber = slk_socket (ctx, SLK_SUB);
    must (publisher && subscriber, "opening sockets");
    char endpoint[128];
    size_t len = sizeof endpoint;
    must (slk_bind (publisher, "tcp://127.0.0.1:*") == 0, "listening");
    must (slk_getsockopt (publisher, SLK_LAST_ENDPOINT, endpoint, &len) == 0, "asking for the endpoint");

    const char *pattern = "weather.*.rain";
    must (slk_setsockopt (subscriber, SLK_PSUBSCRIBE, pattern, strlen (pattern)) == 0, "subscribing");
    must (slk_connect (subscriber, endpoint) == 0, "connecting");
    must (slk_recv (publisher, NULL, 0, 0) > 0, "waiting for a subscriber");

    const char *topics[] = {"weather.paris.sun", "weather.london.rain", "weather.oslo.rain"};
    for (size_t i = 0; i < 3; i++) {
        must (slk_send (publisher, topics[i], strlen (topics[i]), SLK_SNDMORE) >= 0, "publishing");
        must (slk_send (publisher, "today", 5, 0) == 5, "publishing");
    }

    /* Two of the three fit. */
    slk_msg_t *part = slk_msg_new ();
    for (int i = 0; i < 2; i++) {
        int more;
        do {
            len = sizeof more;
            must (slk_msg_recv (part, subscriber, 0) >= 0, "receiving");
            must (slk_msg_get (part, SLK_MSG_MORE, &more, &len) == 0, "asking for more");
            printf ("%.*s%s", (int) slk_msg_size (part), (char *) slk_msg_data (part), more ? ": " : "\n");
        } while (more);
    }
    slk_msg_destroy (part);

    slk_close (subscriber);
    slk_close (publisher);
    slk_ctx_destroy (ctx);
    return 0;
}
