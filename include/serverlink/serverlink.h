/*
 * ServerLink: socket patterns between threads, processes and machines, without a broker.
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * HOW TO READ THIS
 *
 * Return values. Functions that give an int give 0 or a number from 0 up, and -1 when they fail; functions that give a pointer give NULL when they
 * fail. Then slk_errno () says why, and nothing has changed unless the function's text says otherwise. `errno` is set as well, to what comes
 * nearest. A call that succeeds leaves both alone.
 *
 * Handles. slk_ctx_t, slk_socket_t, slk_msg_t and what is `void *` here are handles: their memory is the library's, and nothing of it may be
 * read or copied. A handle that is closed, or never was one, is recognised: SLK_ENOTSOCK for sockets, SLK_EFAULT for all others.
 *
 * Threads. Every function may be called from any thread at any time, with the same handle too. A call in one thread on a socket that another
 * thread closes ends with SLK_ENOTSOCK. Parts of one message have to be sent and received by one thread.
 *
 * Blocking. Functions whose text says nothing of it return at once.
 *
 * Memory. What is passed to a function is copied or used until it returns, and stays the caller's. What the library allocates for the caller says which
 * function frees it. Texts are UTF-8 and end with a zero byte.
 *
 * Units. Times are milliseconds where nothing else is said, sizes are bytes.
 *
 * No call aborts the process and none throws. Functions of the program's that are called back (timers, monitors) must not throw through it either.
 */
#ifndef SERVERLINK_H
#define SERVERLINK_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && !defined(SLK_STATIC)
#define SLK_API __declspec (dllimport)
#else
#define SLK_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Version ---------------------------------------------------------------------------------------------------------------------- */

#define SLK_VERSION_MAJOR 0
#define SLK_VERSION_MINOR 1
#define SLK_VERSION_PATCH 0

/* The version of the library that the program runs with. Places may be NULL. */
SLK_API void slk_version (int *major, int *minor, int *patch);

/* ---- Errors ----------------------------------------------------------------------------------------------------------------------- */

/* One space of numbers. None of them is one of the system's. */
#define SLK_EINVAL 1           /* an argument, option or endpoint that cannot be used so */
#define SLK_ENOMEM 2           /* no memory */
#define SLK_EAGAIN 3           /* nothing can be done without waiting, or the time is up */
#define SLK_ENOTSOCK 4         /* no open socket */
#define SLK_EPROTO 5           /* the peer did not keep to the protocol */
#define SLK_ETERM 6            /* the context is being destroyed */
#define SLK_EMTHREAD 7         /* no I/O thread */
#define SLK_EHOSTUNREACH 10    /* ROUTER: no peer has this routing id */
#define SLK_ENOTREADY 11       /* not at this step: a REQ that has not sent yet cannot receive */
#define SLK_EPEERUNREACH 12    /* this peer is not connected */
#define SLK_EAUTH 13           /* authentication failed */
#define SLK_EADDRINUSE 21      /* somebody listens there */
#define SLK_EADDRNOTAVAIL 22   /* no address of this machine */
#define SLK_ENOENT 23          /* not bound or connected to this endpoint; no such path */
#define SLK_EEXIST 24          /* it exists already: a routing id, a path */
#define SLK_EMSGSIZE 25        /* larger than a limit */
#define SLK_ENOTSUP 26         /* this type of socket, system or version cannot do that, or not any more */
#define SLK_EFAULT 27          /* NULL, or no open handle of this kind */
#define SLK_EINTR 28           /* a signal handler ran while the call waited */
#define SLK_EMFILE 29          /* too many sockets or descriptors */
#define SLK_EPROTONOSUPPORT 30 /* there is no such transport */
#define SLK_ENAMETOOLONG 31    /* ipc: the path is too long */
#define SLK_ENODEV 32          /* no such network device or host name */
#define SLK_EACCES 33          /* not permitted */
#define SLK_EBADF 34           /* no descriptor */
#define SLK_EIO 35             /* the system reported something else; `errno` has its number */
#define SLK_EINTERNAL 36       /* a fault of the library itself; please report it */
#define SLK_ECONNRESET 37      /* in events: the peer closed the connection */
#define SLK_ECONNREFUSED 38    /* in events: nobody listens there */
#define SLK_ETIMEDOUT 39       /* in events: the handshake or the peer's heartbeat took too long */

/* Why the last call of this thread that failed did so; 0 if none did. */
SLK_API int slk_errno (void);
/* A code in words, for ever; never NULL. */
SLK_API const char *slk_strerror (int errnum);

/* ---- Contexts --------------------------------------------------------------------------------------------------------------------- */

/* What sockets live in, with the threads that serve them. Most programs have one. */
typedef struct slk_ctx_t slk_ctx_t;

