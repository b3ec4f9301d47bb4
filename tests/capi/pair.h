/* Two ends of a connection of the system's, which programs wait for beside sockets of the library: on Windows a SOCKET each. */
#ifndef PAIR_H
#define PAIR_H

#include <stdlib.h>
#include <string.h>

#if defined(_WIN32)
#include <winsock2.h>
#include <ws2tcpip.h>
typedef SOCKET end_t;
#define NO_END INVALID_SOCKET
#define close_end closesocket
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>
typedef int end_t;
#define NO_END (-1)
#define close_end close
#endif

static inline void need (int is_so)
{
    if (!is_so)
        abort ();
}

/* Listens at a free port of the loopback interface, and tells which. */
static inline end_t make_listener (unsigned short *port)
{
    struct sockaddr_in address;
    socklen_t len = sizeof address;
    end_t listener = socket (AF_INET, SOCK_STREAM, 0);
    memset (&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    need (listener != NO_END && bind (listener, (struct sockaddr *) &address, sizeof address) == 0 && listen (listener, 5) == 0);
    need (getsockname (listener, (struct sockaddr *) &address, &len) == 0);
    *port = ntohs (address.sin_port);
    return listener;
}

static inline end_t connect_end (unsigned short port)
{
    struct sockaddr_in address;
    end_t end = socket (AF_INET, SOCK_STREAM, 0);
    memset (&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    address.sin_port = htons (port);
    need (end != NO_END && connect (end, (struct sockaddr *) &address, sizeof address) == 0);
    return end;
}

static inline void make_pair (end_t ends[2])
{
    unsigned short port;
    end_t listener = make_listener (&port);
    ends[0] = connect_end (port);
    ends[1] = accept (listener, NULL, NULL);
    need (ends[1] != NO_END && close_end (listener) == 0);
}

static inline void write_end (end_t end, const char *text)
{
    need (send (end, text, (int) strlen (text), 0) == (int) strlen (text));
}

/* As an event loop does, without the library. Gives whether it is readable before the time is up. */
static inline int wait_readable (end_t end, int milliseconds)
{
    struct timeval patience = {milliseconds / 1000, milliseconds % 1000 * 1000};
    fd_set readable;
    FD_ZERO (&readable);
    FD_SET (end, &readable);
    return select ((int) end + 1, &readable, NULL, NULL, &patience) == 1;
}

#endif
