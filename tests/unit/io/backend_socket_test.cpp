// Socket operations, on every backend.
#include "io_support.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <numeric>

BOOST_AUTO_TEST_SUITE(backend_socket_test)

using namespace leat::io;
using namespace leat::io::test;

namespace {

descriptor make_socket(int flags = 0) {
    return descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_conversation_over_loopback, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    // Blocking and non-blocking descriptors behave alike.
    for (const int flags : {0, static_cast<int>(SOCK_NONBLOCK)}) {
        listener listening(flags);
        const descriptor client = make_socket(flags);
        counted accept;
        counted connect;
        sockaddr_in from{};
        socklen_t from_size = sizeof from;
        accept.prepare_accept(listening.socket, reinterpret_cast<sockaddr*>(&from), &from_size);
        connect.prepare_connect(client, listening.generic(), &listening.length);
        through->submit(accept);
        BOOST_TEST(through->run(time_point::min()) == 0U);
        through->submit(connect);
        BOOST_TEST_REQUIRE(finish(*through));
        BOOST_TEST(connect.result == 0);
        BOOST_TEST_REQUIRE(accept.result >= 0);
        const descriptor server(accept.result);
        BOOST_TEST(from.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
        BOOST_TEST((::fcntl(server, F_GETFD) & FD_CLOEXEC) != 0);
        BOOST_TEST((::fcntl(server, F_GETFL) & O_NONBLOCK) != 0);
        // Epoll's calls must not wait, whoever else takes the connection: once non-blocking, a
        // socket stays so. The ring needs no such thing.
        const bool blocks = flags == 0 && Kind::kind == backend_kind::uring;
        for (const int socket : {int{listening.socket}, int{client}}) {
            BOOST_TEST(((::fcntl(socket, F_GETFL) & O_NONBLOCK) == 0) == blocks);
        }

        // A receive waits while a send on the same descriptor goes through.
        std::array<char, 16> at_server{};
        std::array<char, 16> at_client{};
        one_buffer server_in(at_server.data(), at_server.size());
        one_buffer client_in(at_client.data(), at_client.size());
        std::string hello = "hello";
        one_buffer out(hello.data(), hello.size());
        counted receive_at_server;
        counted receive_at_client;
        counted send;
        receive_at_server.prepare_receive(server, server_in.message, MSG_DONTWAIT);
        receive_at_client.prepare_receive(client, client_in.message, 0);
        through->submit(receive_at_server);
        through->submit(receive_at_client);
        through->run(time_point::min());
        send.prepare_send(server, out.message, 0);
        BOOST_TEST(perform(*through, send) == 5);
        BOOST_TEST(run_until(*through, [&] { return receive_at_client.completions == 1; }));
        BOOST_TEST(std::string(at_client.data(), 5) == hello);
        BOOST_TEST(receive_at_server.completions == 0);

        counted shut;
        shut.prepare_shutdown(client, SHUT_WR);
        BOOST_TEST(perform(*through, shut) == 0);
        BOOST_TEST(finish(*through));
        BOOST_TEST(receive_at_server.result == 0);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(several_accepts_on_one_listener, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    listener listening;
    std::array<counted, 12> accepts;
    std::array<counted, 12> connects;
    std::vector<descriptor> open;
    for (counted& op : accepts) {
        op.prepare_accept(listening.socket, nullptr, nullptr);
        through->submit(op);
    }
    through->run(time_point::min());
    for (counted& op : connects) {
        open.push_back(make_socket());
        op.prepare_connect(open.back(), listening.generic(), &listening.length);
        through->submit(op);
    }
    BOOST_TEST_REQUIRE(finish(*through));
    for (std::size_t i = 0; i < accepts.size(); ++i) {
        BOOST_TEST(connects[i].result == 0);
        BOOST_TEST(accepts[i].completions == 1);
        BOOST_TEST_REQUIRE(accepts[i].result >= 0);
        open.emplace_back(accepts[i].result);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(receives_keep_their_order, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const socket_pair pair;
    std::array<char, 8> memory{};
    std::vector<one_buffer> buffers;
    std::array<counted, 8> receives;
    for (char& one : memory) {
        buffers.emplace_back(&one, 1);
        buffers.back().message.msg_iov = nullptr;
    }
    for (std::size_t i = 0; i < receives.size(); ++i) {
        buffers[i].message.msg_iov = &buffers[i].vector;
        receives[i].prepare_receive(pair.near, buffers[i].message, 0);
        through->submit(receives[i]);
    }
    through->run(time_point::min());
    BOOST_TEST(::write(pair.far, "abc", 3) == 3);
    BOOST_TEST(run_until(*through, [&] { return through->in_flight() == 5; }));
    BOOST_TEST(::write(pair.far, "defgh", 5) == 5);
    BOOST_TEST(finish(*through));
    for (const counted& op : receives) {
        BOOST_TEST(op.result == 1);
    }
    std::string all(memory.data(), memory.size());
    if (Kind::kind == backend_kind::thread) {
        BOOST_TEST(all == "abcdefgh");
    }
    std::sort(all.begin(), all.end());
    BOOST_TEST(all == "abcdefgh");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_send_waits_for_room, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const socket_pair pair;
    std::vector<char> block(1 << 20, 'x');
    std::size_t sent = 0;
    for (;;) {
        const ssize_t count = ::send(pair.near, block.data(), block.size(), MSG_DONTWAIT);
        if (count < 0) {
            break;
        }
        sent += static_cast<std::size_t>(count);
    }
    one_buffer out(block.data(), 1000);
    counted send;
    send.prepare_send(pair.near, out.message, 0);
    through->submit(send);
    BOOST_TEST(through->run(through->now() + std::chrono::milliseconds(10)) == 0U);
    std::size_t received = 0;
    while (received < sent) {
        const ssize_t count = ::recv(pair.far, block.data(), block.size(), MSG_DONTWAIT);
        BOOST_TEST_REQUIRE(count > 0);
        received += static_cast<std::size_t>(count);
    }
    BOOST_TEST(finish(*through));
    BOOST_TEST(send.result == 1000);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(both_directions_wait_on_one_descriptor, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const socket_pair pair;
    std::vector<char> block(1 << 20, 'x');
    while (::send(pair.near, block.data(), block.size(), MSG_DONTWAIT) > 0) {
    }
    const auto drain = [&] {
        while (::recv(pair.far, block.data(), block.size(), MSG_DONTWAIT) > 0) {
        }
    };
    char byte = 0;
    one_buffer in(&byte, 1);
    std::string text = "abc";
    one_buffer out(text.data(), text.size());
    counted receive;
    counted send;
    // Either end first, either cancelled while the other waits on, and both at once.
    for (const int round : {0, 1, 2, 3}) {
        while (::send(pair.near, block.data(), block.size(), MSG_DONTWAIT) > 0) {
        }
        receive.prepare_receive(pair.near, in.message, 0);
        send.prepare_send(pair.near, out.message, 0);
        through->submit(round % 2 == 0 ? receive : send);
        through->run(time_point::min());
        through->submit(round % 2 == 0 ? send : receive);
        BOOST_TEST(through->run(through->now() + std::chrono::milliseconds(2)) == 0U);
        const int receives = receive.completions;
        const int sends = send.completions;
        if (round == 1) {
            through->cancel(send);
            BOOST_TEST(run_until(*through, [&] { return send.completions > sends; }));
            BOOST_TEST(send.result == -ECANCELED);
        } else if (round == 2) {
            through->cancel(receive);
            BOOST_TEST(run_until(*through, [&] { return receive.completions > receives; }));
            BOOST_TEST(receive.result == -ECANCELED);
        } else if (round == 3) {
            BOOST_TEST(::write(pair.far, "r", 1) == 1);
        }
        if (send.completions == sends) {
            drain();
            BOOST_TEST(run_until(*through, [&] { return send.completions > sends; }));
            BOOST_TEST(send.result == 3);
        }
        if (receive.completions == receives) {
            BOOST_TEST(through->in_flight() == 1U);
            BOOST_TEST(::write(pair.far, "r", 1) == 1);
            BOOST_TEST(run_until(*through, [&] { return receive.completions > receives; }));
        }
        BOOST_TEST(finish(*through));
        BOOST_TEST((receive.result == 1 || round == 2));
        drain();
        while (::recv(pair.near, &byte, 1, MSG_DONTWAIT) > 0) {
        }
    }
    BOOST_TEST(receive.completions == 4);
    BOOST_TEST(send.completions == 4);

    // One send after the other, while a receive waits on.
    receive.prepare_receive(pair.near, in.message, 0);
    through->submit(receive);
    for (int i = 0; i < 3; ++i) {
        while (::send(pair.near, block.data(), block.size(), MSG_DONTWAIT) > 0) {
        }
        send.prepare_send(pair.near, out.message, 0);
        through->submit(send);
        BOOST_TEST(through->run(through->now() + std::chrono::milliseconds(2)) == 0U);
        drain();
        BOOST_TEST(run_until(*through, [&] { return through->in_flight() == 1; }));
        BOOST_TEST(send.result == 3);
    }
    BOOST_TEST(receive.completions == 4);
    BOOST_TEST(::write(pair.far, "r", 1) == 1);
    BOOST_TEST(finish(*through));
    BOOST_TEST(receive.result == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(failures, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    counted op;
    {
        listener gone;
        gone.socket.reset();
        const descriptor client = make_socket();
        op.prepare_connect(client, gone.generic(), &gone.length);
        BOOST_TEST(perform(*through, op) == -ECONNREFUSED);
    }
    {
        // Without SIGPIPE, which would end this program.
        socket_pair pair;
        pair.far.reset();
        char byte = 'x';
        one_buffer out(&byte, 1);
        op.prepare_send(pair.near, out.message, 0);
        BOOST_TEST(perform(*through, op) == -EPIPE);
    }
    const pipe_pair pipe;
    char byte = 0;
    one_buffer in(&byte, 1);
    op.prepare_receive(pipe.reader, in.message, 0);
    BOOST_TEST(perform(*through, op) == -ENOTSOCK);
    op.prepare_accept(pipe.reader, nullptr, nullptr);
    BOOST_TEST(perform(*through, op) == -ENOTSOCK);
    op.prepare_shutdown(make_socket(), SHUT_RD);
    op.descriptor = -1;
    BOOST_TEST(perform(*through, op) == -EBADF);
    op.prepare_poll(-1, POLLIN);
    BOOST_TEST(perform(*through, op) == -EBADF);
    const descriptor unconnected = make_socket();
    op.prepare_shutdown(unconnected, SHUT_RD);
    BOOST_TEST(perform(*through, op) == -ENOTCONN);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(polls, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const descriptor regular(::open(scratch.patterned("f", 10).c_str(), O_RDONLY | O_CLOEXEC));
    counted op;
    op.prepare_poll(regular, POLLIN);
    BOOST_TEST(perform(*through, op) == POLLIN);

    const descriptor event(::eventfd(0, EFD_CLOEXEC));
    op.prepare_poll(event, POLLIN | POLLOUT);
    BOOST_TEST(perform(*through, op) == POLLOUT);

    // Each waits for its own event of the same descriptor.
    socket_pair pair;
    counted input;
    counted hang_up;
    input.prepare_poll(pair.near, POLLIN);
    hang_up.prepare_poll(pair.near, POLLRDHUP);
    through->submit(input);
    through->submit(hang_up);
    through->run(time_point::min());
    BOOST_TEST(::write(pair.far, "a", 1) == 1);
    BOOST_TEST(run_until(*through, [&] { return input.completions == 1; }));
    BOOST_TEST(input.result == POLLIN);
    BOOST_TEST(hang_up.completions == 0);
    pair.far.reset();
    BOOST_TEST(finish(*through));
    BOOST_TEST((hang_up.result & POLLRDHUP) != 0);

    pipe_pair pipe;
    counted error;
    error.prepare_poll(pipe.reader, 0);
    through->submit(error);
    through->run(time_point::min());
    pipe.writer.reset();
    BOOST_TEST(finish(*through));
    BOOST_TEST((error.result & POLLHUP) != 0);
}

BOOST_AUTO_TEST_SUITE_END()
