// Cancelling operations, on every backend.
#include "io_support.hpp"

#include <leat/io/file.hpp>

#include <poll.h>

#include <csignal>

BOOST_AUTO_TEST_SUITE(backend_cancel_test)

using namespace leat::io;
using namespace leat::io::test;

BOOST_AUTO_TEST_CASE_TEMPLATE(cancel_before_run, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const socket_pair pair;
    std::array<char, 8> memory{};
    one_buffer buffer(memory.data(), memory.size());
    counted receive;
    receive.prepare_receive(pair.near, buffer.message, 0);
    counted open;
    open.prepare_open(AT_FDCWD, "/", file::how_to_open(false));
    through->cancel(open);  // idle: no effect
    for (counted* op : {&receive, &open}) {
        through->submit(*op);
        through->cancel(*op);
        through->cancel(*op);
        BOOST_TEST(op->completions == 0);
    }
    BOOST_TEST(through->run(time_point::max()) == 2U);
    for (const counted* op : {&receive, &open}) {
        BOOST_TEST(op->completions == 1);
        BOOST_TEST(op->result == -ECANCELED);
    }
    through->run(time_point::min());
    BOOST_TEST(receive.completions == 1);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(cancel_what_the_kernel_has, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const socket_pair pair;
    const pipe_pair pipe;
    listener listening;
    std::array<char, 8> memory{};
    std::array<std::byte, 8> bytes{};
    one_buffer buffer(memory.data(), memory.size());
    std::array<counted, 5> operations;
    operations[0].prepare_receive(pair.near, buffer.message, 0);
    operations[1].prepare_poll(pipe.reader, POLLIN);
    operations[2].prepare_accept(listening.socket, nullptr, nullptr);
    operations[3].prepare_accept(listening.socket, nullptr, nullptr);
    operations[4].prepare_read(pipe.reader, bytes, 0, -1);
    for (counted& op : operations) {
        through->submit(op);
    }
    BOOST_TEST(through->run(through->now() + std::chrono::milliseconds(20)) == 0U);
    BOOST_TEST(through->owed().find("2 accepts of descriptor ") != std::string::npos,
               through->owed());
    for (counted& op : operations) {
        through->cancel(op);
    }
    BOOST_TEST(finish(*through));
    for (const counted& op : operations) {
        BOOST_TEST(op.completions == 1);
        BOOST_TEST(op.result == -ECANCELED);
    }
    // The descriptors serve on.
    counted again;
    again.prepare_read(pipe.reader, bytes, 0, -1);
    through->submit(again);
    through->run(time_point::min());
    BOOST_TEST(::write(pipe.writer, "abc", 3) == 3);
    BOOST_TEST(finish(*through));
    BOOST_TEST(again.result == 3);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(completions_may_submit_and_cancel, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    struct state {
        backend* through;
        counted* other;
    };
    const pipe_pair pipe;
    BOOST_TEST(::write(pipe.writer, "a", 1) == 1);
    counted first;
    counted second;
    state at_first{through.get(), &second};
    state at_second{through.get(), &first};
    first.context = &at_first;
    second.context = &at_second;
    // Both are ready at once: each cancels the other, and runs a hundred times.
    const auto again = [](counted& op) noexcept {
        auto& at = *static_cast<state*>(op.context);
        at.through->cancel(*at.other);
        if (op.completions < 100) {
            op.prepare_poll(op.descriptor, POLLIN);
            at.through->submit(op);
        }
    };
    first.then = again;
    second.then = again;
    first.prepare_poll(pipe.reader, POLLIN);
    second.prepare_poll(pipe.reader, POLLIN);
    through->submit(first);
    through->submit(second);
    BOOST_TEST(finish(*through));
    BOOST_TEST(first.completions == 100);
    BOOST_TEST(second.completions == 100);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_cancellation_races_a_completion, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const socket_pair pair;
    char byte = 0;
    one_buffer buffer(&byte, 1);
    int received = 0;
    int cancelled = 0;
    for (int i = 0; i < 3000; ++i) {
        counted op;
        op.prepare_receive(pair.near, buffer.message, 0);
        through->submit(op);
        for (int turns = i % 3; turns > 0; --turns) {
            through->run(time_point::min());
        }
        if (i % 2 == 0) {
            BOOST_TEST_REQUIRE(::write(pair.far, "a", 1) == 1);
        }
        if (i % 5 == 0) {
            through->run(time_point::min());
        }
        if (op.completions == 0) {
            through->cancel(op);
        }
        if (i % 7 == 0) {
            through->run(time_point::min());
            through->cancel(op);  // once more, or idle
        }
        if (i % 2 != 0) {
            BOOST_TEST_REQUIRE(::write(pair.far, "b", 1) == 1);
        }
        BOOST_TEST_REQUIRE(finish(*through));
        BOOST_TEST_REQUIRE(op.completions == 1);
        BOOST_TEST_REQUIRE((op.result == 1 || op.result == -ECANCELED));
        // A cancelled receive has taken nothing.
        (op.result == 1 ? received : cancelled) += 1;
        BOOST_TEST_REQUIRE(::recv(pair.near, &byte, 1, MSG_DONTWAIT) == (op.result == 1 ? -1 : 1));
    }
    BOOST_TEST(received > 0);
    BOOST_TEST(cancelled > 0);
    BOOST_TEST(through->owed() == "nothing");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(cancelled_reads_of_files, Kind, kinds) {
    const auto through = make<Kind>(8, 16);
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const descriptor in(::open(scratch.patterned("f", 65536).c_str(), O_RDONLY | O_CLOEXEC));
    std::vector<std::byte> memory(200 * 256);
    for (unsigned round = 0; round < 10; ++round) {
        std::vector<counted> reads(200);
        for (std::size_t i = 0; i < reads.size(); ++i) {
            reads[i].prepare_read(in, {memory.data() + i * 256, 256}, i * 256, -1);
            reads[i].punt = i % 2 == 0;
            through->submit(reads[i]);
        }
        for (unsigned turn = 0; turn < round; ++turn) {
            through->run(time_point::min());
        }
        for (std::size_t i = round; i < reads.size(); i += 3) {
            through->cancel(reads[i]);
        }
        BOOST_TEST_REQUIRE(finish(*through));
        for (std::size_t i = 0; i < reads.size(); ++i) {
            BOOST_TEST_REQUIRE(reads[i].completions == 1);
            const bool asked = i >= round && (i - round) % 3 == 0;
            BOOST_TEST_REQUIRE(
                (reads[i].result == 256 || (asked && reads[i].result == -ECANCELED)));
            if (reads[i].result == 256) {
                BOOST_TEST_REQUIRE(patterned(memory.data() + i * 256, i * 256, 256));
            }
        }
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_open_that_a_lease_delays, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 10);
    const descriptor holder(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    const auto before = std::signal(SIGIO, SIG_IGN);  // says that somebody wants the file
    if (::fcntl(holder, F_SETLEASE, F_WRLCK) != 0) {
        BOOST_TEST_MESSAGE("skipped: no leases here");
        return;
    }
    counted op;
    op.prepare_open(AT_FDCWD, path.c_str(), file::how_to_open(false));
    through->submit(op);
    BOOST_TEST(through->run(through->now() + std::chrono::milliseconds(5)) == 0U);
    BOOST_TEST(run_until(*through, [&] { return through->statistics().retries > 0; }));
    through->cancel(op);
    BOOST_TEST(finish(*through));
    BOOST_TEST(op.completions == 1);
    BOOST_TEST(op.result == -ECANCELED);

    op.prepare_open(AT_FDCWD, path.c_str(), file::how_to_open(false));
    through->submit(op);
    BOOST_TEST(through->run(through->now() + std::chrono::milliseconds(5)) == 0U);
    BOOST_TEST(::fcntl(holder, F_SETLEASE, F_UNLCK) == 0);
    BOOST_TEST(finish(*through));
    const descriptor opened(op.result);
    BOOST_TEST(opened >= 0);
    std::signal(SIGIO, before);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_open_that_waits_for_a_writer, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const std::string path = scratch / "fifo";
    BOOST_TEST_REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC;
    counted op;
    op.prepare_open(AT_FDCWD, path.c_str(), how);
    op.punt = true;
    through->submit(op);
    BOOST_TEST(through->run(through->now() + std::chrono::milliseconds(10)) == 0U);
    through->cancel(op);
    through->run(through->now() + std::chrono::milliseconds(10));
    // A thread cannot be called back from its system call; it ends with the descriptor.
    const descriptor writer(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    BOOST_TEST(finish(*through));
    BOOST_TEST(op.completions == 1);
    const descriptor opened(op.result);
    BOOST_TEST((opened >= 0 || opened == -ECANCELED));
    if (Kind::kind == backend_kind::uring) {
        BOOST_TEST(op.result == -ECANCELED);
    }
}

BOOST_AUTO_TEST_SUITE_END()