/* Options of a context: int where nothing else is said. Those marked (*) are settled with the first socket, and SLK_ENOTSUP afterwards. */
#define SLK_IO_THREADS 1                 /* (*) threads for sockets whose users do not wait in a call; 0 is taken for 1, more than 64 for 64; default 1 */
#define SLK_MAX_SOCKETS 2                /* sockets open at once; 1 to 65535; default 1023 */
#define SLK_SOCKET_LIMIT 3               /* read only: the largest SLK_MAX_SOCKETS, 65535 */
#define SLK_THREAD_SCHED_POLICY 6        /* (*) -1; anything else is SLK_ENOTSUP: threads are scheduled as the process is */
#define SLK_THREAD_AFFINITY_CPU_ADD 7    /* (*) one more processor on which the threads may run; none: any. Linux */
#define SLK_THREAD_AFFINITY_CPU_REMOVE 8 /* (*) one less */
#define SLK_THREAD_PRIORITY 9            /* (*) as SLK_THREAD_SCHED_POLICY */
#define SLK_THREAD_NAME_PREFIX 10        /* (*) text of up to 16 characters in front of the threads' names, of which systems show the first 9 */
#define SLK_MAX_MSGSZ 13                 /* largest message that sockets to come take from a peer, in bytes; default INT_MAX: no limit */
#define SLK_MSG_T_SIZE 14                /* read only, size_t: 64 */

/* A new context. No thread runs before its first socket. */
SLK_API slk_ctx_t *slk_ctx_new (void);
/* Ends a context: calls on its sockets end with SLK_ETERM at once. BLOCKS until all its sockets are closed (by other threads, or before) and what
 * they had to send is sent, each for its SLK_LINGER. NULL does nothing. */
SLK_API void slk_ctx_destroy (slk_ctx_t *ctx);
/* The first half of that: ends calls on its sockets, now and later, and does not wait. */
SLK_API int slk_ctx_shutdown (slk_ctx_t *ctx);
/* SLK_EINVAL for what is no option, and for values out of range. */
SLK_API int slk_ctx_set (slk_ctx_t *ctx, int option, const void *value, size_t len);
/* *len says how much room there is, and how long the value is afterwards, also where it does not fit (SLK_EINVAL). */
SLK_API int slk_ctx_get (slk_ctx_t *ctx, int option, void *value, size_t *len);

/* ---- Sockets ---------------------------------------------------------------------------------------------------------------------- */

typedef struct slk_socket_t slk_socket_t;

#define SLK_PAIR 0    /* one peer, both directions */
#define SLK_PUB 1     /* sends to all who subscribed; never waits */
#define SLK_SUB 2     /* receives what it subscribed to */
#define SLK_REQ 3     /* a question, then its answer */
#define SLK_REP 4     /* answers whoever asked */
#define SLK_DEALER 5  /* deals out and takes in without taking turns */
#define SLK_ROUTER 6  /* sends to the peer that the first part names; received messages begin with their sender's routing id */
#define SLK_PULL 7    /* takes messages from its peers in turn */
#define SLK_PUSH 8    /* deals messages out to its peers in turn */
#define SLK_XPUB 9    /* a publisher that receives subscriptions as messages: 1 or 0, and the topic */
#define SLK_XSUB 10   /* a subscriber that sends them as messages */
#define SLK_STREAM 11 /* octets of plain TCP: [routing id][octets]; an empty second part tells of a connection, and closes one */
#define SLK_SERVER 12 /* answers each client by its number, at any time: beside the message, see slk_msg_get_routing_id */
#define SLK_CLIENT 13 /* asks servers in turn, and takes in what they say */
#define SLK_RADIO 14  /* sends to all who joined the message's group; never waits. Groups: slk_msg_set_group, or slk_send_to with a group for the id */
#define SLK_DISH 15   /* receives what is sent to groups that it joined: slk_join */
#define SLK_GATHER 16 /* as SLK_PULL, from SLK_SCATTER */
#define SLK_SCATTER 17 /* as SLK_PUSH, to SLK_GATHER */
#define SLK_DGRAM 18  /* datagrams of udp: [address][body]; the address is text with a zero at its end, "10.0.0.7:5555". It binds, and does not connect */
#define SLK_PEER 19   /* a server that connects as well, to others of its kind */
#define SLK_CHANNEL 20 /* as SLK_PAIR */
/* Messages of SLK_SERVER to SLK_SCATTER, SLK_PEER and SLK_CHANNEL have one part: SLK_SNDMORE is SLK_EINVAL. They talk to libzmq's types of these names. */

/* A new socket. SLK_EINVAL: no such type; SLK_EMFILE: the context has as many as it may have; SLK_ETERM. */
SLK_API slk_socket_t *slk_socket (slk_ctx_t *ctx, int type);
/* Closes a socket. What is unsent is sent in the background for SLK_LINGER. If the socket has a monitor: BLOCKS until its function has returned from what
 * happened so far and was told of SLK_EVENT_CLOSED; it is not called again. */
SLK_API int slk_close (slk_socket_t *socket);

/* Endpoints: "tcp://HOST:PORT" ("*" for all addresses, or any free port: ask SLK_LAST_ENDPOINT), "ipc://PATH", "inproc://NAME".
 * SLK_DGRAM: "udp://HOST:PORT", or "udp://INTERFACE;GROUP:PORT" for a group of multicast, and nothing else; SLK_EPROTONOSUPPORT otherwise. A SLK_DISH binds
 * there too, and a SLK_RADIO connects.
 * slk_bind listens: SLK_EADDRINUSE, SLK_EADDRNOTAVAIL, SLK_ENODEV, SLK_EINVAL, SLK_EPROTONOSUPPORT, ... */
SLK_API int slk_bind (slk_socket_t *socket, const char *endpoint);
/* Connects, now and whenever the connection is lost. Succeeds whether or not anybody listens. */
SLK_API int slk_connect (slk_socket_t *socket, const char *endpoint);
/* Stop listening; give up a connection. The endpoint as it was given, or as SLK_LAST_ENDPOINT told it; SLK_ENOENT for another. */
SLK_API int slk_unbind (slk_socket_t *socket, const char *endpoint);
SLK_API int slk_disconnect (slk_socket_t *socket, const char *endpoint);

