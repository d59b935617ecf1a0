// A kernel that refuses, lacks and interrupts.
#include "io_support.hpp"
#include "refusal.hpp"
#include "uring_backend.hpp"

#include <leat/io/file.hpp>

#include <deque>
#include <fstream>
#include <sstream>

BOOST_AUTO_TEST_SUITE(uring_fault_test)

using namespace leat::io;
using namespace leat::io::test;

namespace {

/// The descriptor of the only ring, or -1.
int find_ring() {
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code ignored;
        if (std::filesystem::read_symlink(entry, ignored) == "anon_inode:[io_uring]") {
            return std::stoi(entry.path().filename());
        }
    }
    return -1;
}

/// Whether the kernel keeps completions that found no room in the ring's queue.
bool overflown(int ring) {
    std::ifstream info("/proc/self/fdinfo/" + std::to_string(ring));
    std::stringstream text;
    text << info.rdbuf();
    const auto list = text.str().find("CqOverflowList:");
    return list != std::string::npos && text.str().find("user_data=", list) != std::string::npos;
}

/// Reads a file by many small reads of all kinds, with cancellations; tells whether each completed
/// exactly once, and well.
bool serves(backend& through, const std::string& path) {
    const descriptor in(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const pipe_pair pipe;
    std::vector<std::byte> memory(400 * 64);
    std::vector<counted> operations(500);
    for (std::size_t i = 0; i < operations.size(); ++i) {
        counted& op = operations[i];
        if (i < 400) {
            op.prepare_read(in, {memory.data() + i * 64, 64}, i * 64, -1);
            op.punt = i % 3 == 0;
        } else {
            op.prepare_poll(pipe.reader, POLLIN);
        }
        through.submit(op);
    }
    bool well = run_until(through, [&] { return through.in_flight() <= 100; });
    for (std::size_t i = 400; i < 500; i += 2) {
        through.cancel(operations[i]);
    }
    well = well && run_until(through, [&] { return through.in_flight() == 50; });
    std::thread([&] { through.wake(); }).join();
    well = well && through.run(time_point::max()) == 0;
    const time_point deadline = through.now() + std::chrono::milliseconds(1);
    well = well && through.run(deadline) == 0 && through.now() >= deadline;
    well = well && ::write(pipe.writer, "a", 1) == 1 && finish(through);
    for (std::size_t i = 0; i < operations.size(); ++i) {
        const int expected = i < 400 ? 64 : i % 2 == 0 ? -ECANCELED : POLLIN;
        well = well && operations[i].completions == 1 && operations[i].result == expected;
    }
    return well && patterned(memory.data(), 0, memory.size());
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_rung_of_the_ladder_serves) {
    if (!make<uring_kind>()) {
        return;
    }
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 65536);
    const std::array<std::string, 4> modes{"SINGLE_ISSUER|DEFER_TASKRUN", "COOP_TASKRUN",
                                           "no flags", ""};
    for (unsigned refusals = 0; refusals < modes.size(); ++refusals) {
        std::string mode;
        bool well = refusals == 3;
        const bool ran = with_decisions(
            SYS_io_uring_setup, [&](unsigned call) { return call < refusals ? EINVAL : 0; },
            [&] {
                const auto through = make<uring_kind>(16, 64);
                if (through) {
                    mode = through->statistics().mode;
                    well = serves(*through, path);
                }
            });
        if (!ran) {
            return;
        }
        BOOST_TEST(mode == modes[refusals]);
        BOOST_TEST(well, mode);
    }
}

