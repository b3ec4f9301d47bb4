/* One peer of many, as libzmq's drafts have it: sending one away, whether one has room, what waits for each; and a poller's descriptor. */
#define _GNU_SOURCE
#undef NDEBUG
#include "pair.h"
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

/* The header of a libzmq without drafts does not name them, nor does one before 4.3.5. */
#ifndef ZMQ_SERVER
#define ZMQ_SERVER 12
#define ZMQ_CLIENT 13
#define ZMQ_PEER 19
#define ZMQ_EVENT_PIPES_STATS 0x10000
int zmq_msg_set_routing_id(zmq_msg_t *msg, uint32_t routing_id);
uint32_t zmq_msg_routing_id(zmq_msg_t *msg);
uint32_t zmq_connect_peer(void *socket, const char *endpoint);
int zmq_socket_get_peer_state(void *socket, const void *routing_id, size_t size);
int zmq_socket_monitor_versioned(void *socket, const char *endpoint, uint64_t events, int version, int type);
int zmq_socket_monitor_pipes_stats(void *socket);
void *zmq_poller_new(void);
int zmq_poller_destroy(void **poller);
int zmq_poller_add(void *poller, void *socket, void *user_data, short events);
int zmq_poller_fd(void *poller, zmq_fd_t *fd);
typedef struct
{
    void *socket;
    zmq_fd_t fd;
    void *user_data;
    short events;
} event_t;
int zmq_poller_wait(void *poller, event_t *event, long timeout);
#else
typedef zmq_poller_event_t event_t;
#endif
int zmq_disconnect_peer(void *socket, uint32_t routing_id);

#define PATIENCE 20000

static void *context;

static void set(void *socket, int option, int value)
{
    assert(zmq_setsockopt(socket, option, &value, sizeof value) == 0);
}

static void *opened(int type)
{
    void *socket = zmq_socket(context, type);
    assert(socket);
    set(socket, ZMQ_RCVTIMEO, PATIENCE);
    set(socket, ZMQ_LINGER, 0);
    return socket;
}

static void *bound(int type, char *endpoint, size_t len)
{
    void *socket = opened(type);
    assert(zmq_bind(socket, "tcp://127.0.0.1:*") == 0);
    assert(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &len) == 0);
    return socket;
}

static void expect(void *socket, const char *text)
{
    char buffer[64];
    int len = zmq_recv(socket, buffer, sizeof buffer, 0);
    assert(len == (int)strlen(text) && memcmp(buffer, text, strlen(text)) == 0);
}

static int say_to(void *socket, uint32_t number, const char *text)
{
    zmq_msg_t msg;
    int rc;
    assert(zmq_msg_init_size(&msg, strlen(text)) == 0);
    memcpy(zmq_msg_data(&msg), text, strlen(text));
    assert(zmq_msg_set_routing_id(&msg, number) == 0);
    rc = zmq_msg_send(&msg, socket, ZMQ_DONTWAIT);
    if (rc == -1) {
        int why = errno;
        assert(zmq_msg_size(&msg) == strlen(text) && zmq_msg_close(&msg) == 0);
        errno = why;
    }
    return rc;
}

static uint32_t heard_from(void *socket, const char *text)
{
    zmq_msg_t msg;
    uint32_t number;
    assert(zmq_msg_init(&msg) == 0 && zmq_msg_recv(&msg, socket, 0) == (int)strlen(text));
    assert(memcmp(zmq_msg_data(&msg), text, strlen(text)) == 0);
    number = zmq_msg_routing_id(&msg);
    assert(number != 0 && zmq_msg_close(&msg) == 0);
    return number;
}

static void a_client_is_sent_away(void)
{
    char endpoint[64];
    void *server = bound(ZMQ_SERVER, endpoint, sizeof endpoint), *client = opened(ZMQ_CLIENT), *fresh = opened(ZMQ_SERVER);
    uint32_t who;
    assert(zmq_connect(client, endpoint) == 0 && zmq_send(client, "hi", 2, 0) == 2);
    who = heard_from(server, "hi");
    assert(zmq_disconnect_peer(client, who) == -1 && errno == ENOTSUP);
    assert(zmq_disconnect_peer(server, who + 1) == -1 && errno == EHOSTUNREACH);
    assert(zmq_disconnect_peer(fresh, 1) == -1 && errno == EHOSTUNREACH);
    assert(zmq_disconnect_peer(NULL, who) == -1 && errno == ENOTSOCK);
    assert(say_to(server, who, "bye") == 3 && zmq_disconnect_peer(server, who) == 0);
    assert(say_to(server, who, "late") == -1 && errno == EHOSTUNREACH);
    assert(zmq_disconnect_peer(server, who) == -1 && errno == EHOSTUNREACH);
    expect(client, "bye");
    /* It comes back as somebody else. */
    zmq_msg_t msg;
    assert(zmq_msg_init(&msg) == 0);
    do
        zmq_send(client, "again", 5, ZMQ_DONTWAIT);
    while (zmq_msg_recv(&msg, server, ZMQ_DONTWAIT) == -1);
    assert(zmq_msg_size(&msg) == 5 && zmq_msg_routing_id(&msg) != who && zmq_msg_close(&msg) == 0);
    assert(zmq_close(client) == 0 && zmq_close(server) == 0 && zmq_close(fresh) == 0);
}

