#define BOOST_TEST_MODULE leat io uring backend
#include "io_support.hpp"

#include <leat/io/file.hpp>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>

using namespace leat::io;
using namespace leat::io::test;

namespace {

/// Runs `what` on a thread of which one system call fails with `error`.
void with_refusal(unsigned call, int error, const std::function<void()>& what) {
    std::thread([&] {
        std::array<sock_filter, 4> program{{
            BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
            BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
            BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        }};
        const sock_fprog filter{program.size(), program.data()};
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
        what();
    }).join();
}

struct outcome {
    std::string demanded;  ///< what() of a demanded io_uring
    bool no_backend = false;
    std::string fallback;  ///< the name of what automatic gives
    std::string note;
    bool serves = false;
};

outcome refused(int error) {
    outcome out;
    with_refusal(SYS_io_uring_setup, error, [&] {
        try {
            std::string note;
            static_cast<void>(make_backend({backend_kind::uring}, note));
        } catch (const boost::system::system_error& refusal) {
            out.demanded = refusal.what();
            out.no_backend = refusal.code() == leat::errc::no_backend;
        }
        const auto through = make_backend({}, out.note);
        out.fallback = through->statistics().name;
        counted op;
        op.prepare_open(AT_FDCWD, "/", file::how_to_open(false));
        through->submit(op);
        out.serves = finish(*through) && op.result >= 0;
        ::close(op.result);
    });
    return out;
}

bool says(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_refusal_names_its_likely_cause) {
    for (const int error : {EPERM, ENOSYS, EACCES}) {
        const outcome out = refused(error);
        BOOST_TEST(out.no_backend);
        BOOST_TEST(says(out.demanded, "seccomp"), out.demanded);
        BOOST_TEST(says(out.demanded, "kernel.io_uring_disabled"), out.demanded);
        BOOST_TEST(out.fallback == "thread");
        BOOST_TEST(says(out.note, "seccomp"), out.note);
        BOOST_TEST(out.serves);
    }
    BOOST_TEST(says(refused(ENOMEM).demanded, "memlock"));
    BOOST_TEST(says(refused(EINVAL).demanded, "too old"));
    BOOST_TEST(refused(EMFILE).serves);
}

BOOST_AUTO_TEST_CASE(automatic_takes_io_uring_where_it_can) {
    if (!make<uring_kind>()) {
        return;
    }
    std::string note = "old";
    const auto through = make_backend({}, note);
    BOOST_TEST(note.empty());
    BOOST_TEST(through->statistics().name == "uring");
    BOOST_TEST(!through->statistics().mode.empty());
    BOOST_TEST_MESSAGE("mode: " << through->statistics().mode);
    BOOST_TEST(make<thread_kind>()->statistics().name == "thread");
}

BOOST_AUTO_TEST_CASE(registered_buffers) {
    const auto through = make<uring_kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const descriptor in(::open(scratch.patterned("f", 8192).c_str(), O_RDONLY | O_CLOEXEC));
    constexpr std::size_t size = 65536;
    void* const mapped =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const std::span memory(static_cast<std::byte*>(mapped), size);
    BOOST_TEST(!through->register_buffer(3, {}));
    BOOST_TEST_REQUIRE(!through->register_buffer(3, memory));
    BOOST_TEST(through->statistics().registered == size);
    counted op;
    op.prepare_read(in, memory.subspan(100, 5000), 7, 3);
    BOOST_TEST(perform(*through, op) == 5000);
    BOOST_TEST(patterned(memory.data() + 100, 7, 5000));

    // Outside of the buffer, or by an index that holds none.
    std::array<std::byte, 16> elsewhere{};
    op.prepare_read(in, elsewhere, 0, 3);
    BOOST_TEST(perform(*through, op) == -EFAULT);
    BOOST_TEST(!through->register_buffer(3, {}));
    BOOST_TEST(through->statistics().registered == 0U);
    op.prepare_read(in, memory.first(10), 0, 3);
    BOOST_TEST(perform(*through, op) == -EFAULT);

    BOOST_TEST(through->statistics().registration_failures == 0U);
    BOOST_TEST(through->register_buffer(backend::maximum_buffers, memory).failed());
    const std::span absurd(memory.data(), (std::size_t{1} << 30) + 1);
    BOOST_TEST(through->register_buffer(0, absurd).failed());
    BOOST_TEST(through->statistics().registration_failures == 2U);
    ::munmap(mapped, size);
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
