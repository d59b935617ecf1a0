// Makes listening sockets.
#include "listener.hpp"

#include "common/descriptor.hpp"
#include "common/unsent_bytes.hpp"
#include "port_owner.hpp"

#include <boost/asio/ip/address.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <utility>

namespace leat::serve {

namespace {

constexpr std::string_view scheme = "unix:";

// The kernel takes no more than net.core.somaxconn.
constexpr int backlog = 4096;

[[noreturn]] void fail(const std::string& address, const std::string& why) {
    throw std::runtime_error(address + ": " + why);
}

[[noreturn]] void fail_of_call(const std::string& address, int error) {
    std::string why = std::strerror(error);
    if (error == EACCES) why += "; ports below 1024 need the capability CAP_NET_BIND_SERVICE";
    if (error == EADDRNOTAVAIL) why += "; this machine has no such address";
    fail(address, why);
}

[[noreturn]] void fail_in_use(const std::string& address, const port_owner& owner) {
    std::string why = std::strerror(EADDRINUSE);
    if (owner.process == ::getpid()) fail(address, why + "; another address given covers it");
    why += "; another program listens there";
    if (owner.process != 0) why += ": " + owner.name + ", process " + std::to_string(owner.process);
    fail(address, why);
}

/// Waits for a moment, as long as there is hope: throws where somebody has the address, or nobody
/// has it for long.
template <class Address>
class wait_for_address {
public:
    wait_for_address(const std::string& text, const Address& address)
        : text_(text), address_(address) {}
    void operator()() const {
        const port_owner owner = owner_of(address_);
        if (owner.is_there || std::chrono::steady_clock::now() > end_) fail_in_use(text_, owner);
        std::this_thread::sleep_for(step);
    }

private:
    static constexpr std::chrono::milliseconds step{20};
    static constexpr std::chrono::seconds patience{2};
    const std::string& text_;
    const Address& address_;
    const std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now() + patience;
};

union any_address {
    sockaddr plain;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un path;
};

struct endpoint {
    any_address address{};
    socklen_t size = 0;
};

endpoint parse(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos)
        fail(text, "expected ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH, such as 127.0.0.1:8080");
    std::string host = text.substr(0, colon);
    const std::string_view port_text = std::string_view{text}.substr(colon + 1);
    std::uint16_t port = 0;
    const char* const end = port_text.data() + port_text.size();
    const auto [stopped, wrong] = std::from_chars(port_text.data(), end, port);
    if (wrong != std::errc{} || stopped != end)
        fail(text, '"' + std::string{port_text} + "\" is not a port; expected 0 to 65535");
    if (host.empty() || host == "*") host = "::";
    if (host == "localhost") host = "127.0.0.1";
    if (host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    boost::system::error_code unreadable;
    const auto address = boost::asio::ip::make_address(host, unreadable);
    if (unreadable) {
        fail(text,
             '"' + host +
                 "\" is not an address; expected numbers, such as 127.0.0.1 or [::1], or none "
                 "for every address");
    }
    endpoint result;
    if (address.is_v4()) {
        result.address.v4.sin_family = AF_INET;
        result.address.v4.sin_port = htons(port);
        result.address.v4.sin_addr.s_addr = htonl(address.to_v4().to_uint());
        result.size = sizeof result.address.v4;
    } else {
        result.address.v6.sin6_family = AF_INET6;
        result.address.v6.sin6_port = htons(port);
        const auto bytes = address.to_v6().to_bytes();
        std::memcpy(&result.address.v6.sin6_addr, bytes.data(), bytes.size());
        result.address.v6.sin6_scope_id = static_cast<std::uint32_t>(address.to_v6().scope_id());
        result.size = sizeof result.address.v6;
    }
    return result;
}

std::uint16_t& port_of(endpoint& of) {
    return of.address.plain.sa_family == AF_INET ? of.address.v4.sin_port : of.address.v6.sin6_port;
}

int make_socket(const std::string& text, int family) {
    const int made = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (made < 0) fail_of_call(text, errno);
    return made;
}

void set(int descriptor, int level, int name, int value) {
    ::setsockopt(descriptor, level, name, &value, sizeof value);
}

/// Bound, and able to share its address with others of the same kind.
apps::descriptor bind_shared(const std::string& text, const endpoint& where, bool share) {
    apps::descriptor made{make_socket(text, where.address.plain.sa_family)};
    set(made.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (share) set(made.get(), SOL_SOCKET, SO_REUSEPORT, 1);
    const wait_for_address wait{text, where.address.plain};
    while (::bind(made.get(), &where.address.plain, where.size) != 0) {
        if (errno != EADDRINUSE) fail_of_call(text, errno);
        wait();
    }
    return apps::descriptor{made.release()};
}

std::string text_of(const endpoint& of) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const bool v4 = of.address.plain.sa_family == AF_INET;
    const void* const bytes = v4 ? static_cast<const void*>(&of.address.v4.sin_addr)
                                 : static_cast<const void*>(&of.address.v6.sin6_addr);
    ::inet_ntop(of.address.plain.sa_family, bytes, text.data(), text.size());
    const std::string port = std::to_string(ntohs(port_of(const_cast<endpoint&>(of))));
    return v4 ? std::string{text.data()} + ':' + port
              : '[' + std::string{text.data()} + "]:" + port;
}

bool is_socket(const std::string& path) {
    struct stat found{};
    return ::lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode);
}

/// Whether nobody listens on a socket any more. One that may not be asked is somebody's server.
bool is_left_behind(const endpoint& where) {
    const apps::descriptor probe{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    return ::connect(probe.get(), &where.address.plain, where.size) != 0 && errno == ECONNREFUSED;
}

}  // namespace

listener::listener(const std::string& address, unsigned shards, std::optional<::mode_t> mode)
    : address_(address) {
    if (address.starts_with(scheme)) {
        listen_on_path(address.substr(scheme.size()), shards, mode);
    } else {
        listen_on_network(address, shards);
    }
}

listener::listener(int descriptor, unsigned shards) {
    int listens = 0;
    socklen_t size = sizeof listens;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0)
        throw std::runtime_error("descriptor " + std::to_string(descriptor) +
                                 ", which was passed on (LISTEN_FDS), is no socket that listens");
    endpoint here;
    here.size = sizeof here.address;
    ::getsockname(descriptor, &here.address.plain, &here.size);
    const bool network =
        here.address.plain.sa_family == AF_INET || here.address.plain.sa_family == AF_INET6;
    address_ = network ? text_of(here) : "unix:" + std::string{here.address.path.sun_path};
    if (network) {
        set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
        set(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, apps::most_unsent);
    }
    share(descriptor, shards);
}

