/* Polling, pollers, descriptors and proxies. */
#include "../pair.h"
#include "check.h"
#include <pthread.h>

static void items (slk_ctx_t *ctx)
{
    slk_socket_t *push = open_socket (ctx, SLK_PUSH), *pull = open_socket (ctx, SLK_PULL);
    end_t ends[2];
    make_pair (ends);
    join (pull, push);
    slk_pollitem_t polled[] = {{pull, 0, SLK_POLLIN, 77}, {NULL, (int) ends[0], SLK_POLLIN, 77}, {NULL, -1, SLK_POLLIN, 77}, {push, 0, SLK_POLLOUT, 77}};
    CHECK (slk_poll (polled, 3, 0) == 0);
    CHECK (polled[0].revents == 0 && polled[1].revents == 0 && polled[2].revents == 0 && polled[3].revents == 77);
    CHECK (slk_poll (&polled[3], 1, PATIENCE) == 1 && polled[3].revents == SLK_POLLOUT);
    send_text (push, "a", 0);
    CHECK (slk_poll (polled, 3, PATIENCE) == 1 && polled[0].revents == SLK_POLLIN);
    write_end (ends[1], "b");
    CHECK (slk_poll (&polled[1], 1, -1) == 1);
    CHECK (slk_poll (polled, 4, -1) == 3 && polled[1].revents == SLK_POLLIN && polled[3].revents == SLK_POLLOUT);
    expect_text (pull, "a");
    CHECK (slk_poll (NULL, 0, 1) == 0);
    FAILS (slk_poll (NULL, 1, 0), SLK_EFAULT);
    FAILS (slk_poll (polled, -1, 0), SLK_EINVAL);

    /* For event loops. */
    slk_fd_t fd;
    size_t len = sizeof fd;
    CHECK (slk_getsockopt (pull, SLK_FD, &fd, &len) == 0 && len == sizeof fd);
    while (get_int (pull, SLK_EVENTS) & SLK_POLLIN)
        expect_text (pull, "");
    send_text (push, "c", 0);
    while (!(get_int (pull, SLK_EVENTS) & SLK_POLLIN))
        CHECK (wait_readable ((end_t) fd, PATIENCE));
    expect_text (pull, "c");
    CHECK (close_end (ends[0]) == 0 && close_end (ends[1]) == 0 && slk_close (push) == 0 && slk_close (pull) == 0);
}

static void pollers (slk_ctx_t *ctx)
{
    slk_socket_t *push = open_socket (ctx, SLK_PUSH), *pull = open_socket (ctx, SLK_PULL);
    void *poller = slk_poller_new ();
    slk_poller_event_t events[3];
    end_t ends[2];
    int one, two;
    make_pair (ends);
    join (pull, push);
    CHECK (slk_poller_add (poller, pull, &one, SLK_POLLIN) == 0);
    FAILS (slk_poller_add (poller, pull, &one, SLK_POLLIN), SLK_EINVAL);
    FAILS (slk_poller_add (poller, &one, NULL, SLK_POLLIN), SLK_ENOTSOCK);
    FAILS (slk_poller_add_fd (poller, (slk_fd_t) -1, NULL, SLK_POLLIN), SLK_EBADF);
    FAILS (slk_poller_modify (poller, push, SLK_POLLOUT), SLK_EINVAL);
    CHECK (slk_poller_add_fd (poller, ends[0], &two, SLK_POLLIN) == 0 && slk_poller_size (poller) == 2);
    FAILS (slk_poller_wait (poller, events, 1), SLK_EAGAIN);
    FAILS (slk_poller_wait_all (poller, events, 3, 1), SLK_EAGAIN);
    FAILS (slk_poller_wait_all (poller, NULL, 3, 1), SLK_EFAULT);
    FAILS (slk_poller_wait_all (poller, events, 0, 1), SLK_EINVAL);
    write_end (ends[1], "x");
    CHECK (slk_poller_wait (poller, events, PATIENCE) == 0);
    CHECK (events[0].socket == NULL && events[0].fd == (slk_fd_t) ends[0] && events[0].user_data == &two && events[0].events == SLK_POLLIN);
    send_text (push, "a", 0);
    CHECK (slk_poll (&(slk_pollitem_t){pull, 0, SLK_POLLIN, 0}, 1, PATIENCE) == 1);
    CHECK (slk_poller_wait_all (poller, events, 3, PATIENCE) == 2);
    CHECK (events[0].socket == pull && events[0].user_data == &one && events[1].fd == (slk_fd_t) ends[0]);
    CHECK (slk_poller_modify_fd (poller, ends[0], 0) == 0 && slk_poller_wait_all (poller, events, 3, PATIENCE) == 1);
    CHECK (slk_poller_remove_fd (poller, ends[0]) == 0 && slk_poller_modify (poller, pull, 0) == 0);
    FAILS (slk_poller_wait (poller, events, 0), SLK_EAGAIN);
    CHECK (slk_poller_remove (poller, pull) == 0 && slk_poller_size (poller) == 0);
    CHECK (slk_poller_destroy (&poller) == 0);
    CHECK (close_end (ends[0]) == 0 && close_end (ends[1]) == 0 && slk_close (push) == 0 && slk_close (pull) == 0);
}