static void a_peer_that_was_dialed_is_given_up(void)
{
    const char *endpoints[] = {"inproc://peers", "tcp://127.0.0.1:*"};
    for (int i = 0; i < 2; i++) {
        char endpoint[64];
        size_t len = sizeof endpoint;
        void *one = opened(ZMQ_PEER), *other = opened(ZMQ_PEER);
        uint32_t number, back;
        assert(zmq_bind(one, endpoints[i]) == 0 && zmq_getsockopt(one, ZMQ_LAST_ENDPOINT, endpoint, &len) == 0);
        number = zmq_connect_peer(other, endpoint);
        assert(number != 0 && say_to(other, number, "hi") == 2);
        back = heard_from(one, "hi");
        assert(say_to(one, back, "unheard") == 7);
        assert(zmq_disconnect_peer(other, number) == 0);
        assert(say_to(other, number, "late") == -1 && errno == EHOSTUNREACH);
        assert(zmq_disconnect(other, endpoint) == -1 && errno == ENOENT);
        while (say_to(one, back, "anybody?") != -1)
            ;
        assert(errno == EHOSTUNREACH || errno == EAGAIN);
        assert(zmq_close(one) == 0 && zmq_close(other) == 0);
    }
}

static void a_router_knows_who_has_room(void)
{
    char endpoint[64], large[60000] = "";
    void *router = opened(ZMQ_ROUTER), *dealer = opened(ZMQ_DEALER), *pair = opened(ZMQ_PAIR);
    size_t len = sizeof endpoint;
    assert(zmq_socket_get_peer_state(router, "D", 1) == -1 && errno == EHOSTUNREACH);
    assert(zmq_socket_get_peer_state(pair, "D", 1) == -1 && errno == ENOTSUP);
    set(router, ZMQ_SNDHWM, 1);
    set(router, ZMQ_ROUTER_MANDATORY, 1);
    set(dealer, ZMQ_RCVHWM, 1);
    assert(zmq_setsockopt(dealer, ZMQ_ROUTING_ID, "D", 1) == 0);
    assert(zmq_bind(router, "tcp://127.0.0.1:*") == 0 && zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, endpoint, &len) == 0);
    assert(zmq_connect(dealer, endpoint) == 0 && zmq_send(dealer, "hi", 2, 0) == 2);
    expect(router, "D");
    expect(router, "hi");
    assert(zmq_socket_get_peer_state(router, "D", 1) == ZMQ_POLLOUT);
    assert(zmq_socket_get_peer_state(router, "E", 1) == -1 && errno == EHOSTUNREACH);
    assert(zmq_socket_get_peer_state(router, NULL, 0) == -1 && errno == EHOSTUNREACH);
    assert(zmq_socket_get_peer_state(router, NULL, 1) == -1 && errno == EFAULT);
    int sent = 0, state;
    while ((state = zmq_socket_get_peer_state(router, "D", 1)) == ZMQ_POLLOUT) {
        assert(zmq_send(router, "D", 1, ZMQ_SNDMORE | ZMQ_DONTWAIT) == 1);
        assert(zmq_send(router, large, sizeof large, ZMQ_DONTWAIT) == (int)sizeof large);
        sent++;
    }
    assert(state == 0 && sent > 0);
    assert(zmq_send(router, "D", 1, ZMQ_SNDMORE | ZMQ_DONTWAIT) == -1 && errno == EAGAIN);
    while (sent-- > 0)
        assert(zmq_recv(dealer, large, sizeof large, 0) == (int)sizeof large);
    while (zmq_socket_get_peer_state(router, "D", 1) != ZMQ_POLLOUT)
        ;
    assert(zmq_close(router) == 0 && zmq_close(dealer) == 0 && zmq_close(pair) == 0);
}

static uint64_t number(void *monitor)
{
    uint64_t value;
    int more;
    size_t len = sizeof more;
    assert(zmq_recv(monitor, &value, sizeof value, 0) == (int)sizeof value);
    assert(zmq_getsockopt(monitor, ZMQ_RCVMORE, &more, &len) == 0 && more);
    return value;
}