BOOST_AUTO_TEST_CASE(where_memory_is_short_the_ring_is_smaller) {
    if (!make<uring_kind>()) {
        return;
    }
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 65536);
    // Not before it has been asked for a few times: memory may come back.
    for (const unsigned refusals : {0U, 1U, 4U, 5U, 8U}) {
        const unsigned calls = uring_backend::memory_retries + refusals;
        std::string mode;
        std::string note;
        bool well = false;
        const bool ran = with_decisions(
            SYS_io_uring_setup, [&](unsigned call) { return call < calls ? ENOMEM : 0; },
            [&] {
                const auto through = make_backend({backend_kind::automatic, 64, 2048}, note);
                mode = through->statistics().mode;
                well = through->statistics().name == "uring" && serves(*through, path);
            });
        if (!ran) {
            return;
        }
        // The completion queue first, to twice the submission queue; then both.
        const std::string size = ", " + std::to_string(2048 >> refusals) + " completions";
        BOOST_TEST((mode.find(size) != std::string::npos) == (refusals != 0), mode);
        BOOST_TEST((note.find("memlock") != std::string::npos) == (refusals != 0), note);
        BOOST_TEST(well, mode);
    }
    // The smallest one is refused, too: then it is threads, or an error that names the cause.
    std::string note;
    std::string name;
    with_refusal(SYS_io_uring_setup, ENOMEM, [&] {
        name = make_backend({backend_kind::automatic, 64, 2048}, note)->statistics().name;
    });
    BOOST_TEST(name == "thread");
    BOOST_TEST(note.find("memlock") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(who_waits_for_nothing_does_not_wait_for_a_disk) {
    if (!make<uring_kind>()) {
        return;
    }
    // A wait that says so fails here as on a kernel that does not know it, or for good.
    constexpr unsigned no_iowait = 1U << 7;
    for (const int error : {EINVAL, ENXIO}) {
        bool idle = false;
        bool waits_for_file = false;
        bool waits_again = false;
        std::thread([&] {
            filter_argument(SYS_io_uring_enter, 3, no_iowait, error);
            std::string note;
            const auto through = make_backend({backend_kind::uring}, note);
            const auto waits = [&] {
                try {
                    const time_point deadline = through->now() + std::chrono::milliseconds(2);
                    through->run(deadline);
                    return through->now() >= deadline;
                } catch (const boost::system::system_error&) {
                    return false;
                }
            };
            const pipe_pair pipe;
            std::array<std::byte, 1> memory{};
            counted read;
            read.prepare_read(pipe.reader, memory, 0, -1);
            through->submit(read);
            waits_for_file = waits();
            static_cast<void>(::write(pipe.writer, "a", 1));
            while (through->in_flight() != 0) {
                through->run(time_point::min());
            }
            idle = waits();
            waits_again = waits();
        }).join();
        BOOST_TEST(waits_for_file);
        BOOST_TEST(idle == (error == EINVAL));
        BOOST_TEST(waits_again == (error == EINVAL));
    }
}

BOOST_AUTO_TEST_CASE(ring_calls_that_fail_now_and_then) {
    if (!make<uring_kind>()) {
        return;
    }
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 65536);
    for (const int error : {EINTR, EAGAIN, EBUSY, ENOMEM}) {
        bool well = false;
        unsigned failed = 0;
        const bool ran = with_decisions(
            SYS_io_uring_enter,
            [&](unsigned call) {
                const bool fails = call % 5 > 1;
                failed += fails ? 1 : 0;
                return fails ? error : 0;
            },
            [&] {
                const auto through = make<uring_kind>(8, 16);
                well = serves(*through, path);
            });
        if (!ran) {
            return;
        }
        BOOST_TEST(well, "errno " << error);
        BOOST_TEST(failed > 20U);
    }
}

BOOST_AUTO_TEST_CASE(the_completion_queue_never_overflows) {
    static int ring;
    static bool overflow;
    static unsigned looks;
    const scratch_directory scratch;
    const descriptor in(::open(scratch.patterned("f", 65536).c_str(), O_RDONLY | O_CLOEXEC));
    std::vector<std::byte> memory(2000 * 32);
    const auto through = make<uring_kind>(16, 64);
    if (!through) {
        return;
    }
    overflow = false;
    looks = 0;
    const pipe_pair pipe;
    ring = find_ring();
    BOOST_TEST_REQUIRE(ring >= 0);
    std::vector<counted> operations(2000);
    for (std::size_t i = 0; i < operations.size(); ++i) {
        counted& op = operations[i];
        if (i % 2 == 0) {
            op.prepare_read(in, {memory.data() + i * 32, 32}, i * 32, -1);
            op.punt = i % 4 == 0;
        } else {
            op.prepare_poll(pipe.reader, POLLIN);
        }
        op.then = [](counted&) noexcept {
            if (++looks % 16 == 1) {
                overflow = overflow || overflown(ring);
            }
        };
        through->submit(op);
        if (i % 10 == 1) {
            through->cancel(op);
        }
    }
    // All that wait become ready at once, while cancellations are on their way.
    through->run(time_point::min());
    for (std::size_t i = 0; i < 60; ++i) {
        if (operations[i].completions == 0) {
            through->cancel(operations[i]);
        }
    }
    BOOST_TEST(::write(pipe.writer, "a", 1) == 1);
    BOOST_TEST(finish(*through));
    BOOST_TEST(!overflow);
    BOOST_TEST(looks == operations.size());
    for (std::size_t i = 0; i < operations.size(); ++i) {
        const int result = operations[i].result;
        const int expected = i % 2 == 0 ? 32 : POLLIN;
        BOOST_TEST_REQUIRE(operations[i].completions == 1);
        BOOST_TEST_REQUIRE(
            (result == expected || (result == -ECANCELED && (i % 10 == 1 || i < 60))));
    }
    BOOST_TEST(through->statistics().completed == operations.size());
    BOOST_TEST(through->statistics().deferred > 1000U);
}

