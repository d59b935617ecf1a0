// Reads the kernel's tables of sockets, and looks for whose they are.
#include "port_owner.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>

namespace leat::serve {

namespace {

namespace fs = std::filesystem;

/// Sockets that listen.
struct sockets {
    std::set<std::string> links;  ///< as /proc/PID/fd shows them
    bool foreign = false;         ///< some of them are another user's
};

void add(sockets& to, const std::string& inode, unsigned long user) {
    to.links.insert("socket:[" + inode + ']');
    to.foreign = to.foreign || (::geteuid() != 0 && user != ::geteuid());
}

/// As /proc/net/tcp and tcp6 write an address: words as they lie in memory.
std::string in_table(const ::sockaddr& address, std::uint16_t& port) {
    std::array<std::uint32_t, 4> words{};
    std::size_t count = 1;
    if (address.sa_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
        words[0] = v4.sin_addr.s_addr;
        port = ntohs(v4.sin_port);
    } else {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        std::memcpy(words.data(), &v6.sin6_addr, sizeof words);
        count = words.size();
        port = ntohs(v6.sin6_port);
    }
    std::string text;
    for (std::size_t at = 0; at < count; ++at) {
        std::array<char, 16> word{};
        std::snprintf(word.data(), word.size(), "%08X", words[at]);
        text += word.data();
    }
    return text;
}

bool is_any(std::string_view address) {
    return std::ranges::all_of(address, [](char one) { return one == '0'; });
}

void read_tcp(const char* table, std::string_view address, std::uint16_t port, sockets& found) {
    constexpr std::string_view listens = "0A";
    std::ifstream rows{table};
    std::string row;
    std::getline(rows, row);  // what the columns are
    while (std::getline(rows, row)) {
        std::istringstream fields{row};
        std::string skipped, local, state, inode;
        unsigned long user = 0;
        fields >> skipped >> local >> skipped >> state >> skipped >> skipped >> skipped >> user >>
            skipped >> inode;
        const std::size_t colon = local.find(':');
        if (!fields || state != listens || colon == local.npos) continue;
        unsigned number = 0;
        std::from_chars(local.data() + colon + 1, local.data() + local.size(), number, 16);
        const std::string_view there = std::string_view{local}.substr(0, colon);
        if (number == port && (there == address || is_any(there) || is_any(address)))
            add(found, inode, user);
    }
}

void read_unix(const std::string& path, sockets& found) {
    std::ifstream rows{"/proc/net/unix"};
    std::string row;
    while (std::getline(rows, row)) {
        std::istringstream fields{row};
        std::string skipped, inode, name;
        for (int column = 0; column < 6; ++column) fields >> skipped;
        fields >> inode >> std::ws;
        std::getline(fields, name);
        if (name == path) add(found, inode, ::geteuid());
    }
}

bool has_one_of(const fs::path& process, const std::set<std::string>& links) {
    std::error_code gone;
    for (fs::directory_iterator at{process / "fd", gone}, end; !gone && at != end;
         at.increment(gone)) {
        std::error_code closed;
        const fs::path target = fs::read_symlink(at->path(), closed);
        if (!closed && links.contains(target.string())) return true;
    }
    return false;
}

port_owner find_process(const sockets& wanted) {
    port_owner owner;
    if (wanted.links.empty()) return owner;
    owner.is_there = wanted.foreign;
    std::error_code failure;
    for (fs::directory_iterator at{"/proc", failure}, end; !failure && at != end;
         at.increment(failure)) {
        const std::string name = at->path().filename().string();
        ::pid_t number = 0;
        const auto [stopped, wrong] =
            std::from_chars(name.data(), name.data() + name.size(), number);
        const bool is_process = wrong == std::errc{} && stopped == name.data() + name.size();
        if (!is_process || !has_one_of(at->path(), wanted.links)) continue;
        owner.is_there = true;
        owner.process = number;
        std::ifstream command{at->path() / "comm"};
        std::getline(command, owner.name);
        break;
    }
    return owner;
}

}  // namespace

port_owner owner_of(const ::sockaddr& address) {
    std::uint16_t port = 0;
    const std::string text = in_table(address, port);
    sockets found;
    for (const char* const table : {"/proc/net/tcp", "/proc/net/tcp6"})
        read_tcp(table, text, port, found);
    return find_process(found);
}

port_owner owner_of(const std::string& path) {
    sockets found;
    read_unix(path, found);
    return find_process(found);
}

}  // namespace leat::serve
