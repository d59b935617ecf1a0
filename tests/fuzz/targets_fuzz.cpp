// Targets of requests: the path stays below the root and names what can be a file, and the way
// back by an escaped path leads to the same.
#include "http/target_path.hpp"
#include "input.hpp"

#include <cstdint>
#include <string>
#include <string_view>

using leat::http::read_target;
using leat::http::status;
using leat::http::target_path;
using leat::test::require;

namespace {

void check_path(std::string_view path, bool dotfiles) {
    require(path.find('\0') == path.npos, "a NUL");
    while (!path.empty()) {
        const std::string_view name = path.substr(0, path.find('/'));
        require(!name.empty(), "an empty name");
        require(name != "." && name != "..", "a dot segment");
        require(dotfiles || name.front() != '.', "a hidden name");
        if (name.size() == path.size()) return;
        path.remove_prefix(name.size() + 1);
        require(!path.empty(), "a slash at the end");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    leat::test::input from{data, size};
    const bool dotfiles = (from.byte() & 1) != 0;
    const std::string target{from.rest()};
    // Of its exact size: AddressSanitizer sees what is written beyond it.
    std::string buffer(target.size(), '#');
    const target_path found = read_target(target, {buffer.data(), buffer.size()}, dotfiles);
    require(found.refusal != status::uri_too_long, "no room, where it suffices");
    if (found.refusal != status::ok) return 0;
    check_path(found.path, dotfiles);
    require(!found.path.empty() || found.folder, "a root that is no folder");

    std::string location(3 * target.size() + 3, '#');
    const std::string_view text = folder_location(found, {location.data(), location.size()});
    require(text.starts_with('/') && !text.starts_with("//"), "a way to another host");
    require(text.find_first_of("\\\r\n\t \"<>") == text.npos, "a letter that is not escaped");
    std::string again(text.size(), '#');
    const target_path back = read_target(text, {again.data(), again.size()}, dotfiles);
    require(back.refusal == status::ok, "the location is refused");
    require(back.path == found.path && back.folder, "the location leads elsewhere");
    return 0;
}