/* SLK_DISH: asks for what is sent to a group, a text of at most 255 bytes; and no more. SLK_EINVAL: joined already, or not joined, or too long; SLK_ENOTSUP:
 * another type. A group of multicast that is joined with "udp://" is something else. */
SLK_API int slk_join (slk_socket_t *socket, const char *group);
SLK_API int slk_leave (slk_socket_t *socket, const char *group);

/* SLK_PEER: as slk_connect, and gives the number of the peer, which it keeps over all reconnects; what is sent to it before it is there is queued.
 * 0 if that fails; SLK_ENOTSUP: another type. */
SLK_API uint32_t slk_connect_peer (slk_socket_t *socket, const char *endpoint);
/* SLK_SERVER, SLK_PEER: ends the connection with the peer of this number, which is nobody's from then on. What is queued for it is still written, within
 * SLK_LINGER; what it sent and nobody has received is dropped. One that this socket connected to is not connected to again.
 * SLK_EHOSTUNREACH: nobody has the number; SLK_ENOTSUP: another type. */
SLK_API int slk_disconnect_peer (slk_socket_t *socket, uint32_t number);

/* Options of a socket: int where nothing else is said, 0 or 1 for switches. An option that is accepted has an effect: at once, or where it is marked (*)
 * on what is bound and connected from then on, and all connections that come of it. Those marked (**) have one until the socket's first bind,
 * connect, send, receive or poll, and are SLK_ENOTSUP afterwards; (get) can only be asked for; (on) can later be turned on, and not off.
 * Times and counts beyond what can be are taken for the most that can. docs/options.md says more of each. */
