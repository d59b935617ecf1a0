// The names of faults, and sets of them.
#include "faults.hpp"

#include <algorithm>
#include <array>

namespace leat::sim {

namespace {
struct row {
    std::string_view name;
    std::string_view description;
};
constexpr std::array<row, fault_count> rows{{
    {"short", "reads give fewer bytes than asked for"},
    {"late", "operations take up to 40 ms and overtake one another"},
    {"reads", "reads fail with EIO or ENOMEM, after some bytes"},
    {"opens", "opening and statting fail with EIO, ENOMEM or EMFILE"},
    {"stuck", "a read never ends until it is cancelled; a peer does nothing any more"},
    {"dead", "a read never ends, cancelled or not"},
    {"transfers", "sockets take and give fewer bytes than they could"},
    {"stalls", "peers rest for up to 50 ms"},
    {"resets", "peers reset connections, and refuse them"},
    {"sockets", "sockets and connections are not to be had: EMFILE, ENFILE, ENOBUFS, ENOMEM"},
    {"mutation", "files are written in place, truncated, replaced, unlinked"},
    {"allocation", "operator new and aligned_alloc fail"},
    {"mapping", "mprotect fails"},
    {"registration", "registering buffers fails"},
    {"credit", "few operations are in flight at once"},
    {"memory", "two to four chunks a shard"},
    {"frozen", "a shard is not stepped for up to 10 ms, nor its messages taken"},
    {"cancel", "requests are cancelled, from all sides"},
    {"stop", "the engine stops amid everything"},
}};
}  // namespace

std::string_view name_of(fault kind) noexcept {
    return rows[static_cast<unsigned>(kind)].name;
}

std::string_view description_of(fault kind) noexcept {
    return rows[static_cast<unsigned>(kind)].description;
}

std::string fault_set::text() const {
    std::string names;
    for (unsigned i = 0; i < fault_count; ++i) {
        if (!has(static_cast<fault>(i))) continue;
        names += names.empty() ? "" : ",";
        names += rows[i].name;
    }
    return names;
}

std::string add_named(fault_set& to, std::string_view names) {
    while (!names.empty()) {
        const std::string_view name = names.substr(0, names.find(','));
        names.remove_prefix(std::min(names.size(), name.size() + 1));
        const auto found = std::find_if(rows.begin(), rows.end(),
                                        [&](const row& one) { return one.name == name; });
        if (found == rows.end()) return std::string{name};
        to.set(static_cast<fault>(found - rows.begin()), true);
    }
    return {};
}

}  // namespace leat::sim
