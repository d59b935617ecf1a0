// Speaks the service manager's protocol: sd_listen_fds(3) and sd_notify(3).
#include "service_manager.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>

namespace leat::serve {

namespace {

long number_in(const char* variable) {
    const char* const text = std::getenv(variable);
    return text == nullptr ? 0 : std::strtol(text, nullptr, 10);
}

}  // namespace

std::vector<int> passed_sockets() {
    constexpr int first = 3;  // where the protocol puts them
    std::vector<int> sockets;
    const long count = number_in("LISTEN_PID") == ::getpid() ? number_in("LISTEN_FDS") : 0;
    for (int at = first; at < first + count; ++at) {
        if (::fcntl(at, F_SETFD, FD_CLOEXEC) == 0) sockets.push_back(at);
    }
    for (const char* const variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"})
        ::unsetenv(variable);
    return sockets;
}

void notify(std::string_view state) noexcept {
    const char* const path = std::getenv("NOTIFY_SOCKET");
    sockaddr_un manager{};
    if (path == nullptr || *path == '\0') return;
    const std::size_t length = std::strlen(path);
    if (length >= sizeof manager.sun_path) return;
    manager.sun_family = AF_UNIX;
    std::memcpy(manager.sun_path, path, length);
    if (*path == '@') manager.sun_path[0] = '\0';  // an abstract name
    const int sender = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sender < 0) return;
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
    ::sendto(sender, state.data(), state.size(), MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&manager), size);
    ::close(sender);
}

void notify_reloading() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    char text[64];
    const int size =
        std::snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld",
                      static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1000);
    notify({text, static_cast<std::size_t>(size)});
}

}  // namespace leat::serve
