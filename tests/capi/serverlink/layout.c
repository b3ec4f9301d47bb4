/* Numbers and layouts, which programs that were built already rely on. The library asserts the same sizes where it is built. */
#include "check.h"

#define SAME(name, condition) typedef char name[(condition) ? 1 : -1]

SAME (types, SLK_PAIR == 0 && SLK_PUB == 1 && SLK_SUB == 2 && SLK_REQ == 3 && SLK_REP == 4 && SLK_DEALER == 5 && SLK_ROUTER == 6 && SLK_PULL == 7
                 && SLK_PUSH == 8 && SLK_XPUB == 9 && SLK_XSUB == 10 && SLK_STREAM == 11
                 && SLK_SERVER == 12 && SLK_CLIENT == 13 && SLK_RADIO == 14 && SLK_DISH == 15 && SLK_GATHER == 16 && SLK_SCATTER == 17
                 && SLK_DGRAM == 18 && SLK_PEER == 19 && SLK_CHANNEL == 20);
SAME (flags, SLK_DONTWAIT == 1 && SLK_SNDMORE == 2 && SLK_POLLIN == 1 && SLK_POLLOUT == 2 && SLK_POLLERR == 4);
SAME (options, SLK_ROUTING_ID == 5 && SLK_SUBSCRIBE == 6 && SLK_UNSUBSCRIBE == 7 && SLK_SNDBUF == 11 && SLK_RCVBUF == 12 && SLK_LINGER == 17
                   && SLK_RECONNECT_IVL == 18 && SLK_BACKLOG == 19 && SLK_RECONNECT_IVL_MAX == 21 && SLK_SNDHWM == 23 && SLK_RCVHWM == 24
                   && SLK_RCVTIMEO == 27 && SLK_SNDTIMEO == 28 && SLK_LAST_ENDPOINT == 32 && SLK_ROUTER_MANDATORY == 33 && SLK_TCP_KEEPALIVE == 34
                   && SLK_TCP_KEEPALIVE_CNT == 35 && SLK_TCP_KEEPALIVE_IDLE == 36 && SLK_TCP_KEEPALIVE_INTVL == 37 && SLK_XPUB_VERBOSE == 40
                   && SLK_ROUTER_HANDOVER == 56 && SLK_INVERT_MATCHING == 60 && SLK_CONNECT_ROUTING_ID == 61 && SLK_XPUB_NODROP == 69
                   && SLK_XPUB_MANUAL_LAST_VALUE == 70 && SLK_XPUB_MANUAL == 71 && SLK_XPUB_WELCOME_MSG == 72 && SLK_XSUB_VERBOSE_UNSUBSCRIBE == 73
                   && SLK_HEARTBEAT_IVL == 75 && SLK_HEARTBEAT_TTL == 76 && SLK_HEARTBEAT_TIMEOUT == 77 && SLK_XPUB_VERBOSER == 78
                   && SLK_TOPICS_COUNT == 80 && SLK_PSUBSCRIBE == 81 && SLK_PUNSUBSCRIBE == 82 && SLK_ROUTER_NOTIFY == 97
                   && SLK_ONLY_FIRST_SUBSCRIBE == 108);
SAME (context_options, SLK_IO_THREADS == 1 && SLK_MAX_SOCKETS == 2 && SLK_SOCKET_LIMIT == 3 && SLK_THREAD_SCHED_POLICY == 6
                           && SLK_THREAD_AFFINITY_CPU_ADD == 7 && SLK_THREAD_AFFINITY_CPU_REMOVE == 8 && SLK_THREAD_PRIORITY == 9
                           && SLK_THREAD_NAME_PREFIX == 10 && SLK_MAX_MSGSZ == 13 && SLK_MSG_T_SIZE == 14);
SAME (errors, SLK_EINVAL == 1 && SLK_ENOMEM == 2 && SLK_EAGAIN == 3 && SLK_ENOTSOCK == 4 && SLK_EPROTO == 5 && SLK_ETERM == 6 && SLK_EMTHREAD == 7
                  && SLK_EHOSTUNREACH == 10 && SLK_ENOTREADY == 11 && SLK_EPEERUNREACH == 12 && SLK_EAUTH == 13 && SLK_EADDRINUSE == 21);
SAME (events, SLK_EVENT_CONNECTED == 1 && SLK_EVENT_DISCONNECTED == 2 && SLK_EVENT_ACCEPTED == 3 && SLK_EVENT_BIND_FAILED == 4
                  && SLK_EVENT_LISTENING == 5 && SLK_EVENT_CLOSED == 6 && SLK_EVENT_HANDSHAKE_START == 7 && SLK_EVENT_HANDSHAKE_OK == 8
                  && SLK_EVENT_HANDSHAKE_FAIL == 9 && SLK_EVENT_HEARTBEAT_OK == 10 && SLK_EVENT_HEARTBEAT_FAIL == 11 && SLK_EVENT_ALL == 0xFFFF);

#if defined(__LP64__) || defined(_WIN64)
SAME (poll_item, sizeof (slk_pollitem_t) == 16 && offsetof (slk_pollitem_t, fd) == 8 && offsetof (slk_pollitem_t, revents) == 14);
SAME (poller_event, sizeof (slk_poller_event_t) == 32 && offsetof (slk_poller_event_t, user_data) == 16 && offsetof (slk_poller_event_t, events) == 24);
SAME (event, sizeof (slk_event_t) == 48 && offsetof (slk_event_t, endpoint) == 24 && offsetof (slk_event_t, timestamp) == 40);
SAME (peer_stats, sizeof (slk_peer_stats_t) == 56 && offsetof (slk_peer_stats_t, is_alive) == 48);
SAME (peer_id, sizeof (slk_peer_id_t) == 16 && offsetof (slk_peer_id_t, len) == 8);
#endif

int main (void)
{
    int major, minor, patch, code, known = 0;
    slk_version (&major, &minor, &patch);
    CHECK (major == SLK_VERSION_MAJOR && minor == SLK_VERSION_MINOR && patch == SLK_VERSION_PATCH);
    slk_version (NULL, NULL, NULL);
    for (code = 1; code <= SLK_ETIMEDOUT; code++)
        known += strcmp (slk_strerror (code), "Unknown error") != 0;
    CHECK (known == 7 + 4 + SLK_ETIMEDOUT - SLK_EADDRINUSE + 1);
    CHECK (strcmp (slk_strerror (-1), "Unknown error") == 0 && strcmp (slk_strerror (98), "Unknown error") == 0);
    return 0;
}