#define SLK_AFFINITY 4                  /* (**) uint64: I/O threads on which it may live, as bits; default 0: any */
#define SLK_ROUTING_ID 5                /* (*) 1 to 255 bytes, the first not 0: the name by which ROUTER peers address it */
#define SLK_SUBSCRIBE 6                 /* SUB: bytes that messages begin with; XPUB with SLK_XPUB_MANUAL: subscribes the peer that asked last */
#define SLK_UNSUBSCRIBE 7               /* takes one such subscription back */
#define SLK_SNDBUF 11                   /* (*) the kernel's buffer of each connection, bytes; default -1: the system's choice */
#define SLK_RCVBUF 12                   /* (*) the same for receiving */
#define SLK_RCVMORE 13                  /* (get) whether the part that was received last has others behind it */
#define SLK_FD 14                       /* (get) slk_fd_t for event loops: readable when a look at SLK_EVENTS is worth it; never read from it */
#define SLK_EVENTS 15                   /* (get) SLK_POLLIN, SLK_POLLOUT: what can be done now */
#define SLK_TYPE 16                     /* (get) SLK_PAIR, ... */
#define SLK_LINGER 17                   /* how long unsent messages outlive a closed socket; default -1: for ever; 0: not at all */
#define SLK_RECONNECT_IVL 18            /* (*) the longest first pause before connecting again; default 100; -1: never again */
#define SLK_BACKLOG 19                  /* (*) connections that the system keeps until they are accepted; default 100 */
#define SLK_RECONNECT_IVL_MAX 21        /* (*) where the doubling of that pause stops; default 0: it does not double */
#define SLK_MAXMSGSIZE 22               /* (*) int64: largest message taken from a peer; default: SLK_MAX_MSGSZ of the context */
#define SLK_SNDHWM 23                   /* messages that may wait for one peer; default 1000; 0: no limit */
#define SLK_RCVHWM 24                   /* messages of one peer that may wait for the program; default 1000; 0: no limit */
#define SLK_MULTICAST_HOPS 25           /* (*) routers that a datagram to a group may pass, 1 to 255; default 1 */
#define SLK_RCVTIMEO 27                 /* how long receiving waits; default -1: for ever */
#define SLK_SNDTIMEO 28                 /* how long sending waits; default -1: for ever */
#define SLK_LAST_ENDPOINT 32            /* (get) text: what it was bound or connected to last, with the port that the system chose */
#define SLK_ROUTER_MANDATORY 33         /* ROUTER: unknown routing ids are SLK_EHOSTUNREACH, full peers make wait; default 0: both drop */
#define SLK_TCP_KEEPALIVE 34            /* (*) 1, 0, or -1 (default): the system's choice */
#define SLK_TCP_KEEPALIVE_CNT 35        /* (*) probes without answer that end a connection; default -1 */
#define SLK_TCP_KEEPALIVE_IDLE 36       /* (*) seconds of silence before the first; default -1 */
#define SLK_TCP_KEEPALIVE_INTVL 37      /* (*) seconds between two; default -1 */
#define SLK_TCP_ACCEPT_FILTER 38        /* (*) text: one more network from which peers may come; empty: all */
#define SLK_IMMEDIATE 39                /* (**) queue only for peers that are connected; default 0 */
#define SLK_XPUB_VERBOSE 40             /* XPUB: receive every subscription, not only the first to a topic; default 0 */
#define SLK_IPV6 42                     /* (*) default 0 */
#define SLK_MECHANISM 43                /* (get) 0: none, 1: PLAIN, 2: CURVE, as the options of the two were set */
#define SLK_PLAIN_SERVER 44             /* (*) check user names and passwords of who connects, by a ZAP handler */
#define SLK_PLAIN_USERNAME 45           /* (*) text: as whom it introduces itself */
#define SLK_PLAIN_PASSWORD 46           /* (*) text: and with what; it goes in clear */
#define SLK_CURVE_SERVER 47             /* (*) take encrypted connections only, with SLK_CURVE_SECRETKEY */
#define SLK_CURVE_PUBLICKEY 48          /* (*) 32 bytes, or 40 characters of Z85: the own public key */
#define SLK_CURVE_SECRETKEY 49          /* (*) the own secret key */
#define SLK_CURVE_SERVERKEY 50          /* (*) a client's: the server's public key. Using a socket whose keys are incomplete is SLK_EINVAL */
#define SLK_PROBE_ROUTER 51             /* (**) REQ, DEALER, ROUTER: an empty message on each new connection; default 0 */
#define SLK_REQ_CORRELATE 52            /* REQ: take only the reply to this request; default 0 */
#define SLK_REQ_RELAXED 53              /* REQ: a new request before the reply; default 0 */
#define SLK_CONFLATE 54                 /* (**) keep the newest message alone; default 0 */
#define SLK_ZAP_DOMAIN 55               /* (*) text: the rules by which a ZAP handler judges peers; default empty: peers without security are let in */
#define SLK_ROUTER_HANDOVER 56          /* ROUTER: a second peer of the same routing id takes it over and the first is closed; default 0: it is refused */
#define SLK_TOS 57                      /* (*) type of service of IP packets; default 0 */
#define SLK_IPC_FILTER_PID 58           /* (*) uint32: one more process that may connect over ipc */
#define SLK_IPC_FILTER_UID 59           /* (*) uint32: one more user */
#define SLK_INVERT_MATCHING 60          /* PUB, XPUB, SUB, XSUB: what does not fit; default 0 */
#define SLK_CONNECT_ROUTING_ID 61       /* ROUTER: the routing id of whom the next slk_connect reaches; a taken one makes that SLK_EINVAL */
#define SLK_HANDSHAKE_IVL 66            /* (*) how long a handshake may take; default 30000 */
#define SLK_SOCKS_PROXY 68              /* (*) text: the SOCKS5 proxy through which to connect over tcp, host:port; empty: none */
#define SLK_XPUB_NODROP 69              /* PUB, XPUB: wait (or SLK_EAGAIN) while a subscriber is full, instead of leaving it out; default 0 */
#define SLK_XPUB_MANUAL_LAST_VALUE 70   /* (on) XPUB: as SLK_XPUB_MANUAL, and the next message goes to the peer that asked last alone; default 0 */
#define SLK_XPUB_MANUAL 71              /* (on) XPUB: subscriptions are received, and SLK_SUBSCRIBE decides; default 0 */
#define SLK_XPUB_WELCOME_MSG 72         /* (*) PUB, XPUB: bytes that each new subscriber gets first; default none */
#define SLK_XSUB_VERBOSE_UNSUBSCRIBE 73 /* (**) XSUB: tell every cancellation; default 0 */
#define SLK_HEARTBEAT_IVL 75            /* (*) pause between two PINGs; default 0: none */
#define SLK_HEARTBEAT_TTL 76            /* (*) after how much silence the peer shall give up, in tenths of a second rounded down; default 0 */
#define SLK_HEARTBEAT_TIMEOUT 77        /* (*) how long after an interval silence may last; default -1: the interval */
#define SLK_XPUB_VERBOSER 78            /* XPUB: and every cancellation; default 0 */
#define SLK_CONNECT_TIMEOUT 79          /* (*) how long connecting to one address may take; default 0: the system's */
#define SLK_TOPICS_COUNT 80             /* (get) SUB, XSUB: different topics subscribed to; PUB, XPUB: of all peers */
#define SLK_PSUBSCRIBE 81               /* SUB, XSUB: a pattern for the whole first part: * ? [abc] [a-z] [^x] [!x] \x; a wrong one is SLK_EINVAL */
#define SLK_PUNSUBSCRIBE 82             /* takes one such subscription back */
#define SLK_BINDTODEVICE 92             /* (*) text: the one network device to use. Linux */
#define SLK_ZAP_ENFORCE_DOMAIN 93       /* (*) with a domain: nobody comes in unjudged; without one: no handler is asked; default 0 */
#define SLK_METADATA 95                 /* (*) text "X-NAME:VALUE": what peers are told */
#define SLK_MULTICAST_LOOP 96           /* (*) 1: datagrams to a group also reach this machine; default 1 */
#define SLK_ROUTER_NOTIFY 97            /* ROUTER: receive [id][] when a peer comes (1), goes (2); default 0 */
#define SLK_SOCKS_USERNAME 99           /* (*) text: as whom it introduces itself to the proxy, if that asks; empty: as nobody */
#define SLK_SOCKS_PASSWORD 100          /* (*) text: and with what; it goes in clear */
#define SLK_ONLY_FIRST_SUBSCRIBE 108    /* (**) XPUB, XSUB: only a message's first part can be a subscription; default 0 */
#define SLK_RECONNECT_STOP 109          /* (*) give up after: refused (1), handshake failed (2), disconnected (4); default 0 */
#define SLK_HELLO_MSG 110               /* (**) DEALER, ROUTER: bytes sent first on each connection */
#define SLK_DISCONNECT_MSG 111          /* (**) ROUTER: bytes received when a peer is gone */
#define SLK_PRIORITY 112                /* (*) priority of packets in the system's queues; default 0. Linux */
#define SLK_BUSY_POLL 113               /* (*) microseconds for which the system polls the device; default 0. Linux */
#define SLK_HICCUP_MSG 114              /* (**) DEALER: bytes received when a connection is lost */
#define SLK_IPC_FILTER_GID 210          /* (*) uint32: one more group that may connect over ipc */
#define SLK_TCP_MAXRT 211               /* (*) how long sent bytes may stay without acknowledgement; default 0: the system's */

