/* What belongs to the system beside what belongs to the library: ZMQ_FD in loops of the program's, and the program's own sockets in zmq_poll, in pollers and as
 * listeners. The program starts no network of its own: on Windows the context has done so. */
#define _GNU_SOURCE
#define ZMQ_BUILD_DRAFT_API
#undef NDEBUG
#include "pair.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <zmq.h>

#define PATIENCE 20000

static void *context;

static void *opened (int type)
{
    void *socket = zmq_socket (context, type);
    int patience = PATIENCE;
    assert (socket && zmq_setsockopt (socket, ZMQ_RCVTIMEO, &patience, sizeof patience) == 0);
    return socket;
}

static void join (void *bound, void *connected)
{
    char endpoint[100];
    size_t len = sizeof endpoint;
    assert (zmq_bind (bound, "tcp://127.0.0.1:*") == 0);
    assert (zmq_getsockopt (bound, ZMQ_LAST_ENDPOINT, endpoint, &len) == 0 && zmq_connect (connected, endpoint) == 0);
}

static int events_of (void *socket)
{
    int events;
    size_t len = sizeof events;
    assert (zmq_getsockopt (socket, ZMQ_EVENTS, &events, &len) == 0 && len == sizeof events);
    return events;
}

static void expect (void *socket, const char *text)
{
    char buffer[64];
    assert (zmq_recv (socket, buffer, sizeof buffer, 0) == (int) strlen (text) && memcmp (buffer, text, strlen (text)) == 0);
}

/* It is as large as the header says, and a loop that sleeps on it is woken for every message. */
static void a_loop_of_the_programs_own (void)
{
    void *pull = opened (ZMQ_PULL), *push = opened (ZMQ_PUSH);
    zmq_fd_t wide[2], fd;
    size_t len = sizeof wide, short_by_one = sizeof fd - 1;
    join (pull, push);
    assert (zmq_getsockopt (pull, ZMQ_FD, wide, &len) == 0 && len == sizeof fd);
    assert (zmq_getsockopt (pull, ZMQ_FD, &fd, &len) == 0 && len == sizeof fd && fd == wide[0]);
    assert (zmq_getsockopt (pull, ZMQ_FD, &fd, &short_by_one) == -1 && errno == EINVAL);
    while (events_of (pull) & ZMQ_POLLIN)
        expect (pull, "");
    for (int i = 0; i < 100; i++) {
        assert (zmq_send (push, "message", 7, 0) == 7);
        while (!(events_of (pull) & ZMQ_POLLIN))
            assert (wait_readable ((end_t) fd, PATIENCE));
        expect (pull, "message");
    }
    assert (zmq_close (push) == 0 && zmq_close (pull) == 0);
}

static void polled_beside_sockets (void)
{
    void *pull = opened (ZMQ_PULL), *push = opened (ZMQ_PUSH);
    end_t ends[2];
    make_pair (ends);
    join (pull, push);
    zmq_pollitem_t items[] = {{pull, 0, ZMQ_POLLIN, 77}, {NULL, ends[0], ZMQ_POLLIN, 77}, {NULL, ends[1], ZMQ_POLLOUT, 77}};
    assert (zmq_poll (items, 2, 0) == 0 && items[0].revents == 0 && items[1].revents == 0 && items[2].revents == 77);
    assert (zmq_poll (items, 2, 20) == 0);
    assert (zmq_poll (items, 3, -1) == 1 && items[2].revents == ZMQ_POLLOUT);
    write_end (ends[1], "a");
    assert (zmq_poll (items, 2, -1) == 1 && items[0].revents == 0 && items[1].revents == ZMQ_POLLIN);
    assert (zmq_send (push, "b", 1, 0) == 1);
    assert (zmq_poll (items, 1, -1) == 1 && items[0].revents == ZMQ_POLLIN);
    assert (zmq_poll (items, 3, -1) == 3);
    expect (pull, "b");
    char byte;
    assert (recv (ends[0], &byte, 1, 0) == 1 && byte == 'a');
    assert (zmq_poll (items, 2, 0) == 0);
    /* Both ways at once, and nothing that was not asked for. */
    items[1].events = ZMQ_POLLIN | ZMQ_POLLOUT;
    assert (zmq_poll (items, 2, -1) == 1 && items[1].revents == ZMQ_POLLOUT);
    items[1].events = 0;
    assert (zmq_poll (items, 2, 0) == 0 && items[1].revents == 0);
    /* The end of a connection is something to be read. */
    items[1].events = ZMQ_POLLIN;
    assert (close_end (ends[1]) == 0);
    assert (zmq_poll (items, 2, -1) == 1 && items[1].revents & ZMQ_POLLIN);
    /* What is none is an error, which is told at once. */
    assert (close_end (ends[0]) == 0);
    items[1].fd = (zmq_fd_t) 0x7ffffffc;
    assert (zmq_poll (items, 2, -1) == 1 && items[0].revents == 0 && items[1].revents == ZMQ_POLLERR);
    assert (zmq_poll (&items[1], 1, -1) == 1 && items[1].revents == ZMQ_POLLERR);
    assert (zmq_close (push) == 0 && zmq_close (pull) == 0);
}