static void what_waits_is_told_for_each_pipe(void)
{
    void *push = opened(ZMQ_PUSH), *other = opened(ZMQ_PUSH), *monitor = opened(ZMQ_PAIR), *pulls[2];
    assert(zmq_socket_monitor_pipes_stats(push) == -1 && errno == EINVAL);
    assert(zmq_socket_monitor_versioned(other, "inproc://of-old", 0xFFFF, 2, ZMQ_PAIR) == 0);
    assert(zmq_socket_monitor_pipes_stats(other) == -1 && errno == EINVAL);
    assert(zmq_socket_monitor_versioned(push, "inproc://stats", ZMQ_EVENT_PIPES_STATS, 1, ZMQ_PAIR) == -1 && errno == EINVAL);
    assert(zmq_socket_monitor_versioned(push, "inproc://stats", ZMQ_EVENT_PIPES_STATS, 2, ZMQ_PAIR) == 0);
    assert(zmq_connect(monitor, "inproc://stats") == 0);
    assert(zmq_socket_monitor_pipes_stats(push) == -1 && errno == EAGAIN);
    assert(zmq_socket_monitor_pipes_stats(NULL) == -1 && errno == ENOTSOCK);
    /* Nobody is there, so what is sent waits. */
    assert(zmq_connect(push, "tcp://127.0.0.1:1") == 0);
    assert(zmq_send(push, "a", 1, 0) == 1 && zmq_send(push, "b", 1, 0) == 1 && zmq_send(push, "c", 1, 0) == 1);
    assert(zmq_socket_monitor_pipes_stats(push) == 0);
    assert(number(monitor) == ZMQ_EVENT_PIPES_STATS && number(monitor) == 2);
    assert(number(monitor) == 3 && number(monitor) == 0);
    expect(monitor, "tcp://127.0.0.1:1");
    expect(monitor, "");
    /* One event for each. */
    assert(zmq_bind(push, "inproc://two-more") == 0);
    for (int i = 0; i < 2; i++) {
        pulls[i] = opened(ZMQ_PULL);
        assert(zmq_connect(pulls[i], "inproc://two-more") == 0);
    }
    assert(zmq_socket_monitor_pipes_stats(push) == 0);
    for (int i = 0; i < 3; i++) {
        char buffer[64];
        assert(number(monitor) == ZMQ_EVENT_PIPES_STATS && number(monitor) == 2);
        number(monitor);
        assert(number(monitor) == 0);
        assert(zmq_recv(monitor, buffer, sizeof buffer, 0) > 0 && zmq_recv(monitor, buffer, sizeof buffer, 0) >= 0);
    }
    assert(zmq_recv(monitor, NULL, 0, ZMQ_DONTWAIT) == -1 && errno == EAGAIN);
    assert(zmq_socket_monitor(push, NULL, 0) == 0);
    assert(zmq_socket_monitor_pipes_stats(push) == -1 && errno == EINVAL);
    assert(zmq_close(push) == 0 && zmq_close(other) == 0 && zmq_close(monitor) == 0 && zmq_close(pulls[0]) == 0 && zmq_close(pulls[1]) == 0);
}

/* Nothing is there, and a wait or two end what it was readable for. */
static void quieten(void *poller, zmq_fd_t fd)
{
    event_t event;
    do
        assert(zmq_poller_wait(poller, &event, 0) == -1 && errno == EAGAIN);
    while (wait_readable((end_t)fd, 0));
}

static void a_poller_of_shared_sockets_has_a_descriptor(void)
{
    char endpoint[64];
    void *server = bound(ZMQ_SERVER, endpoint, sizeof endpoint), *client = opened(ZMQ_CLIENT), *pair = opened(ZMQ_PAIR);
    void *poller = zmq_poller_new();
    event_t event;
    zmq_fd_t fd;
    assert(zmq_poller_fd(poller, &fd) == -1 && errno == EINVAL);
    assert(zmq_poller_add(poller, pair, NULL, ZMQ_POLLIN) == 0);
    assert(zmq_poller_fd(poller, &fd) == -1 && errno == EINVAL);
    assert(zmq_poller_fd(NULL, &fd) == -1 && errno == EFAULT);
    assert(zmq_poller_add(poller, server, NULL, ZMQ_POLLIN) == 0);
    assert(zmq_poller_fd(poller, NULL) == -1 && errno == EFAULT);
    assert(zmq_poller_fd(poller, &fd) == 0);
    quieten(poller, fd);
    assert(zmq_connect(client, endpoint) == 0 && zmq_send(client, "hi", 2, 0) == 2);
    do
        assert(wait_readable((end_t)fd, PATIENCE));
    while (zmq_poller_wait(poller, &event, 0) != 0);
    assert(event.socket == server && event.events == ZMQ_POLLIN);
    heard_from(server, "hi");
    quieten(poller, fd);
    assert(zmq_poller_destroy(&poller) == 0);
    assert(zmq_close(server) == 0 && zmq_close(client) == 0 && zmq_close(pair) == 0);
}

int main(void)
{
    context = zmq_ctx_new();
    a_client_is_sent_away();
    a_peer_that_was_dialed_is_given_up();
    a_router_knows_who_has_room();
    what_waits_is_told_for_each_pipe();
    a_poller_of_shared_sockets_has_a_descriptor();
    assert(zmq_ctx_term(context) == 0);
    puts("ok");
    return 0;
}
