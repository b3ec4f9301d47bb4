// Streams of short messages, in which most calls have nothing to decide: every size and form in between, what a message held before, copies that
// are kept, and sockets that are closed by another thread meanwhile.
#define _GNU_SOURCE
#undef NDEBUG
#include <zmq.h>
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 60000

static const size_t sizes[] = { 0, 1, 46, 47, 64, 200, 255, 256, 2048, 2049, 9000 };
#define SIZES (sizeof sizes / sizeof sizes[0])

static void *ctx;
static _Atomic int freed;
static int given;

static size_t size_of (int number) { return sizes[(number / 7) % SIZES]; }

static void fill (char *bytes, size_t size, int number)
{
    memset (bytes, 'a' + number % 23, size);
    if (size >= sizeof number)
        memcpy (bytes, &number, sizeof number);
}

static void check (const char *bytes, size_t size, int number)
{
    static char wanted[10000];
    fill (wanted, size, number);
    assert (memcmp (bytes, wanted, size) == 0);
}

static void give_back (void *data, void *hint)
{
    (void) hint;
    free (data);
    freed++;
}

struct sending { char endpoint[100]; int lent; };

// Every number once: copied bytes, a message of its own, or the program's memory; now and then in two parts.
static void *send_all (void *argument)
{
    struct sending *sending = argument;
    static __thread char bytes[10000];
    void *push = zmq_socket (ctx, ZMQ_PUSH);
    assert (push && zmq_connect (push, sending->endpoint) == 0);
    for (int number = 0; number < COUNT; number++) {
        size_t size = size_of (number);
        if (number % 1001 == 1000) {
            assert (zmq_send (push, "front", 5, ZMQ_SNDMORE) == 5);
        }
        if (number % 3 == 0) {
            fill (bytes, size, number);
            assert (zmq_send (push, bytes, size, 0) == (int) size);
            continue;
        }
        zmq_msg_t msg;
        if (number % 3 == 1) {
            assert (zmq_msg_init_size (&msg, size) == 0);
            const char *zeros = zmq_msg_data (&msg);
            for (size_t i = 0; i < size; i++)
                assert (zeros[i] == 0);
        } else {
            char *own = malloc (size ? size : 1);
            assert (own && zmq_msg_init_data (&msg, own, size, give_back, NULL) == 0);
            sending->lent++;
        }
        fill (zmq_msg_data (&msg), size, number);
        assert (zmq_msg_send (&msg, push, 0) == (int) size);
        assert (zmq_msg_size (&msg) == 0 && zmq_msg_close (&msg) == 0);
    }
    assert (zmq_close (push) == 0);
    return NULL;
}

// Gives how often it let go of memory of its own.
static int receive_all (void *pull)
{
    int own = 0;
    static char buffer[10000];
    zmq_msg_t msg, kept[16];
    // Which numbers they are; -1: none.
    int held = -1, kept_numbers[16];
    assert (zmq_msg_init (&msg) == 0);
    for (int i = 0; i < 16; i++)
        assert (zmq_msg_init (&kept[kept_numbers[i] = -1, i]) == 0);
    for (int number = 0; number < COUNT; number++) {
        int size = (int) size_of (number), more;
        size_t len = sizeof more;
        if (number % 1001 == 1000) {
            assert (zmq_msg_recv (&msg, pull, 0) == 5 && zmq_msg_more (&msg));
            assert (memcmp (zmq_msg_data (&msg), "front", 5) == 0);
            held = -1;
        }
        if ((number / 100) % 2 == 0) {
            // What does not fit is cut off, and nothing behind the room is touched.
            size_t room = number % 5 == 0 ? 10 : sizeof buffer - 1;
            buffer[room] = '#';
            assert (zmq_recv (pull, buffer, room, 0) == size && buffer[room] == '#');
            check (buffer, (size_t) size < room ? (size_t) size : room, number);
            assert (zmq_getsockopt (pull, ZMQ_RCVMORE, &more, &len) == 0 && more == 0);
            continue;
        }
        zmq_msg_t *keep = &kept[number % 16];
        int *keeps = &kept_numbers[number % 16];
        switch (number % 11) {
        case 0: // A sender who is known, and a text of his.
            assert (held < 0 || strcmp (zmq_msg_gets (&msg, "Socket-Type"), "PUSH") == 0);
            break;
        case 1: // Somebody else's memory is let go.
            assert (zmq_msg_close (&msg) == 0);
            assert (zmq_msg_init_data (&msg, malloc (100), 100, give_back, NULL) == 0);
            own++;
            break;
        case 2: // Empty again.
            assert (zmq_msg_close (&msg) == 0 && zmq_msg_init (&msg) == 0);
            break;
        case 3: // Shared with one that is kept.
            if (*keeps >= 0) {
                assert (zmq_msg_size (keep) == size_of (*keeps));
                check (zmq_msg_data (keep), zmq_msg_size (keep), *keeps);
            }
            if (held >= 0) {
                assert (zmq_msg_copy (keep, &msg) == 0);
                *keeps = held;
            }
            break;
        default:
            break;
        }
        assert (zmq_msg_recv (&msg, pull, 0) == size && !zmq_msg_more (&msg) && zmq_msg_size (&msg) == (size_t) size);
        check (zmq_msg_data (&msg), (size_t) size, held = number);
        assert (strcmp (zmq_msg_gets (&msg, "Socket-Type"), "PUSH") == 0);
    }
    for (int i = 0; i < 16; i++)
        assert (zmq_msg_close (&kept[i]) == 0);
    assert (zmq_msg_close (&msg) == 0);
    assert (zmq_recv (pull, buffer, sizeof buffer, ZMQ_DONTWAIT) == -1 && errno == EAGAIN);
    return own;
}

