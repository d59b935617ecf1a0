// What the tests of io share: backends by kind, operations that count, temporary files and sockets.
#pragma once

#ifndef BOOST_TEST_DYN_LINK
#define BOOST_TEST_DYN_LINK
#endif
#include <leat/io/backend.hpp>
#include <leat/io/error.hpp>

#include <boost/mpl/list.hpp>
#include <boost/system/system_error.hpp>
#include <boost/test/unit_test.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace leat::io::test {

struct uring_kind {
    static constexpr backend_kind kind = backend_kind::uring;
};
struct thread_kind {
    static constexpr backend_kind kind = backend_kind::thread;
};
using kinds = boost::mpl::list<uring_kind, thread_kind>;

/// A backend of a kind, or null where io_uring is refused: the test then has nothing to show.
template <typename Kind>
std::unique_ptr<backend> make(unsigned entries = 64, unsigned completions = 256) {
    std::string note;
    try {
        return make_backend({Kind::kind, entries, completions, 2}, note);
    } catch (const boost::system::system_error& error) {
        BOOST_TEST_MESSAGE("skipped: " << error.what());
        return nullptr;
    }
}

/// An operation that counts its completions and does something at each, if told.
struct counted : operation {
    counted() { on_complete = &counted::done; }

    static void done(operation& op) noexcept {
        auto& self = static_cast<counted&>(op);
        ++self.completions;
        if (self.then != nullptr) {
            self.then(self);
        }
    }

    int completions = 0;
    void (*then)(counted&) noexcept = nullptr;
    void* context = nullptr;
};

/// Runs until `finished()` or ten seconds have passed; tells which.
template <typename Predicate>
bool run_until(backend& through, Predicate finished) {
    const time_point limit = through.now() + std::chrono::seconds(10);
    while (!finished()) {
        if (through.now() >= limit) {
            return false;
        }
        through.run(limit);
    }
    return true;
}

inline bool finish(backend& through) {
    return run_until(through, [&] { return through.in_flight() == 0; });
}

/// Submits, runs to the end and returns the result.
inline int perform(backend& through, counted& op) {
    const int before = op.completions;
    through.submit(op);
    BOOST_TEST_REQUIRE(run_until(through, [&] { return op.completions > before; }));
    return op.result;
}

class descriptor {
public:
    explicit descriptor(int number = -1) noexcept : number_(number) {}
    descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    descriptor& operator=(descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~descriptor() { reset(); }
    void reset() noexcept {
        if (number_ >= 0) {
            ::close(std::exchange(number_, -1));
        }
    }
    operator int() const noexcept { return number_; }

private:
    int number_;
};

/// The byte that a patterned file has at an offset.
inline std::byte pattern(std::uint64_t offset) {
    return static_cast<std::byte>((offset * 0x9E3779B97F4A7C15U) >> 56);
}

/// A directory that is removed at the end; on a file system that takes O_DIRECT, as a rule.
class scratch_directory {
public:
    scratch_directory() {
        const char* const base = std::getenv("LEAT_TEST_DIRECTORY");
        std::string name =
            (base != nullptr ? std::string(base) : std::string("/var/tmp")) + "/leat-XXXXXX";
        BOOST_TEST_REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    scratch_directory(const scratch_directory&) = delete;
    scratch_directory& operator=(const scratch_directory&) = delete;
    ~scratch_directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] std::string operator/(const std::string& name) const {
        return path_ + "/" + name;
    }
    [[nodiscard]] const std::string& path() const { return path_; }

    /// A file of `size` patterned bytes.
    std::string patterned(const std::string& name, std::size_t size) const {
        std::vector<std::byte> bytes(size);
        for (std::size_t i = 0; i < size; ++i) {
            bytes[i] = pattern(i);
        }
        const std::string at = *this / name;
        const descriptor out(::open(at.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        BOOST_TEST_REQUIRE(::write(out, bytes.data(), size) == static_cast<ssize_t>(size));
        BOOST_TEST_REQUIRE(::fsync(out) == 0);
        return at;
    }

private:
    std::string path_;
};

inline bool patterned(const std::byte* data, std::uint64_t offset, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) {
        if (data[i] != pattern(offset + i)) {
            return false;
        }
    }
    return true;
}

struct socket_pair {
    socket_pair() {
        std::array<int, 2> made{};
        BOOST_TEST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, made.data()) == 0);
        near = descriptor(made[0]);
        far = descriptor(made[1]);
    }
    descriptor near;
    descriptor far;
};

struct pipe_pair {
    pipe_pair() {
        std::array<int, 2> made{};
        BOOST_TEST_REQUIRE(::pipe2(made.data(), O_CLOEXEC) == 0);
        reader = descriptor(made[0]);
        writer = descriptor(made[1]);
    }
    descriptor reader;
    descriptor writer;
};

/// A socket that listens on a port of 127.0.0.1.
struct listener {
    explicit listener(int type_flags = 0)
        : socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | type_flags, 0)) {
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        BOOST_TEST_REQUIRE(::bind(socket, generic, length) == 0);
        BOOST_TEST_REQUIRE(::listen(socket, 64) == 0);
        BOOST_TEST_REQUIRE(::getsockname(socket, generic, &length) == 0);
    }
    sockaddr* generic() { return reinterpret_cast<sockaddr*>(&address); }

    descriptor socket;
    sockaddr_in address{};
    socklen_t length = sizeof(sockaddr_in);
};

/// A message of one buffer.
struct one_buffer {
    explicit one_buffer(void* data, std::size_t size) : vector{data, size} {
        message.msg_iov = &vector;
        message.msg_iovlen = 1;
    }
    iovec vector;
    msghdr message{};
};

}  // namespace leat::io::test
