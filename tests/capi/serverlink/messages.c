/* Messages as handles, parts, and sizes that do not fit. */
#include "check.h"

static void handles (void)
{
    slk_msg_t *one = slk_msg_new_data ("hello", 5), *two = slk_msg_new ();
    unsigned id = 0;
    int more = 1;
    size_t len = sizeof more;
    CHECK (one && two && slk_msg_size (one) == 5 && memcmp (slk_msg_data (one), "hello", 5) == 0 && slk_msg_size (two) == 0);
    CHECK (slk_msg_copy (two, one) == 0 && slk_msg_size (two) == 5 && slk_msg_size (one) == 5);
    memcpy (slk_msg_data (two), "J", 1);
    CHECK (memcmp (slk_msg_data (one), "hello", 5) == 0 && memcmp (slk_msg_data (two), "Jello", 5) == 0);
    CHECK (slk_msg_move (one, two) == 0 && slk_msg_size (two) == 0 && memcmp (slk_msg_data (one), "Jello", 5) == 0);
    CHECK (slk_msg_move (one, one) == 0 && slk_msg_copy (one, one) == 0 && slk_msg_size (one) == 5);
    CHECK (slk_msg_get (one, SLK_MSG_MORE, &more, &len) == 0 && more == 0);
    FAILS (slk_msg_get (one, 77, &more, &len), SLK_EINVAL);
    FAILS (slk_msg_set (one, SLK_MSG_MORE, &more, sizeof more), SLK_EINVAL);
    FAILS (slk_msg_set_routing_id (one, "abc", 3), SLK_EINVAL);
    FAILS (slk_msg_set_routing_id (one, "\0\0\0\0", 4), SLK_EINVAL);
    CHECK (slk_msg_set_routing_id (one, "abcd", 4) == 0);
    len = sizeof id;
    CHECK (slk_msg_get_routing_id (one, &id, &len) == 0 && len == 4 && memcmp (&id, "abcd", 4) == 0);
    FAILS (slk_msg_init_data (one, NULL, 3), SLK_EINVAL);
    CHECK (slk_msg_init_data (one, NULL, 0) == 0 && slk_msg_size (one) == 0);
    CHECK (slk_msg_init_data (one, "again", 5) == 0 && slk_msg_close (one) == 0 && slk_msg_close (one) == 0 && slk_msg_size (one) == 0);
    CHECK (slk_msg_new_data (NULL, 3) == NULL && slk_errno () == SLK_EINVAL);
    slk_msg_destroy (one);
    slk_msg_destroy (two);
    slk_msg_destroy (two);
    slk_msg_destroy (NULL);
}

static void parts (slk_ctx_t *ctx)
{
    slk_socket_t *push = open_socket (ctx, SLK_PUSH), *pull = open_socket (ctx, SLK_PULL);
    slk_msg_t *msg = slk_msg_new_data ("first", 5);
    char buffer[4] = "....";
    size_t big = 3000000;
    char *bytes = (char *) malloc (big);
    join (pull, push);
    CHECK (slk_msg_send (msg, push, SLK_SNDMORE) == 5 && slk_msg_size (msg) == 0);
    send_text (push, "second", SLK_SNDMORE);
    memset (bytes, 'x', big);
    CHECK (slk_send (push, bytes, big, 0) == (int) big);
    CHECK (slk_msg_recv (msg, pull, 0) == 5 && memcmp (slk_msg_data (msg), "first", 5) == 0);
    CHECK (get_int (pull, SLK_RCVMORE) == 1);
    CHECK (slk_recv (pull, buffer, 3, 0) == 6 && memcmp (buffer, "sec.", 4) == 0);
    CHECK (slk_msg_recv (msg, pull, 0) == (int) big && get_int (pull, SLK_RCVMORE) == 0);
    CHECK (((char *) slk_msg_data (msg))[big - 1] == 'x');
    FAILS (slk_msg_recv (msg, pull, SLK_DONTWAIT), SLK_EAGAIN);
    CHECK (slk_msg_size (msg) == big);
    /* What could not be sent is still there. */
    FAILS (slk_msg_send (msg, pull, 0), SLK_ENOTSUP);
    CHECK (slk_msg_size (msg) == big);
    CHECK (slk_recv (pull, NULL, 0, SLK_DONTWAIT) == -1);
    send_text (push, "", 0);
    CHECK (slk_recv (pull, NULL, 0, 0) == 0);
    free (bytes);
    slk_msg_destroy (msg);
    CHECK (slk_close (push) == 0 && slk_close (pull) == 0);
}

int main (void)
{
    slk_ctx_t *ctx = slk_ctx_new ();
    handles ();
    parts (ctx);
    slk_ctx_destroy (ctx);
    return 0;
}