static void all_arrive (const char *wanted)
{
    struct sending sending = { .lent = 0 };
    size_t len = sizeof sending.endpoint;
    pthread_t thread;
    void *pull = zmq_socket (ctx, ZMQ_PULL);
    assert (pull && zmq_bind (pull, wanted) == 0);
    assert (zmq_getsockopt (pull, ZMQ_LAST_ENDPOINT, sending.endpoint, &len) == 0);
    assert (pthread_create (&thread, NULL, send_all, &sending) == 0);
    int own = receive_all (pull);
    assert (pthread_join (thread, NULL) == 0);
    assert (zmq_close (pull) == 0);
    // Given back by whoever had it last: the context at the latest.
    given += own + sending.lent;
    assert (freed <= given);
}

// A call that goes on and on in one thread, until the other one has closed the socket.
static void *send_until_closed (void *socket)
{
    char bytes[64] = { 0 };
    while (zmq_send (socket, bytes, sizeof bytes, ZMQ_DONTWAIT) == sizeof bytes || errno == EAGAIN) { }
    assert (errno == ENOTSOCK);
    return NULL;
}

static void *receive_until_closed (void *socket)
{
    zmq_msg_t msg;
    assert (zmq_msg_init (&msg) == 0);
    while (zmq_msg_recv (&msg, socket, ZMQ_DONTWAIT) >= 0 || errno == EAGAIN) { }
    assert (errno == ENOTSOCK && zmq_msg_close (&msg) == 0);
    return NULL;
}

static void closed_meanwhile (void)
{
    for (int round = 0; round < 30; round++) {
        char endpoint[100];
        size_t len = sizeof endpoint;
        int none = 0;
        pthread_t sends, receives;
        void *pull = zmq_socket (ctx, ZMQ_PULL), *push = zmq_socket (ctx, ZMQ_PUSH), *other = zmq_socket (ctx, ZMQ_PUSH);
        assert (pull && push && other);
        assert (zmq_setsockopt (push, ZMQ_LINGER, &none, sizeof none) == 0);
        assert (zmq_bind (pull, "tcp://127.0.0.1:*") == 0);
        assert (zmq_getsockopt (pull, ZMQ_LAST_ENDPOINT, endpoint, &len) == 0);
        assert (zmq_connect (push, endpoint) == 0 && zmq_connect (other, endpoint) == 0);
        // Once it has arrived the others are in the middle of it.
        assert (pthread_create (&sends, NULL, send_until_closed, push) == 0);
        char byte;
        for (int i = 0; i < 2000; i++)
            assert (zmq_recv (pull, &byte, 1, 0) == 64);
        assert (pthread_create (&receives, NULL, receive_until_closed, pull) == 0);
        for (int i = 0; i < 500 * (round % 3); i++)
            assert (zmq_send (other, "", 0, 0) == 0);
        assert (zmq_close (round % 2 ? push : pull) == 0);
        assert (zmq_close (round % 2 ? pull : push) == 0);
        assert (pthread_join (sends, NULL) == 0 && pthread_join (receives, NULL) == 0);
        assert (zmq_setsockopt (other, ZMQ_LINGER, &none, sizeof none) == 0 && zmq_close (other) == 0);
    }
}

int main (void)
{
    ctx = zmq_ctx_new ();
    assert (ctx);
    all_arrive ("tcp://127.0.0.1:*");
    all_arrive ("inproc://stream");
    closed_meanwhile ();
    assert (zmq_ctx_term (ctx) == 0);
    assert (freed == given);
    puts ("ok");
    return 0;
}
