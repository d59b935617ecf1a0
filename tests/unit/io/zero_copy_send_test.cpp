// Sends whose memory the kernel reads later.
#include "io_support.hpp"

#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <thread>

BOOST_AUTO_TEST_SUITE(zero_copy_send_test)

using namespace leat::io;
using namespace leat::io::test;

namespace {

/// Two ends of a connection over loopback.
struct connection {
    connection() {
        listener listening;
        near = descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        BOOST_TEST_REQUIRE(::connect(near, listening.generic(), listening.length) == 0);
        far = descriptor(::accept4(listening.socket, nullptr, nullptr, SOCK_CLOEXEC));
        BOOST_TEST_REQUIRE(far >= 0);
    }
    descriptor near;
    descriptor far;
};

std::vector<std::byte> patterned_bytes(std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) {
        bytes[i] = pattern(i);
    }
    return bytes;
}

/// Receives `size` bytes, for at most ten seconds; how many of them are as they should be.
std::size_t receive(int from, std::size_t size) {
    const timeval limit{10, 0};
    ::setsockopt(from, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    std::vector<std::byte> bytes(size);
    const ssize_t got = ::recv(from, bytes.data(), size, MSG_WAITALL);
    const bool right = got > 0 && patterned(bytes.data(), 0, static_cast<std::size_t>(got));
    return right ? static_cast<std::size_t>(got) : 0;
}

void check_counts(const backend& through, std::uint64_t sends, std::uint64_t refused) {
    const backend_statistics counts = through.statistics();
    if (counts.name == "uring") {
        BOOST_TEST(counts.zero_copy_sends == sends);
        BOOST_TEST(counts.zero_copy_copied <= sends);
        BOOST_TEST(counts.zero_copy_refused == refused);
        BOOST_TEST(counts.overflows == 0U);
    } else {
        BOOST_TEST(counts.zero_copy_sends == 0U);
        BOOST_TEST(counts.zero_copy_refused == sends + refused);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(it_sends_what_it_was_given, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const connection both;
    std::vector<std::byte> bytes = patterned_bytes(100'000);
    one_buffer whole(bytes.data(), bytes.size());
    counted op;
    op.prepare_send_zero_copy(both.near, whole.message, 0);
    BOOST_TEST(op.zero_copy);
    BOOST_TEST(perform(*through, op) == 100'000);
    BOOST_TEST(op.zero_copy == (Kind::kind == backend_kind::uring));
    BOOST_TEST(receive(both.far, bytes.size()) == bytes.size());

    std::array<iovec, 3> pieces{
        {{bytes.data(), 10}, {bytes.data() + 10, 40'000}, {bytes.data() + 40'010, 9'990}}};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    op.prepare_send_zero_copy(both.near, message, MSG_DONTWAIT);
    BOOST_TEST(perform(*through, op) == 50'000);
    BOOST_TEST(receive(both.far, 50'000) == 50'000U);

    // A plain send after it is plain.
    op.prepare_send(both.near, whole.message, 0);
    BOOST_TEST(perform(*through, op) == 100'000);
    BOOST_TEST(receive(both.far, bytes.size()) == bytes.size());
    check_counts(*through, 2, 0);
    BOOST_TEST(through->in_flight() == 0U);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(from_a_registered_buffer, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    constexpr std::size_t size = 1 << 16;
    void* const mapped =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const std::span memory(static_cast<std::byte*>(mapped), size);
    std::ranges::copy(patterned_bytes(size - 8), memory.begin() + 8);
    const bool registered = !through->register_buffer(5, memory);
    const connection both;
    one_buffer part(memory.data() + 8, 50'000);
    counted op;
    op.prepare_send_zero_copy(both.near, part.message, 0, registered ? 5 : -1);
    BOOST_TEST(perform(*through, op) == 50'000);
    BOOST_TEST(receive(both.far, 50'000) == 50'000U);
    check_counts(*through, 1, 0);
    if (registered) {
        // Outside of it.
        std::byte elsewhere{};
        one_buffer other(&elsewhere, 1);
        op.prepare_send_zero_copy(both.near, other.message, 0, 5);
        BOOST_TEST(perform(*through, op) == -EFAULT);
        BOOST_TEST(!through->register_buffer(5, {}));
    }
    ::munmap(mapped, size);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_socket_that_cannot_sends_all_the_same, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const socket_pair pair;
    std::vector<std::byte> bytes = patterned_bytes(1000);
    one_buffer whole(bytes.data(), bytes.size());
    counted op;
    op.prepare_send_zero_copy(pair.near, whole.message, 0);
    BOOST_TEST(perform(*through, op) == 1000);
    BOOST_TEST(!op.zero_copy);
    BOOST_TEST(receive(pair.far, 1000) == 1000U);
    check_counts(*through, 0, 1);
}

namespace {

/// Has the process's limit of locked memory hold for it.
bool be_ordinary() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> capabilities{};
    if (::syscall(SYS_capget, &header, capabilities.data()) != 0) {
        return false;
    }
    capabilities[0].effective &= ~(1U << CAP_IPC_LOCK);
    capabilities[0].permitted &= ~(1U << CAP_IPC_LOCK);
    return ::syscall(SYS_capset, &header, capabilities.data()) == 0;
}

/// Sends from memory that must not be locked. Returns 0, or the number of what went wrong.
int send_from_memory_that_cannot_be_locked(int from, int to) {
    const bool ordinary = be_ordinary();
    const auto through = make<uring_kind>();
    const rlimit none{0, 0};  // but for the ring's own
    if (!ordinary || !through || ::setrlimit(RLIMIT_MEMLOCK, &none) != 0) {
        return 1;
    }
    std::vector<std::byte> bytes = patterned_bytes(50'000);
    one_buffer whole(bytes.data(), bytes.size());
    for (int round = 0; round < 3; ++round) {
        counted op;
        op.prepare_send_zero_copy(from, whole.message, 0);
        through->submit(op);
        if (!finish(*through) || op.completions != 1 || op.result != 50'000) {
            return 2;
        }
        if (receive(to, bytes.size()) != bytes.size()) {
            return 3;
        }
    }
    // Not every kernel counts such memory: then nothing is refused.
    const backend_statistics counts = through->statistics();
    return counts.zero_copy_sends + counts.zero_copy_refused == 3 ? 0 : 4;
}

}  // namespace

BOOST_AUTO_TEST_CASE(where_no_memory_may_be_locked_it_sends_all_the_same) {
    if (!make<uring_kind>()) {
        return;
    }
    const connection both;
    // In a child, whose limit it is. Nothing of the test library runs there.
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(send_from_memory_that_cannot_be_locked(both.near, both.far));
    }
    int status = -1;
    BOOST_TEST(::waitpid(child, &status, 0) == child);
    BOOST_TEST(status == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(many_at_once_in_a_small_ring, Kind, kinds) {
    const auto through = make<Kind>(4, 8);
    if (!through) {
        return;
    }
    constexpr std::size_t count = 50;
    std::vector<connection> all(count);
    std::vector<std::byte> bytes = patterned_bytes(20'000);
    std::vector<one_buffer> buffers;
    std::vector<counted> sends(count);
    for (std::size_t i = 0; i < count; ++i) {
        buffers.emplace_back(bytes.data(), bytes.size());
    }
    for (std::size_t i = 0; i < count; ++i) {
        buffers[i].message.msg_iov = &buffers[i].vector;
        sends[i].prepare_send_zero_copy(all[i].near, buffers[i].message, 0);
        through->submit(sends[i]);
    }
    BOOST_TEST(finish(*through));
    for (std::size_t i = 0; i < count; ++i) {
        BOOST_TEST(sends[i].completions == 1);
        BOOST_TEST(sends[i].result == 20'000);
        BOOST_TEST(receive(all[i].far, bytes.size()) == bytes.size());
    }
    check_counts(*through, count, 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(it_completes_once_whatever_happens, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    std::vector<std::byte> bytes = patterned_bytes(1 << 20);
    one_buffer whole(bytes.data(), bytes.size());
    for (int round = 0; round < 40; ++round) {
        connection both;
        while (::send(both.near, bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) {
        }
        counted op;
        op.prepare_send_zero_copy(both.near, whole.message, 0);
        through->submit(op);
        if (round % 2 == 0) {
            through->run(time_point::min());
        }
        BOOST_TEST(op.completions == 0);
        // Cancelled, or the peer goes away, or both.
        if (round % 4 < 2) {
            through->cancel(op);
        }
        if (round % 4 > 0) {
            const linger abrupt{1, 0};
            ::setsockopt(both.far, SOL_SOCKET, SO_LINGER, &abrupt, sizeof abrupt);
            both.far.reset();
        }
        BOOST_TEST_REQUIRE(finish(*through));
        BOOST_TEST(op.completions == 1);
        BOOST_TEST(op.result < 0);
        if (round % 4 == 0) {
            BOOST_TEST(op.result == -ECANCELED);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
