/* Datagrams as libzmq has them: RADIO and DISH over udp, and DGRAM. The header of a libzmq without drafts does not name them. */
#undef NDEBUG
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#ifndef ZMQ_RADIO
#define ZMQ_RADIO 14
#define ZMQ_DISH 15
#define ZMQ_DGRAM 18
int zmq_join(void *socket, const char *group);
int zmq_leave(void *socket, const char *group);
int zmq_msg_set_group(zmq_msg_t *msg, const char *group);
const char *zmq_msg_group(zmq_msg_t *msg);
#endif
#ifndef ZMQ_MULTICAST_LOOP
#define ZMQ_MULTICAST_LOOP 96
#endif

static void *context;

static void *opened(int type)
{
    int seconds = 20000, linger = 0;
    void *socket = zmq_socket(context, type);
    assert(socket);
    assert(zmq_setsockopt(socket, ZMQ_RCVTIMEO, &seconds, sizeof seconds) == 0);
    assert(zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger) == 0);
    return socket;
}

static void bound(void *socket, char *endpoint, size_t len)
{
    assert(zmq_bind(socket, "udp://127.0.0.1:*") == 0);
    assert(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &len) == 0);
    assert(strncmp(endpoint, "udp://127.0.0.1:", 16) == 0);
}

static int radio_send(void *radio, const char *group, const char *body, size_t len)
{
    zmq_msg_t msg;
    int rc;
    assert(zmq_msg_init_size(&msg, len) == 0);
    memcpy(zmq_msg_data(&msg), body, len);
    assert(zmq_msg_set_group(&msg, group) == 0);
    rc = zmq_msg_send(&msg, radio, 0);
    if (rc < 0) {
        int why = errno;
        assert(zmq_msg_size(&msg) == len);
        assert(zmq_msg_close(&msg) == 0);
        errno = why;
    }
    return rc;
}

static void dish_expect(void *dish, const char *group, const char *body)
{
    zmq_msg_t msg;
    assert(zmq_msg_init(&msg) == 0);
    assert(zmq_msg_recv(&msg, dish, 0) == (int)strlen(body));
    assert(memcmp(zmq_msg_data(&msg), body, strlen(body)) == 0);
    assert(strcmp(zmq_msg_group(&msg), group) == 0);
    assert(zmq_msg_close(&msg) == 0);
}

static void a_dish_takes_what_it_joined(void)
{
    static char too_long[65507];
    char endpoint[64];
    void *dish = opened(ZMQ_DISH), *radio = opened(ZMQ_RADIO);
    assert(zmq_join(dish, "TV") == 0);
    bound(dish, endpoint, sizeof endpoint);
    assert(zmq_connect(radio, endpoint) == 0);
    assert(radio_send(radio, "Movies", "Godfather", 9) == 9);
    assert(radio_send(radio, "TV", "Friends", 7) == 7);
    dish_expect(dish, "TV", "Friends");
    assert(radio_send(radio, "TV", too_long, sizeof too_long) == -1 && errno == EMSGSIZE);
    assert(radio_send(radio, "TV", "still here", 10) == 10);
    dish_expect(dish, "TV", "still here");
    assert(zmq_disconnect(radio, endpoint) == 0 && zmq_unbind(dish, endpoint) == 0);
    assert(zmq_close(radio) == 0 && zmq_close(dish) == 0);
}

static void a_group_of_multicast(void)
{
    char endpoint[64], group[96];
    int hops = 1, loop = 1, none = 0, value;
    size_t len = sizeof value;
    void *dish = opened(ZMQ_DISH), *radio = opened(ZMQ_RADIO);
    bound(dish, endpoint, sizeof endpoint);
    assert(zmq_unbind(dish, endpoint) == 0);
    snprintf(group, sizeof group, "udp://127.0.0.1;239.255.83.76:%s", strrchr(endpoint, ':') + 1);
    assert(zmq_setsockopt(radio, ZMQ_MULTICAST_HOPS, &none, sizeof none) == -1 && errno == EINVAL);
    assert(zmq_setsockopt(radio, ZMQ_MULTICAST_HOPS, &hops, sizeof hops) == 0);
    assert(zmq_setsockopt(radio, ZMQ_MULTICAST_LOOP, &loop, sizeof loop) == 0);
    assert(zmq_getsockopt(radio, ZMQ_MULTICAST_HOPS, &value, &len) == 0 && value == 1);
    assert(zmq_join(dish, "g") == 0 && zmq_bind(dish, group) == 0 && zmq_connect(radio, group) == 0);
    assert(radio_send(radio, "g", "to all", 6) == 6);
    /* Not every machine's loopback interface knows groups. */
    value = 2000;
    assert(zmq_setsockopt(dish, ZMQ_RCVTIMEO, &value, sizeof value) == 0);
    value = zmq_recv(dish, group, sizeof group, 0);
    assert(value == 6 || (value == -1 && errno == EAGAIN));
    assert(zmq_close(radio) == 0 && zmq_close(dish) == 0);
}