static int is_readable (slk_fd_t fd, int timeout)
{
    return wait_readable ((end_t) fd, timeout);
}

/* What an event loop does: sleeps on the descriptor, and asks until nothing is there. */
static void await (void *poller, slk_fd_t fd, slk_poller_event_t *event)
{
    do
        CHECK (is_readable (fd, PATIENCE));
    while (slk_poller_wait (poller, event, 0) != 0);
}

/* Nothing is there, and a wait or two end what it was readable for. */
static void quieten (void *poller, slk_fd_t fd)
{
    slk_poller_event_t event;
    do
        FAILS (slk_poller_wait (poller, &event, 0), SLK_EAGAIN);
    while (is_readable (fd, 0));
}

static void descriptors (slk_ctx_t *ctx)
{
    slk_socket_t *push = open_socket (ctx, SLK_PUSH), *pull = open_socket (ctx, SLK_PULL), *other = open_socket (ctx, SLK_PULL);
    void *poller = slk_poller_new ();
    slk_poller_event_t event;
    slk_fd_t fd, again;
    end_t ends[2];
    int one, two;
    make_pair (ends);
    join (pull, push);
    CHECK (slk_poller_add (poller, pull, &one, SLK_POLLIN) == 0);
    CHECK (slk_poller_fd (poller, &fd) == 0 && slk_poller_fd (poller, &again) == 0 && fd == again);
    FAILS (slk_poller_fd (poller, NULL), SLK_EFAULT);
    quieten (poller, fd);
    for (int i = 0; i < 100; i++) {
        send_text (push, "a", 0);
        send_text (push, "b", SLK_SNDMORE);
        send_text (push, "c", 0);
        for (const char *text = "abc"; *text; text++) {
            await (poller, fd, &event);
            CHECK (event.socket == pull && event.user_data == &one && event.events == SLK_POLLIN);
            expect_text (pull, (char[]){*text, 0});
        }
        quieten (poller, fd);
    }
    /* Without a call in between it stays readable. */
    send_text (push, "a", 0);
    await (poller, fd, &event);
    await (poller, fd, &event);
    CHECK (is_readable (fd, 0));
    /* What is asked for may change. */
    CHECK (slk_poller_modify (poller, pull, 0) == 0);
    quieten (poller, fd);
    CHECK (slk_poller_modify (poller, pull, SLK_POLLIN) == 0 && is_readable (fd, 0));
    CHECK (slk_poller_remove (poller, pull) == 0);
    quieten (poller, fd);
    CHECK (slk_poller_add (poller, push, NULL, SLK_POLLOUT) == 0);
    await (poller, fd, &event);
    CHECK (event.socket == push && event.events == SLK_POLLOUT && is_readable (fd, 0));
    CHECK (slk_poller_remove (poller, push) == 0);
    expect_text (pull, "a");
#ifdef __linux__
    /* Descriptors of the program's stand behind it as well. */
    CHECK (slk_poller_add_fd (poller, ends[0], &two, SLK_POLLIN) == 0);
    quieten (poller, fd);
    write_end (ends[1], "x");
    await (poller, fd, &event);
    CHECK (event.fd == ends[0] && event.user_data == &two);
    CHECK (slk_poller_modify_fd (poller, ends[0], 0) == 0);
    quieten (poller, fd);
    CHECK (slk_poller_modify_fd (poller, ends[0], SLK_POLLIN) == 0 && is_readable (fd, 0));
    CHECK (slk_poller_remove_fd (poller, ends[0]) == 0);
    quieten (poller, fd);
    FAILS (slk_poller_add_fd (poller, 987654, NULL, SLK_POLLIN), SLK_EBADF);
    FILE *file = tmpfile ();
    CHECK (file);
    FAILS (slk_poller_add_fd (poller, fileno (file), NULL, SLK_POLLIN), SLK_ENOTSUP);
    CHECK (fclose (file) == 0);
#else
    FAILS (slk_poller_add_fd (poller, ends[0], &two, SLK_POLLIN), SLK_ENOTSUP);
#endif
    CHECK (slk_poller_size (poller) == 0);
    /* A socket that is closed under it is told of by the next wait. */
    CHECK (slk_poller_add (poller, other, NULL, SLK_POLLIN) == 0);
    quieten (poller, fd);
    CHECK (slk_close (other) == 0 && is_readable (fd, PATIENCE));
    FAILS (slk_poller_wait (poller, &event, 0), SLK_ENOTSOCK);
    CHECK (slk_poller_destroy (&poller) == 0);
    CHECK (close_end (ends[0]) == 0 && close_end (ends[1]) == 0 && slk_close (push) == 0 && slk_close (pull) == 0);
}