SLK_API int slk_setsockopt (slk_socket_t *socket, int option, const void *value, size_t len);
/* *len as in slk_ctx_get. */
SLK_API int slk_getsockopt (slk_socket_t *socket, int option, void *value, size_t *len);

/* ---- Sending and receiving -------------------------------------------------------------------------------------------------------- */

#define SLK_DONTWAIT 1 /* SLK_EAGAIN instead of waiting */
#define SLK_SNDMORE 2  /* sending: more parts of the same message follow */

/* Sends a copy of `len` bytes as a message, or as a part of one. BLOCKS for at most SLK_SNDTIMEO while no peer has room, unless the type drops. A message
 * of several parts is sent whole or not at all, with its last part. Gives len. SLK_EAGAIN, SLK_EHOSTUNREACH, SLK_ENOTREADY, SLK_ENOTSUP,
 * SLK_ETERM, SLK_EINTR. */
SLK_API int slk_send (slk_socket_t *socket, const void *data, size_t len, int flags);
/* Receives a part: copies at most `len` bytes of it and gives its whole size; what did not fit is lost. BLOCKS for at most SLK_RCVTIMEO. Whether parts of
 * the same message follow says SLK_RCVMORE. */
SLK_API int slk_recv (slk_socket_t *socket, void *buf, size_t len, int flags);
/* ROUTER: the same as slk_send of the routing id with SLK_SNDMORE and of the data, in one call that no other thread can come between. Gives len.
 * SLK_SERVER, SLK_PEER: to the peer of this number, a uint32_t (4 bytes). SLK_RADIO: to this group. SLK_DGRAM: to this address. */
SLK_API int slk_send_to (slk_socket_t *socket, const void *routing_id, size_t id_len, const void *data, size_t len, int flags);

/* ---- Messages --------------------------------------------------------------------------------------------------------------------- */

/* One part of a message, for programs that do not know its size before, or pass it on without a copy. */
typedef struct slk_msg_t slk_msg_t;

/* A new message, empty or with a copy of `size` bytes. slk_msg_destroy ends it. */
SLK_API slk_msg_t *slk_msg_new (void);
SLK_API slk_msg_t *slk_msg_new_data (const void *data, size_t size);
/* NULL does nothing. */
SLK_API void slk_msg_destroy (slk_msg_t *msg);
/* Make it empty, or a copy of `size` bytes. What it held is let go. */
SLK_API int slk_msg_init (slk_msg_t *msg);
SLK_API int slk_msg_init_data (slk_msg_t *msg, const void *data, size_t size);
/* Lets go of what it holds: it is empty then, can be used again, and has to be destroyed. */
SLK_API int slk_msg_close (slk_msg_t *msg);
/* Where its bytes are, for reading and writing, until the next call that changes it. */
SLK_API void *slk_msg_data (slk_msg_t *msg);
SLK_API size_t slk_msg_size (slk_msg_t *msg);
/* dest becomes a copy of src; long bytes are shared until one is written to through a later slk_msg_data. */
SLK_API int slk_msg_copy (slk_msg_t *dest, slk_msg_t *src);
/* dest becomes what src was, src becomes empty. */
SLK_API int slk_msg_move (slk_msg_t *dest, slk_msg_t *src);

#define SLK_MSG_MORE 0 /* int: whether parts of the same message follow; only to be asked for */

SLK_API int slk_msg_get (slk_msg_t *msg, int property, void *value, size_t *len);
/* SLK_EINVAL: there is no property that can be set. */
SLK_API int slk_msg_set (slk_msg_t *msg, int property, const void *value, size_t len);
/* The peer of a SERVER or PEER that it is from or for: a uint32_t, 0 for none. Setting it takes 4 bytes that are not all 0. */
SLK_API int slk_msg_get_routing_id (slk_msg_t *msg, void *id, size_t *size);
SLK_API int slk_msg_set_routing_id (slk_msg_t *msg, const void *id, size_t size);
/* The group that a RADIO sends it to, or that it came to a DISH by; "" for none. The text is the message's: it stays until the message is changed, sent, or
 * gone. NULL only for what is no message. At most 255 bytes: SLK_EINVAL. */
SLK_API int slk_msg_set_group (slk_msg_t *msg, const char *group);
SLK_API const char *slk_msg_group (slk_msg_t *msg);

/* As slk_send and slk_recv. Both give the part's size. What is sent leaves an empty message; what could not be sent is still in it. */
SLK_API int slk_msg_send (slk_msg_t *msg, slk_socket_t *socket, int flags);
SLK_API int slk_msg_recv (slk_msg_t *msg, slk_socket_t *socket, int flags);

/* ---- Polling ---------------------------------------------------------------------------------------------------------------------- */