listener::listener(listener&& other) noexcept
    : address_(std::move(other.address_)),
      path_(std::exchange(other.path_, {})),
      device_(other.device_),
      inode_(other.inode_),
      descriptors_(std::exchange(other.descriptors_, {})) {}

listener::~listener() {
    for (const int descriptor : descriptors_) {
        if (descriptor >= 0) ::close(descriptor);
    }
    // Another server may have taken the path meanwhile.
    struct stat found{};
    if (!path_.empty() && ::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ &&
        found.st_ino == inode_)
        ::unlink(path_.c_str());
}

std::string listener::normal(const std::string& address) {
    return address.starts_with(scheme) ? address : text_of(parse(address));
}

int listener::take(unsigned shard) noexcept {
    return std::exchange(descriptors_[shard], -1);
}

void listener::share(int descriptor, unsigned shards) {
    apps::descriptor first{descriptor};
    for (unsigned shard = 1; shard < shards; ++shard) {
        const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
        if (copy < 0) fail_of_call(address_, errno);
        descriptors_.push_back(copy);
    }
    descriptors_.push_back(first.release());
}

void listener::listen_on_path(const std::string& path,
                              unsigned shards,
                              std::optional<::mode_t> mode) {
    endpoint where;
    auto& at = where.address.path;
    at.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof at.sun_path)
        fail(address_,
             "a path is to have 1 to " + std::to_string(sizeof at.sun_path - 1) + " bytes");
    std::memcpy(at.sun_path, path.c_str(), path.size() + 1);
    where.size = sizeof at;
    apps::descriptor made{make_socket(address_, AF_UNIX)};
    // The path gets the permissions that the socket has before: at no time more than in the end.
    if (mode) ::fchmod(made.get(), *mode & S_IRWXU);
    const wait_for_address wait{address_, path};
    while (::bind(made.get(), &where.address.plain, where.size) != 0) {
        if (errno != EADDRINUSE) fail_of_call(address_, errno);
        if (!is_socket(path)) fail(address_, "a file is in the way");
        if (is_left_behind(where)) {
            ::unlink(path.c_str());  // by a process that was killed
        } else {
            wait();
        }
    }
    if (mode && ::chmod(path.c_str(), *mode) != 0) fail_of_call(address_, errno);
    path_ = path;
    struct stat made_file{};
    if (::lstat(path.c_str(), &made_file) == 0) {
        device_ = made_file.st_dev;
        inode_ = made_file.st_ino;
    }
    if (::listen(made.get(), backlog) != 0) fail_of_call(address_, errno);
    share(made.release(), shards);
}

void listener::listen_on_network(const std::string& text, unsigned shards) {
    endpoint where = parse(text);
    // Without sharing first: two servers that share an address would each get half of the requests.
    const bool any = port_of(where) == 0;
    apps::descriptor probe = bind_shared(text, where, any);
    if (any) {
        where.size = sizeof where.address;
        ::getsockname(probe.get(), &where.address.plain, &where.size);
    } else {
        ::close(probe.release());
    }
    for (unsigned shard = 0; shard < shards; ++shard) {
        apps::descriptor made = bind_shared(text, where, true);
        // Connections inherit both, which spares a call for each.
        set(made.get(), IPPROTO_TCP, TCP_NODELAY, 1);
        set(made.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, apps::most_unsent);
        if (::listen(made.get(), backlog) != 0) fail_of_call(text, errno);
        descriptors_.push_back(made.release());
    }
    address_ = text_of(where);
}

}  // namespace leat::serve