static void in_a_poller (void)
{
    void *pull = opened (ZMQ_PULL), *push = opened (ZMQ_PUSH), *poller = zmq_poller_new ();
    zmq_poller_event_t events[3];
    int one, two;
    end_t ends[2];
    make_pair (ends);
    join (pull, push);
    assert (zmq_poller_add (poller, pull, &one, ZMQ_POLLIN) == 0 && zmq_poller_add_fd (poller, ends[0], &two, ZMQ_POLLIN) == 0);
    assert (zmq_poller_add_fd (poller, ends[0], &two, ZMQ_POLLIN) == -1 && errno == EINVAL);
    assert (zmq_poller_add_fd (poller, (zmq_fd_t) -1, &two, ZMQ_POLLIN) == -1 && errno == EBADF);
    assert (zmq_poller_remove_fd (poller, ends[1]) == -1 && errno == EINVAL);
    assert (zmq_poller_size (poller) == 2);
    assert (zmq_poller_wait (poller, events, 1) == -1 && errno == EAGAIN && zmq_errno () == EAGAIN);
    assert (events[0].fd == (zmq_fd_t) -1 && events[0].socket == NULL);
    write_end (ends[1], "a");
    assert (zmq_poller_wait (poller, events, PATIENCE) == 0);
    assert (events[0].socket == NULL && events[0].fd == (zmq_fd_t) ends[0] && events[0].user_data == &two && events[0].events == ZMQ_POLLIN);
    assert (zmq_send (push, "b", 1, 0) == 1);
    zmq_pollitem_t arrived = {pull, 0, ZMQ_POLLIN, 0};
    assert (zmq_poll (&arrived, 1, PATIENCE) == 1);
    assert (zmq_poller_wait_all (poller, events, 3, PATIENCE) == 2);
    assert (events[0].socket == pull && events[0].user_data == &one && events[0].events == ZMQ_POLLIN && events[1].fd == (zmq_fd_t) ends[0]);
    assert (zmq_poller_modify_fd (poller, ends[0], ZMQ_POLLOUT) == 0 && zmq_poller_wait_all (poller, events, 3, PATIENCE) == 2);
    assert (events[1].events == ZMQ_POLLOUT);
    assert (zmq_poller_remove_fd (poller, ends[0]) == 0 && zmq_poller_wait_all (poller, events, 3, PATIENCE) == 1);
    assert (zmq_poller_destroy (&poller) == 0 && poller == NULL);
    assert (close_end (ends[0]) == 0 && close_end (ends[1]) == 0 && zmq_close (push) == 0 && zmq_close (pull) == 0);
}

/* The library owns it from then on. One that does not listen stays the program's. */
static void a_listener_of_the_programs (void)
{
    void *pull = opened (ZMQ_PULL), *push = opened (ZMQ_PUSH);
    unsigned short port;
    char endpoint[100], told[100];
    size_t len = sizeof told;
    end_t listener = make_listener (&port), stranger = connect_end (port);
    int number = (int) stranger;
    snprintf (endpoint, sizeof endpoint, "tcp://127.0.0.1:%d", port);
    assert (zmq_setsockopt (pull, ZMQ_USE_FD, &number, sizeof number) == 0);
    assert (zmq_bind (pull, endpoint) == -1 && errno == EINVAL);
    assert (close_end (stranger) == 0);
    number = (int) listener;
    assert (zmq_setsockopt (pull, ZMQ_USE_FD, &number, sizeof number) == 0 && zmq_bind (pull, endpoint) == 0);
    assert (zmq_getsockopt (pull, ZMQ_LAST_ENDPOINT, told, &len) == 0 && strcmp (told, endpoint) == 0);
    assert (zmq_connect (push, endpoint) == 0 && zmq_send (push, "a", 1, 0) == 1);
    expect (pull, "a");
    assert (zmq_close (push) == 0 && zmq_close (pull) == 0);
}

/* `errno` and `zmq_errno` say the same, in the numbers of `errno.h`, and there are words for them. */
static void errors_are_those_of_the_header (void)
{
    void *first = opened (ZMQ_REP), *second = opened (ZMQ_REQ);
    char endpoint[100];
    size_t len = sizeof endpoint;
    assert (zmq_bind (first, "tcp://127.0.0.1:*") == 0 && zmq_getsockopt (first, ZMQ_LAST_ENDPOINT, endpoint, &len) == 0);
    errno = 0;
    assert (zmq_bind (second, endpoint) == -1 && errno == EADDRINUSE && zmq_errno () == EADDRINUSE);
    assert (zmq_bind (second, "tcp://192.0.2.1:5") == -1 && errno == EADDRNOTAVAIL && zmq_errno () == EADDRNOTAVAIL);
    assert (zmq_bind (second, "carrier-pigeon://roof") == -1 && errno == EPROTONOSUPPORT);
    assert (zmq_send (first, "", 0, 0) == -1 && errno == EFSM && zmq_errno () == EFSM);
    assert (zmq_recv (first, NULL, 0, ZMQ_DONTWAIT) == -1 && errno == EAGAIN);
    assert (zmq_close (context) == -1 && errno == ENOTSOCK && zmq_errno () == ENOTSOCK);
    for (int i = 0; i < 4; i++) {
        const int codes[] = {EADDRINUSE, EADDRNOTAVAIL, ENOTSOCK, EFSM};
        assert (strstr (zmq_strerror (codes[i]), "Unknown") == NULL);
    }
    assert (zmq_close (first) == 0 && zmq_close (second) == 0);
}

int main (void)
{
    context = zmq_ctx_new ();
    a_loop_of_the_programs_own ();
    polled_beside_sockets ();
    in_a_poller ();
    a_listener_of_the_programs ();
    errors_are_those_of_the_header ();
    assert (zmq_ctx_term (context) == 0);
    puts ("ok");
    return 0;
}
