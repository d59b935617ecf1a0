// What answering costs at least on a ring: a server that parses nothing and looks nothing up.
//
// bare_ring_server FILE PORT LENGTH: whatever a peer on 127.0.0.1 sends, each receive is answered
// by LENGTH bytes from a random place of FILE, which is in memory. One thread, one receive a
// connection, heads made before. For comparisons by http.sh only.
#include <liburing.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>

namespace {

constexpr unsigned entries = 4096;

struct connection {
    int descriptor = -1;
    std::array<char, 4096> received{};
    std::array<iovec, 2> vectors{};
    msghdr message{};
};

enum class step : std::uintptr_t { accept = 0, receive = 1, send = 2 };

class server {
public:
    server(const char* file, std::uint16_t port, std::size_t length) : length_(length) {
        map(file);
        head_ = "HTTP/1.1 206 Partial Content\r\nContent-Length: " + std::to_string(length) +
                "\r\n\r\n";
        listen_on(port);
        io_uring_params options{};
        options.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
        if (io_uring_queue_init_params(entries, &ring_, &options) != 0) fail("io_uring_setup");
    }

    [[noreturn]] void run() {
        accept();
        for (;;) {
            io_uring_submit_and_wait(&ring_, 1);
            io_uring_cqe* done = nullptr;
            unsigned at = 0;
            unsigned count = 0;
            io_uring_for_each_cqe(&ring_, at, done) {
                complete(*done);
                ++count;
            }
            io_uring_cq_advance(&ring_, count);
        }
    }

private:
    [[noreturn]] static void fail(const char* what) {
        std::perror(what);
        std::exit(1);
    }

    void map(const char* file) {
        const int opened = ::open(file, O_RDONLY | O_CLOEXEC);
        struct stat found{};
        if (opened < 0 || ::fstat(opened, &found) != 0) fail(file);
        size_ = static_cast<std::size_t>(found.st_size);
        // In huge pages, as leat has them, and of its own.
        void* const made =
            ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (made == MAP_FAILED) fail("mmap");
        ::madvise(made, size_, MADV_HUGEPAGE);
        bytes_ = static_cast<char*>(made);
        for (std::size_t read = 0; read < size_;) {
            const ssize_t got = ::read(opened, bytes_ + read, size_ - read);
            if (got <= 0) fail("read");
            read += static_cast<std::size_t>(got);
        }
        ::close(opened);
    }

    void listen_on(std::uint16_t port) {
        listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int on = 1;
        ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        ::setsockopt(listener_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sockaddr_in here{};
        here.sin_family = AF_INET;
        here.sin_port = htons(port);
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::bind(listener_, reinterpret_cast<sockaddr*>(&here), sizeof here) != 0) fail("bind");
        if (::listen(listener_, SOMAXCONN) != 0) fail("listen");
    }

    io_uring_sqe& entry(connection* of, step next) {
        io_uring_sqe* made = io_uring_get_sqe(&ring_);
        while (made == nullptr) {
            io_uring_submit(&ring_);
            made = io_uring_get_sqe(&ring_);
        }
        made->user_data = reinterpret_cast<std::uintptr_t>(of) | static_cast<std::uintptr_t>(next);
        return *made;
    }
    void accept() {
        io_uring_sqe& made = entry(nullptr, step::accept);
        const std::uint64_t data = made.user_data;
        io_uring_prep_multishot_accept(&made, listener_, nullptr, nullptr, 0);
        made.user_data = data;
    }
    void receive(connection& from) {
        io_uring_sqe& made = entry(&from, step::receive);
        const std::uint64_t data = made.user_data;
        io_uring_prep_recv(&made, from.descriptor, from.received.data(), from.received.size(), 0);
        made.user_data = data;
    }
    void answer(connection& to) {
        const std::size_t first = random_() % (size_ - length_ + 1);
        to.vectors = {iovec{head_.data(), head_.size()}, iovec{bytes_ + first, length_}};
        to.message = {};
        to.message.msg_iov = to.vectors.data();
        to.message.msg_iovlen = to.vectors.size();
        io_uring_sqe& made = entry(&to, step::send);
        const std::uint64_t data = made.user_data;
        io_uring_prep_sendmsg(&made, to.descriptor, &to.message, MSG_WAITALL | MSG_NOSIGNAL);
        made.user_data = data;
    }
    void complete(const io_uring_cqe& done) {
        constexpr std::uintptr_t mask = 3;
        auto* const of = reinterpret_cast<connection*>(done.user_data & ~mask);
        switch (static_cast<step>(done.user_data & mask)) {
            case step::accept:
                if (done.res >= 0) {
                    auto made = std::make_unique<connection>();
                    made->descriptor = done.res;
                    receive(*made.release());  // freed when the peer closes
                }
                if ((done.flags & IORING_CQE_F_MORE) == 0) accept();
                break;
            case step::receive:
                if (done.res > 0) {
                    answer(*of);
                    receive(*of);
                } else {
                    ::close(of->descriptor);
                    delete of;
                }
                break;
            case step::send:
                break;
        }
    }

    std::size_t length_;
    char* bytes_ = nullptr;
    std::size_t size_ = 0;
    std::string head_;
    int listener_ = -1;
    io_uring ring_{};
    std::minstd_rand random_{1};
};

}  // namespace

int main(int count, char** words) {
    if (count != 4) {
        std::fputs("usage: bare_ring_server FILE PORT LENGTH\n", stderr);
        return 2;
    }
    server one{words[1], static_cast<std::uint16_t>(std::stoi(words[2])), std::stoul(words[3])};
    one.run();
}