#define SLK_POLLIN 1  /* a receive would give a part */
#define SLK_POLLOUT 2 /* a send would find room */
#define SLK_POLLERR 4 /* a descriptor has an error */

typedef struct slk_pollitem_t
{
    slk_socket_t *socket; /* a socket, or NULL */
    int fd;               /* where socket is NULL: a descriptor (a SOCKET of Windows is cast: it fits); less than 0: the item is passed over */
    short events;         /* what to wait for */
    short revents;        /* what was found */
} slk_pollitem_t;

/* BLOCKS until something is found for one of `n` items, for at most `timeout` (-1: for ever). Gives how many items have something; 0 when the time is up. */
SLK_API int slk_poll (slk_pollitem_t *items, int n, long timeout);

/* A descriptor of the system's: on Windows a SOCKET. */
#if defined(_WIN32)
typedef uintptr_t slk_fd_t;
#else
typedef int slk_fd_t;
#endif

typedef struct slk_poller_event_t
{
    void *socket;    /* the socket, or NULL */
    slk_fd_t fd;     /* the descriptor, or -1 */
    void *user_data; /* as it was added */
    short events;    /* what was found */
} slk_poller_event_t;

/* A set of sockets and descriptors that is waited for many times. */
SLK_API void *slk_poller_new (void);
/* The place that holds it becomes NULL. */
SLK_API int slk_poller_destroy (void **poller_p);
SLK_API int slk_poller_size (void *poller);
/* SLK_EINVAL if it is there already. */
SLK_API int slk_poller_add (void *poller, void *socket, void *user_data, short events);
/* SLK_EINVAL if it is not there. */
SLK_API int slk_poller_modify (void *poller, void *socket, short events);
SLK_API int slk_poller_remove (void *poller, void *socket);
SLK_API int slk_poller_add_fd (void *poller, slk_fd_t fd, void *user_data, short events);
SLK_API int slk_poller_modify_fd (void *poller, slk_fd_t fd, short events);
SLK_API int slk_poller_remove_fd (void *poller, slk_fd_t fd);
/* BLOCKS for at most `timeout` (-1: for ever). Gives 0 and one event, or -1 with SLK_EAGAIN when the time is up. */
SLK_API int slk_poller_wait (void *poller, slk_poller_event_t *event, long timeout);
/* The same for up to `n` events. Gives how many; -1 with SLK_EAGAIN when the time is up. */
SLK_API int slk_poller_wait_all (void *poller, slk_poller_event_t *events, int n, long timeout);
/* A descriptor for event loops: readable while slk_poller_wait would find something, and now and then without need. Call that with a timeout of 0 whenever it
 * is readable; a wait that finds nothing ends it. Never read from it, nor close it: it goes with the poller, so take it out of the loop before. Take sockets and descriptors out of
 * the poller before they are closed. With descriptors in the poller it is there on Linux only, and not with those of files: SLK_ENOTSUP, here or when one is added. */
SLK_API int slk_poller_fd (void *poller, slk_fd_t *fd);

/* ---- Proxies ---------------------------------------------------------------------------------------------------------------------- */

/* Moves messages between two sockets, in both directions, and copies of them to `capture` unless that is NULL. BLOCKS until the context ends (SLK_ETERM), a
 * socket is closed, or a signal comes (SLK_EINTR). Gives -1. */
SLK_API int slk_proxy (void *frontend, void *backend, void *capture);
/* The same, ruled by messages to `control` (a REP, PAIR, PULL or SUB; may be NULL): "PAUSE", "RESUME", "TERMINATE" (it gives 0 then), "STATISTICS". A
 * control that can send answers each: with eight parts of a uint64 to STATISTICS (messages and bytes received and sent by the frontend, then by
 * the backend), with an empty message to the others. */
SLK_API int slk_proxy_steerable (void *frontend, void *backend, void *capture, void *control);

/* ---- Monitors --------------------------------------------------------------------------------------------------------------------- */

#define SLK_EVENT_CONNECTED 1       /* a peer was reached; the handshake begins */
#define SLK_EVENT_DISCONNECTED 2    /* a connection has ended; err says why, 0: this side closed it */
#define SLK_EVENT_ACCEPTED 3        /* a peer came; the handshake begins */
#define SLK_EVENT_BIND_FAILED 4     /* slk_bind failed, with err */
#define SLK_EVENT_LISTENING 5
#define SLK_EVENT_CLOSED 6          /* it does not listen any more; with an empty endpoint: slk_close, and nothing follows */
#define SLK_EVENT_HANDSHAKE_START 7
#define SLK_EVENT_HANDSHAKE_OK 8    /* messages can flow; peer_id is the routing id that the peer announced */
#define SLK_EVENT_HANDSHAKE_FAIL 9  /* with err; SLK_EEXIST: a ROUTER's peer has a routing id that is taken */
#define SLK_EVENT_HEARTBEAT_OK 10   /* a PONG came */
#define SLK_EVENT_HEARTBEAT_FAIL 11 /* silence for too long; SLK_EVENT_DISCONNECTED follows */
#define SLK_EVENT_RETRYING 12       /* connecting again after a pause; err says why */
#define SLK_EVENT_GAVE_UP 13        /* SLK_RECONNECT_STOP */
#define SLK_EVENT_ACCEPT_FAILED 14  /* a peer came and could not be taken, with err */
/* A mask has the bit 1 << SLK_EVENT_... of each event. */
#define SLK_EVENT_ALL 0xFFFF