static void a_dgram_answers_who_sent(void)
{
    static char too_long[65508];
    char one[64], other[64], address[64], body[64];
    int more, len;
    size_t size = sizeof more;
    void *a = opened(ZMQ_DGRAM), *b = opened(ZMQ_DGRAM);
    bound(a, one, sizeof one);
    bound(b, other, sizeof other);
    /* Two parts, and neither more nor less. */
    assert(zmq_send(a, other + 6, strlen(other + 6), 0) == -1 && errno == EINVAL);
    assert(zmq_send(a, "localhost:5", 11, ZMQ_SNDMORE) == -1 && errno == EINVAL);
    assert(zmq_send(a, other + 6, strlen(other + 6), ZMQ_SNDMORE) == (int)strlen(other + 6));
    assert(zmq_send(a, "x", 1, ZMQ_SNDMORE) == -1 && errno == EINVAL);
    assert(zmq_send(a, too_long, sizeof too_long, 0) == -1 && errno == EMSGSIZE);
    assert(zmq_send(a, "ping", 4, 0) == 4);
    /* The address is a string, and as it came it goes back. */
    len = zmq_recv(b, address, sizeof address, 0);
    assert(len == (int)strlen(one + 6) + 1 && strcmp(address, one + 6) == 0);
    assert(zmq_getsockopt(b, ZMQ_RCVMORE, &more, &size) == 0 && more);
    assert(zmq_recv(b, body, sizeof body, 0) == 4 && memcmp(body, "ping", 4) == 0);
    assert(zmq_send(b, address, (size_t)len, ZMQ_SNDMORE) == len && zmq_send(b, "", 0, 0) == 0);
    assert(zmq_recv(a, address, sizeof address, 0) > 0 && zmq_recv(a, body, sizeof body, 0) == 0);
    assert(zmq_close(a) == 0 && zmq_close(b) == 0);
}

static void who_has_no_datagrams_is_told(void)
{
    void *pub = opened(ZMQ_PUB), *radio = opened(ZMQ_RADIO), *dish = opened(ZMQ_DISH), *dgram = opened(ZMQ_DGRAM);
    assert(zmq_bind(pub, "udp://127.0.0.1:*") == -1 && errno == ENOCOMPATPROTO);
    assert(zmq_connect(pub, "udp://127.0.0.1:5555") == -1 && errno == ENOCOMPATPROTO);
    assert(zmq_bind(radio, "udp://127.0.0.1:*") == -1 && errno == ENOCOMPATPROTO);
    assert(zmq_connect(dish, "udp://127.0.0.1:5555") == -1 && errno == ENOCOMPATPROTO);
    assert(zmq_connect(dgram, "udp://127.0.0.1:5555") == -1 && errno == ENOCOMPATPROTO);
    assert(zmq_connect(radio, "udp://127.0.0.1;127.0.0.1:5555") == -1 && errno == EINVAL);
    assert(zmq_close(pub) == 0 && zmq_close(radio) == 0 && zmq_close(dish) == 0 && zmq_close(dgram) == 0);
}

int main(void)
{
    context = zmq_ctx_new();
    a_dish_takes_what_it_joined();
    a_group_of_multicast();
    a_dgram_answers_who_sent();
    who_has_no_datagrams_is_told();
    assert(zmq_ctx_term(context) == 0);
    puts("datagrams: all hold");
    return 0;
}
