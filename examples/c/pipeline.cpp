// Work dealt out to threads and collected again, in C++: handles that close themselves, and errors as exceptions.
//
//     c++ -std=c++17 pipeline.cpp $(pkg-config --cflags --libs serverlink) -pthread && ./a.out
#include <serverlink/serverlink.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace
{
struct Ended
{
    void operator() (slk_ctx_t *ctx) const { slk_ctx_destroy (ctx); }
    void operator() (slk_socket_t *socket) const { slk_close (socket); }
};

using Context = std::unique_ptr<slk_ctx_t, Ended>;
using Socket = std::unique_ptr<slk_socket_t, Ended>;

// What a call gave, unless it failed.
int checked (int result)
{
    if (result < 0)
        throw std::runtime_error (slk_strerror (slk_errno ()));
    return result;
}

Socket open (const Context &context, int type)
{
    Socket socket (slk_socket (context.get (), type));
    if (!socket)
        throw std::runtime_error (slk_strerror (slk_errno ()));
    return socket;
}

void send (const Socket &socket, const std::string &text)
{
    checked (slk_send (socket.get (), text.data (), text.size (), 0));
}

std::string receive (const Socket &socket)
{
    std::string text (256, '\0');
    text.resize (static_cast<std::size_t> (checked (slk_recv (socket.get (), &text[0], text.size (), 0))));
    return text;
}

void work (const Context &context)
{
    Socket tasks = open (context, SLK_PULL), results = open (context, SLK_PUSH);
    checked (slk_connect (tasks.get (), "inproc://tasks"));
    checked (slk_connect (results.get (), "inproc://results"));
    send (results, "ready");
    for (std::string task = receive (tasks); task != "stop"; task = receive (tasks)) {
        const int number = std::stoi (task);
        send (results, std::to_string (number * number));
    }
}
}

int main ()
try {
    const int workers = 3, count = 30;
    Context context (slk_ctx_new ());
    Socket tasks = open (context, SLK_PUSH), results = open (context, SLK_PULL);
    checked (slk_bind (tasks.get (), "inproc://tasks"));
    checked (slk_bind (results.get (), "inproc://results"));

    std::vector<std::thread> threads;
    for (int i = 0; i < workers; i++)
        threads.emplace_back ([&context] { work (context); });

    // Who comes later would get nothing of what is dealt out now.
    for (int i = 0; i < workers; i++)
        receive (results);
    for (int number = 1; number <= count; number++)
        send (tasks, std::to_string (number));
    int sum = 0;
    for (int i = 0; i < count; i++)
        sum += std::stoi (receive (results));
    // Dealt out in turn: each worker gets one.
    for (int i = 0; i < workers; i++)
        send (tasks, "stop");
    for (std::thread &thread : threads)
        thread.join ();

    std::cout << "the sum of the squares up to " << count << " is " << sum << "\n";
    return sum == count * (count + 1) * (2 * count + 1) / 6 ? EXIT_SUCCESS : EXIT_FAILURE;
} catch (const std::exception &failure) {
    std::cerr << failure.what () << "\n";
    return EXIT_FAILURE;
}