typedef struct slk_event_t
{
    int event;            /* SLK_EVENT_... */
    const void *peer_id;  /* the routing id, or NULL */
    size_t peer_id_len;
    const char *endpoint; /* the endpoint that was bound or connected; never NULL */
    int err;              /* SLK_E..., or 0 */
    uint64_t timestamp;   /* milliseconds since 1970 */
} slk_event_t;

/* Called on a thread of the monitor's own, one event after the other, without a lock: it may call every function, with this socket too, also close
 * it. The event stays until it returns. Do not wait in it for a thread that closes the socket or changes its monitor. */
typedef void (*slk_monitor_fn) (slk_socket_t *socket, const slk_event_t *event, void *user_data);

/* Tells of a socket's events from now on, in place of who was told before; NULL or no events: nobody. When it returns the function before is not running
 * and is not called any more (unless it is itself that calls this). Peers over inproc have no connection and are not told of. */
SLK_API int slk_socket_monitor (slk_socket_t *socket, slk_monitor_fn fn, void *user_data, int events);

/* ---- Peers ------------------------------------------------------------------------------------------------------------------------ */

typedef struct slk_peer_stats_t
{
    uint64_t bytes_sent;
    uint64_t bytes_received;
    uint64_t msgs_sent;
    uint64_t msgs_received;
    uint64_t connected_time; /* for how long it has been connected */
    uint64_t last_heartbeat; /* when its last PONG came, in milliseconds since 1970; 0: none did */
    int is_alive;            /* 1: it is connected */
} slk_peer_stats_t;

/* Peers are named by the routing id that a ROUTER knows them by, by a uint32_t with SERVER and PEER, or by what they announced to another socket. */
/* 1 or 0; 0 and slk_errno () for what is no socket. */
SLK_API int slk_is_connected (slk_socket_t *socket, const void *routing_id, size_t id_len);
/* SLK_EPEERUNREACH if it is not connected. */
SLK_API int slk_get_peer_stats (slk_socket_t *socket, const void *routing_id, size_t id_len, slk_peer_stats_t *stats);

typedef struct slk_peer_id_t
{
    const void *data; /* not NULL, also where len is 0 */
    size_t len;       /* 0: it has no routing id */
} slk_peer_id_t;

/* The peers that are connected. *peers is the caller's, for slk_peers_free, also where *count is 0. */
SLK_API int slk_peers (slk_socket_t *socket, slk_peer_id_t **peers, size_t *count);
/* NULL does nothing. */
SLK_API void slk_peers_free (slk_peer_id_t *peers);

/* The same as the first ServerLink declared it; its arguments cannot take arrays that the library allocates, so here they are the caller's. PUT
 * THE NUMBER OF THEIR ENTRIES INTO *num_peers BEFORE THE CALL. It is the number of peers afterwards; if that is larger only what fits was
 * filled in. With NULL for the arrays they are counted. Each id is allocated: call slk_free_peers with the number of entries that were filled. */
SLK_API int slk_get_peers (slk_socket_t *socket, void **peer_ids, size_t *id_lens, size_t *num_peers);
/* Frees the ids, not the arrays. */
SLK_API void slk_free_peers (void **peer_ids, size_t *id_lens, size_t num_peers);

/* ---- Who subscribed --------------------------------------------------------------------------------------------------------------- */

/* What peers of the context's PUB and XPUB sockets asked for and did not cancel; what a peer asked for is gone when it is. */
/* Topics that fit a pattern (NULL or empty: all), sorted. Topics with a zero byte are left out. *channels is the caller's, for slk_pubsub_channels_free,
 * also where *count is 0. */
SLK_API int slk_pubsub_channels (slk_ctx_t *ctx, const char *pattern, char ***channels, size_t *count);
SLK_API void slk_pubsub_channels_free (char **channels, size_t count);
/* How many peers subscribed to exactly each of `count` topics, into numsub[0..count]. */
SLK_API int slk_pubsub_numsub (slk_ctx_t *ctx, const char **channels, size_t count, size_t *numsub);
/* How many subscriptions to patterns there are. */
SLK_API int slk_pubsub_numpat (slk_ctx_t *ctx);

/* ---- Sharded publishing ----------------------------------------------------------------------------------------------------------- */

/* Channels dealt out to publishers within this process, so that threads that publish to different ones seldom meet. The shard of a channel is the
 * CRC-16/XMODEM of its name, or of the text in its first {}, modulo 16384 modulo the number of shards. */
typedef struct slk_sharded_pubsub_s slk_sharded_pubsub_t;

/* 1 to 1024 shards, each a socket of the context. */
SLK_API slk_sharded_pubsub_t *slk_sharded_pubsub_new (slk_ctx_t *ctx, int shard_count);
/* Closes them. The place that holds it becomes NULL. Destroy it before its context. */
SLK_API int slk_sharded_pubsub_destroy (slk_sharded_pubsub_t **sharded);
/* Sends [channel][data] to who subscribed to exactly this channel. Never waits; who is full is left out. Gives len. */
SLK_API int slk_spublish (slk_sharded_pubsub_t *sharded, const char *channel, const void *data, size_t len);
/* Connects a SUB socket to the channel's shard, if it is not, and subscribes it. */
SLK_API int slk_ssubscribe (slk_sharded_pubsub_t *sharded, slk_socket_t *sub, const char *channel);
SLK_API int slk_sunsubscribe (slk_sharded_pubsub_t *sharded, slk_socket_t *sub, const char *channel);
/* SLK_SNDHWM of all shards. SLK_ENOTSUP after the first slk_spublish or slk_ssubscribe. */
SLK_API int slk_sharded_pubsub_set_hwm (slk_sharded_pubsub_t *sharded, int hwm);
/* Which shard a channel belongs to, from 0. */
SLK_API int slk_sharded_pubsub_shard (slk_sharded_pubsub_t *sharded, const char *channel);