BOOST_AUTO_TEST_CASE(a_ring_that_cannot_be_made_anew_is_closed_once) {
    const auto through = make<uring_kind>();
    if (!through) {
        return;
    }
    int thrown = 0;
    descriptor next;
    with_refusal(SYS_io_uring_setup, ENOMEM, [&] {
        for (int i = 0; i < 2; ++i) {
            try {
                through->run(time_point::min());
            } catch (const boost::system::system_error& error) {
                thrown += error.code() == leat::errc::no_backend ? 1 : 0;
            }
            if (i == 0) {
                next = descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));  // the ring's number
            }
        }
    });
    BOOST_TEST(thrown == 2);
    BOOST_TEST(::fcntl(next, F_GETFD) >= 0);
    // Where a ring can be made it serves after all.
    counted op;
    op.prepare_open(AT_FDCWD, "/", file::how_to_open(false));
    const descriptor opened(perform(*through, op));
    BOOST_TEST(opened >= 0);
}

BOOST_AUTO_TEST_CASE(a_refused_registration_is_an_error_and_no_more) {
    bool failed = false;
    bool serves = false;
    std::uint64_t failures = 0;
    if (!make<uring_kind>()) {
        return;
    }
    with_refusal(SYS_io_uring_register, ENOMEM, [&] {
        std::string note;
        const auto through = make_backend({backend_kind::uring}, note);
        std::array<std::byte, 4096> memory{};
        failed = through->register_buffer(0, memory) == boost::system::errc::not_enough_memory;
        failures = through->statistics().registration_failures;
        counted op;
        op.prepare_open(AT_FDCWD, "/", file::how_to_open(false));
        through->submit(op);
        serves = finish(*through);
        ::close(op.result);
    });
    BOOST_TEST(failed);
    BOOST_TEST(failures == 1U);
    BOOST_TEST(serves);
}

BOOST_AUTO_TEST_CASE(a_ring_that_refuses_to_enter_throws) {
    if (!make<uring_kind>()) {
        return;
    }
    int code = 0;
    with_refusal(SYS_io_uring_enter, EBADR, [&] {
        std::string note;
        const auto through = make_backend({backend_kind::uring}, note);
        try {
            through->run(time_point::max());
        } catch (const boost::system::system_error& error) {
            code = error.code().value();
        }
    });
    BOOST_TEST(code == EBADR);
}

BOOST_AUTO_TEST_CASE(busy_rings_give_up_at_the_deadline_and_lose_nothing) {
    if (!make<uring_kind>()) {
        return;
    }
    for (const int error : {EAGAIN, EBUSY, EINTR, ENOMEM}) {
        std::string note;
        bool waited = false;
        std::size_t owed = 0;
        with_refusal(SYS_io_uring_enter, error, [&] {
            // Abandoned on purpose, as an engine does with a ring that owes an operation.
            static auto& abandoned = *new std::vector<backend*>;
            static auto& owing = *new std::deque<std::array<counted, 40>>;
            backend* const through = make_backend({backend_kind::uring, 4, 8}, note).release();
            abandoned.push_back(through);
            for (counted& op : owing.emplace_back()) {
                op.prepare_poll(0, POLLIN);
                through->submit(op);
            }
            const time_point deadline = through->now() + std::chrono::milliseconds(5);
            waited = through->run(deadline) == 0 && through->now() >= deadline;
            owed = through->in_flight();
        });
        BOOST_TEST(waited, "errno " << error);
        BOOST_TEST(owed == 40U);
    }
}

BOOST_AUTO_TEST_SUITE_END()
