/* Values that are more than can be are taken for the most that can, as libzmq takes any: sockets with them open, and pass messages. */
#undef NDEBUG
#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

static const int options[] = {ZMQ_RECONNECT_IVL, ZMQ_RECONNECT_IVL_MAX, ZMQ_HANDSHAKE_IVL, ZMQ_HEARTBEAT_IVL, ZMQ_HEARTBEAT_TIMEOUT,
                              ZMQ_CONNECT_TIMEOUT, ZMQ_TCP_KEEPALIVE_CNT, ZMQ_TCP_KEEPALIVE_IDLE, ZMQ_TCP_KEEPALIVE_INTVL, ZMQ_TCP_MAXRT,
                              ZMQ_BACKLOG, ZMQ_SNDHWM, ZMQ_RCVHWM};

static void set_all(void *socket, int value)
{
    int yes = 1;
    assert(zmq_setsockopt(socket, ZMQ_TCP_KEEPALIVE, &yes, sizeof yes) == 0);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        int found;
        size_t len = sizeof found;
        assert(zmq_setsockopt(socket, options[i], &value, sizeof value) == 0);
        assert(zmq_getsockopt(socket, options[i], &found, &len) == 0 && found == value);
    }
}

static void pass_a_message(void *context, int value)
{
    char endpoint[64], buffer[8];
    size_t len = sizeof endpoint;
    void *pull = zmq_socket(context, ZMQ_PULL), *push = zmq_socket(context, ZMQ_PUSH);
    assert(pull && push);
    set_all(pull, value);
    set_all(push, value);
    assert(zmq_bind(pull, "tcp://127.0.0.1:*") == 0);
    assert(zmq_getsockopt(pull, ZMQ_LAST_ENDPOINT, endpoint, &len) == 0 && zmq_connect(push, endpoint) == 0);
    assert(zmq_send(push, "hello", 5, 0) == 5);
    assert(zmq_recv(pull, buffer, sizeof buffer, 0) == 5 && memcmp(buffer, "hello", 5) == 0);
    assert(zmq_close(push) == 0 && zmq_close(pull) == 0);
}

int main(void)
{
    void *context = zmq_ctx_new();
    /* More probes than a system counts; a day and more; and the largest number. */
    pass_a_message(context, 500);
    pass_a_message(context, 100000000);
    pass_a_message(context, INT_MAX);
    assert(zmq_ctx_term(context) == 0);
    puts("ok");
    return 0;
}
