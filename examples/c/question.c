/* A question and its answer. Server and client are two sockets of one program here; over tcp they might be two machines.
 *
 *     cc question.c $(pkg-config --cflags --libs serverlink) && ./a.out
 */
#include <serverlink/serverlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What cannot go on says why. */
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

    slk_socket_t *server = slk_socket (ctx, SLK_REP), *client = slk_socket (ctx, SLK_REQ);
    must (server && client, "opening sockets");

    /* Any free port; the socket tells which. */
    char endpoint[128];
    size_t len = sizeof endpoint;
    must (slk_bind (server, "tcp://127.0.0.1:*") == 0, "listening");
    must (slk_getsockopt (server, SLK_LAST_ENDPOINT, endpoint, &len) == 0, "asking for the endpoint");
    must (slk_connect (client, endpoint) == 0, "connecting");

    const char *question = "How many roads must a man walk down?";
    must (slk_send (client, question, strlen (question), 0) >= 0, "asking");

    char text[256];
    int size = slk_recv (server, text, sizeof text, 0);
    must (size >= 0, "receiving the question");
    printf ("asked:    %.*s\n", size, text);
    must (slk_send (server, "42", 2, 0) == 2, "answering");

    size = slk_recv (client, text, sizeof text, 0);
    must (size >= 0, "receiving the answer");
    printf ("answered: %.*s\n", size, text);

    slk_close (client);
    slk_close (server);
    slk_ctx_destroy (ctx);
    return 0;
}