/* ---- Keys -------------------------------------------------------------------------------------------------------------------------- */

/* A new pair for CURVE, by the system's randomness: 40 characters of Z85 and a zero byte each. Security: docs/security.md. */
SLK_API int slk_curve_keypair (char *public_key, char *secret_key);
/* The public key that belongs to a secret one. */
SLK_API int slk_curve_public (char *public_key, const char *secret_key);

/* ---- Clocks, counters, timers ----------------------------------------------------------------------------------------------------- */

/* Microseconds, by a clock that never leaps; near the time since 1970. */
SLK_API uint64_t slk_clock (void);
/* BLOCKS. */
SLK_API void slk_sleep (int ms);
/* Whether a transport ("tcp", "ipc", "inproc") or a mechanism ("plain", "curve") is there: 1 or 0. */
SLK_API int slk_has (const char *capability);

/* A counter that threads share, from 0. */
SLK_API void *slk_atomic_counter_new (void);
SLK_API void slk_atomic_counter_set (void *counter, int value);
/* Gives the old value. */
SLK_API int slk_atomic_counter_inc (void *counter);
/* Gives the new value. */
SLK_API int slk_atomic_counter_dec (void *counter);
SLK_API int slk_atomic_counter_value (void *counter);
/* The place that holds it becomes NULL. */
SLK_API void slk_atomic_counter_destroy (void **counter_p);

typedef void (*slk_timer_fn) (int timer_id, void *arg);

/* Timers that run when slk_timers_execute is called, on its thread, and may change the timers. */
SLK_API void *slk_timers_new (void);
SLK_API int slk_timers_destroy (void **timers_p);
/* Due after each interval. Gives the timer's number, from 1. */
SLK_API int slk_timers_add (void *timers, size_t interval, slk_timer_fn handler, void *arg);
/* SLK_EINVAL: there is no such timer. */
SLK_API int slk_timers_cancel (void *timers, int timer_id);
SLK_API int slk_timers_set_interval (void *timers, int timer_id, size_t interval);
SLK_API int slk_timers_reset (void *timers, int timer_id);
/* Until the next is due; -1: there is none. */
SLK_API long slk_timers_timeout (void *timers);
SLK_API int slk_timers_execute (void *timers);

/* Microseconds since it was started; slk_stopwatch_stop ends it as well. */
SLK_API void *slk_stopwatch_start (void);
SLK_API unsigned long slk_stopwatch_intermediate (void *watch);
SLK_API unsigned long slk_stopwatch_stop (void *watch);

/* ---- SPOT: not there yet ---------------------------------------------------------------------------------------------------------- */

/* These are declared so that programs can be built. Each gives NULL or -1 with SLK_ENOTSUP; the functions without a result do nothing. */
typedef struct slk_spot_s slk_spot_t;

SLK_API slk_spot_t *slk_spot_new (slk_ctx_t *ctx);
SLK_API void slk_spot_destroy (slk_spot_t **spot);
SLK_API int slk_spot_topic_create (slk_spot_t *spot, const char *topic_id);
SLK_API int slk_spot_topic_route (slk_spot_t *spot, const char *topic_id, const char *endpoint);
SLK_API int slk_spot_topic_destroy (slk_spot_t *spot, const char *topic_id);
SLK_API int slk_spot_topic_exists (slk_spot_t *spot, const char *topic_id);
SLK_API int slk_spot_topic_is_local (slk_spot_t *spot, const char *topic_id);
SLK_API int slk_spot_subscribe (slk_spot_t *spot, const char *topic_id);
SLK_API int slk_spot_subscribe_pattern (slk_spot_t *spot, const char *pattern);
SLK_API int slk_spot_unsubscribe (slk_spot_t *spot, const char *topic_id);
SLK_API int slk_spot_publish (slk_spot_t *spot, const char *topic_id, const void *data, size_t len);
SLK_API int slk_spot_recv (slk_spot_t *spot, char *topic, size_t topic_size, size_t *topic_len, void *data, size_t data_size,
                           size_t *data_len, int flags);
SLK_API int slk_spot_bind (slk_spot_t *spot, const char *endpoint);
SLK_API int slk_spot_cluster_add (slk_spot_t *spot, const char *endpoint);
SLK_API int slk_spot_cluster_remove (slk_spot_t *spot, const char *endpoint);
SLK_API int slk_spot_cluster_sync (slk_spot_t *spot, int timeout_ms);
SLK_API int slk_spot_list_topics (slk_spot_t *spot, char ***topics, size_t *count);
SLK_API void slk_spot_list_topics_free (char **topics, size_t count);
SLK_API int slk_spot_set_hwm (slk_spot_t *spot, int sndhwm, int rcvhwm);
SLK_API int slk_spot_fd (slk_spot_t *spot, slk_fd_t *fd);

#ifdef __cplusplus
}
#endif

#endif /* SERVERLINK_H */
