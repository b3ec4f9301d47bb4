/* One way and back, as C programs do it: the same program for any library that has these functions, two processes, a message at a time.
 *
 *   speed                      a little of each, to see that all arrives
 *   speed way SIZE COUNT       messages per second, PUSH to PULL
 *   speed round SIZE COUNT     microseconds for a round trip, REQ and REP
 *   speed bytes SIZE COUNT     as `way`, with zmq_send and zmq_recv
 *   speed curve SIZE COUNT     as `bytes`, encrypted
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, zmq_strerror(zmq_errno())); \
            exit(1); \
        } \
    } while (0)

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

/* Of whoever listens, and of whoever connects. */
static char public_keys[2][41], secret_keys[2][41];

static void set_text(void *socket, int option, const char *text)
{
    CHECK(zmq_setsockopt(socket, option, text, strlen(text)) == 0);
}

static void secure(void *socket, int listens)
{
    int yes = 1;
    if (listens) {
        CHECK(zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &yes, sizeof yes) == 0);
    } else {
        set_text(socket, ZMQ_CURVE_SERVERKEY, public_keys[0]);
        set_text(socket, ZMQ_CURVE_PUBLICKEY, public_keys[1]);
    }
    set_text(socket, ZMQ_CURVE_SECRETKEY, secret_keys[!listens]);
}

static void send_message(void *socket, size_t size)
{
    zmq_msg_t message;
    CHECK(zmq_msg_init_size(&message, size) == 0);
    memset(zmq_msg_data(&message), 'x', size);
    CHECK(zmq_msg_send(&message, socket, 0) == (int)size);
}

static void receive_message(void *socket, zmq_msg_t *message, size_t size)
{
    CHECK(zmq_msg_recv(message, socket, 0) == (int)size);
}

static void receiver(int way, size_t size, long count, int endpoints)
{
    char endpoint[64];
    size_t len = sizeof endpoint;
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, way ? ZMQ_PULL : ZMQ_REP);
    zmq_msg_t message;
    char *buffer = malloc(size);
    if (way == 3)
        secure(socket, 1);
    CHECK(buffer && zmq_bind(socket, "tcp://127.0.0.1:*") == 0);
    CHECK(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, endpoint, &len) == 0);
    CHECK(write(endpoints, endpoint, sizeof endpoint) == sizeof endpoint);
    CHECK(zmq_msg_init(&message) == 0);
    if (way == 0) {
        for (long i = 0; i < count; i++) {
            receive_message(socket, &message, size);
            CHECK(zmq_msg_send(&message, socket, 0) == (int)size);
        }
    } else {
        receive_message(socket, &message, size);
        double begin = now();
        for (long i = 1; i < count; i++) {
            if (way == 1)
                receive_message(socket, &message, size);
            else
                CHECK(zmq_recv(socket, buffer, size, 0) == (int)size);
        }
        printf("%.0f messages per second", (double)(count - 1) / (now() - begin));
    }
    free(buffer);
    CHECK(zmq_msg_close(&message) == 0 && zmq_close(socket) == 0 && zmq_ctx_term(context) == 0);
}

static void sender(int way, size_t size, long count, int endpoints)
{
    char endpoint[64];
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, way ? ZMQ_PUSH : ZMQ_REQ);
    zmq_msg_t message;
    char *buffer = calloc(1, size);
    if (way == 3)
        secure(socket, 0);
    CHECK(buffer && read(endpoints, endpoint, sizeof endpoint) == sizeof endpoint);
    CHECK(zmq_connect(socket, endpoint) == 0 && zmq_msg_init(&message) == 0);
    double begin = 0;
    for (long i = 0; i < count; i++) {
        /* The first one connects. */
        if (i == 1)
            begin = now();
        if (way >= 2)
            CHECK(zmq_send(socket, buffer, size, 0) == (int)size);
        else
            send_message(socket, size);
        if (way == 0)
            receive_message(socket, &message, size);
    }
    if (way == 0)
        printf("%.2f microseconds", (now() - begin) / (double)(count - 1) * 1e6);
    free(buffer);
    CHECK(zmq_msg_close(&message) == 0 && zmq_close(socket) == 0 && zmq_ctx_term(context) == 0);
}

/* Seconds of one processor, of this process or of those that it waited for. */
static double used(int who)
{
    struct rusage usage;
    CHECK(getrusage(who, &usage) == 0);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void run(int way, size_t size, long count)
{
    int endpoints[2], status;
    for (int side = 0; side < 2 && way == 3; side++)
        CHECK(zmq_curve_keypair(public_keys[side], secret_keys[side]) == 0);
    CHECK(pipe(endpoints) == 0);
    fflush(stdout);
    double before = used(RUSAGE_SELF) + used(RUSAGE_CHILDREN);
    pid_t other = fork();
    CHECK(other >= 0);
    if (other == 0) {
        receiver(way, size, count, endpoints[1]);
        exit(0);
    }
    sender(way, size, count, endpoints[0]);
    CHECK(waitpid(other, &status, 0) == other && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    double spent = used(RUSAGE_SELF) + used(RUSAGE_CHILDREN) - before;
    printf(", %.0f ns of a processor for each, both ends together\n", spent / (double)count * 1e9);
}

int main(int count, char **arguments)
{
    if (count == 4) {
        const char *what = arguments[1];
        int way = strcmp(what, "round") == 0 ? 0 : strcmp(what, "way") == 0 ? 1 : strcmp(what, "curve") == 0 ? 3 : 2;
        run(way, (size_t)atol(arguments[2]), atol(arguments[3]));
        return 0;
    }
    for (int way = 0; way < 4; way++)
        for (size_t size = 1; size < 200000; size *= 37)
            run(way, size, 500);
    return 0;
}
