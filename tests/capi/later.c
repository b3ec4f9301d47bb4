/* What is set late still counts, and what is over is over: options of open sockets, endpoints that are bound again, properties of peers that left. */
#define _GNU_SOURCE
#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

static void *context;

static void set(void *socket, int option, int value)
{
    assert(zmq_setsockopt(socket, option, &value, sizeof value) == 0);
}

static void *bound(int type, const char *wanted, char *endpoint, size_t len)
{
    void *socket = zmq_socket(context, type);
    assert(socket && zmq_bind(socket, wanted) == 0);
    assert(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &len) == 0);
    return socket;
}

static void expect(void *socket, const char *text)
{
    char buffer[64];
    int len = zmq_recv(socket, buffer, sizeof buffer, 0);
    assert(len == (int)strlen(text) && memcmp(buffer, text, strlen(text)) == 0);
}

static int sent_until_full(void *socket)
{
    int count = 0;
    while (count < 1000 && zmq_send(socket, "", 0, ZMQ_DONTWAIT) == 0)
        count++;
    assert(errno == EAGAIN);
    return count;
}

static void a_monitored_socket_still_gets_its_name(void)
{
    char endpoint[64];
    void *router = bound(ZMQ_ROUTER, "tcp://127.0.0.1:*", endpoint, sizeof endpoint);
    void *dealer = zmq_socket(context, ZMQ_DEALER);
    assert(zmq_socket_monitor(dealer, "inproc://monitor", ZMQ_EVENT_ALL) == 0);
    assert(zmq_setsockopt(dealer, ZMQ_ROUTING_ID, "one", 3) == 0);
    assert(zmq_connect(dealer, endpoint) == 0 && zmq_send(dealer, "hello", 5, 0) == 5);
    expect(router, "one");
    expect(router, "hello");
    /* And connections from now on have another. */
    assert(zmq_disconnect(dealer, endpoint) == 0);
    assert(zmq_setsockopt(dealer, ZMQ_ROUTING_ID, "two", 3) == 0);
    assert(zmq_connect(dealer, endpoint) == 0 && zmq_send(dealer, "again", 5, 0) == 5);
    expect(router, "two");
    expect(router, "again");
    assert(zmq_close(dealer) == 0 && zmq_close(router) == 0);
}

static void a_mark_can_be_changed(void)
{
    void *push = zmq_socket(context, ZMQ_PUSH), *pull = zmq_socket(context, ZMQ_PULL);
    set(push, ZMQ_SNDHWM, 1);
    set(pull, ZMQ_RCVHWM, 1);
    assert(zmq_bind(push, "inproc://marks") == 0 && zmq_connect(pull, "inproc://marks") == 0);
    assert(sent_until_full(push) == 2);
    set(push, ZMQ_SNDHWM, 5);
    assert(sent_until_full(push) == 4);
    set(pull, ZMQ_RCVHWM, 3);
    assert(sent_until_full(push) == 2);
    for (int i = 0; i < 8; i++)
        expect(pull, "");
    assert(zmq_close(push) == 0 && zmq_close(pull) == 0);
}

static void an_endpoint_is_free_when_its_socket_is_closed(void)
{
    char path[64];
    snprintf(path, sizeof path, "ipc:///tmp/capi-later-%d", (int)getpid());
    for (int i = 0; i < 20; i++) {
        void *socket = zmq_socket(context, ZMQ_PULL);
        assert(zmq_bind(socket, path) == 0);
        assert(zmq_close(socket) == 0);
    }
}

static void a_message_knows_its_sender_when_he_is_gone(void)
{
    char endpoint[64];
    zmq_msg_t first, second;
    void *pull = bound(ZMQ_PULL, "tcp://127.0.0.1:*", endpoint, sizeof endpoint);
    void *push = zmq_socket(context, ZMQ_PUSH);
    assert(zmq_connect(push, endpoint) == 0);
    assert(zmq_send(push, "a", 1, ZMQ_SNDMORE) == 1 && zmq_send(push, "b", 1, 0) == 1);
    assert(zmq_msg_init(&first) == 0 && zmq_msg_init(&second) == 0);
    assert(zmq_msg_recv(&first, pull, 0) == 1 && zmq_msg_recv(&second, pull, 0) == 1);
    assert(zmq_close(push) == 0 && zmq_close(pull) == 0);
    assert(strcmp(zmq_msg_gets(&first, "Socket-Type"), "PUSH") == 0);
    assert(strcmp(zmq_msg_gets(&second, "Peer-Address"), "127.0.0.1") == 0);
    assert(zmq_msg_gets(&second, "No-Such") == NULL && errno == EINVAL);
    assert(zmq_msg_close(&first) == 0 && zmq_msg_close(&second) == 0);
}

static void a_reply_to_who_is_gone_is_taken(void)
{
    char endpoint[64];
    void *rep = bound(ZMQ_REP, "tcp://127.0.0.1:*", endpoint, sizeof endpoint);
    for (int parts = 1; parts <= 2; parts++) {
        void *req = zmq_socket(context, ZMQ_REQ), *other;
        assert(zmq_connect(req, endpoint) == 0 && zmq_send(req, "first", 5, 0) == 5);
        expect(rep, "first");
        assert(zmq_close(req) == 0);
        usleep(50000);
        if (parts == 2)
            assert(zmq_send(rep, "a", 1, ZMQ_SNDMORE) == 1);
        assert(zmq_send(rep, "b", 1, 0) == 1);
        other = zmq_socket(context, ZMQ_REQ);
        assert(zmq_connect(other, endpoint) == 0 && zmq_send(other, "next", 4, 0) == 4);
        expect(rep, "next");
        assert(zmq_send(rep, "yes", 3, 0) == 3);
        assert(zmq_send(rep, "once more", 9, 0) == -1 && errno == EFSM);
        expect(other, "yes");
        assert(zmq_close(other) == 0);
    }
    assert(zmq_close(rep) == 0);
}

int main(void)
{
    context = zmq_ctx_new();
    a_monitored_socket_still_gets_its_name();
    a_mark_can_be_changed();
    an_endpoint_is_free_when_its_socket_is_closed();
    a_message_knows_its_sender_when_he_is_gone();
    a_reply_to_who_is_gone_is_taken();
    assert(zmq_ctx_term(context) == 0);
    puts("ok");
    return 0;
}