struct proxy
{
    slk_socket_t *front, *back, *capture, *control;
};

static void *run (void *argument)
{
    struct proxy *proxy = (struct proxy *) argument;
    CHECK (slk_proxy_steerable (proxy->front, proxy->back, proxy->capture, proxy->control) == 0);
    return NULL;
}

static void steered (slk_ctx_t *ctx)
{
    struct proxy proxy = {open_socket (ctx, SLK_ROUTER), open_socket (ctx, SLK_DEALER), open_socket (ctx, SLK_PUB), open_socket (ctx, SLK_REP)};
    slk_socket_t *asker = open_socket (ctx, SLK_REQ), *worker = open_socket (ctx, SLK_REP), *control = open_socket (ctx, SLK_REQ);
    pthread_t thread;
    CHECK (slk_bind (proxy.control, "inproc://control") == 0 && slk_connect (control, "inproc://control") == 0);
    join (proxy.front, asker);
    join (proxy.back, worker);
    CHECK (pthread_create (&thread, NULL, run, &proxy) == 0);
    send_text (asker, "question", 0);
    expect_text (worker, "question");
    send_text (worker, "answer", 0);
    expect_text (asker, "answer");
    send_text (control, "STATISTICS", 0);
    uint64_t numbers[8];
    for (int i = 0; i < 8; i++)
        CHECK (slk_recv (control, &numbers[i], 8, 0) == 8);
    CHECK (numbers[0] == 1 && numbers[2] == 1 && numbers[4] == 1 && numbers[6] == 1);
    send_text (control, "PAUSE", 0);
    expect_text (control, "");
    send_text (asker, "later", 0);
    FAILS (slk_recv (worker, numbers, 8, SLK_DONTWAIT), SLK_EAGAIN);
    send_text (control, "RESUME", 0);
    expect_text (control, "");
    expect_text (worker, "later");
    send_text (control, "TERMINATE", 0);
    expect_text (control, "");
    CHECK (pthread_join (thread, NULL) == 0);
    slk_socket_t *all[] = {proxy.front, proxy.back, proxy.capture, proxy.control, asker, worker, control};
    for (int i = 0; i < 7; i++)
        CHECK (slk_close (all[i]) == 0);
}

int main (void)
{
    slk_ctx_t *ctx = slk_ctx_new ();
    items (ctx);
    pollers (ctx);
    descriptors (ctx);
    steered (ctx);
    slk_ctx_destroy (ctx);
    return 0;
}
