// Listings of folders: names of any bytes add no markup, and the link leads to the name; types by
// names, and credentials, whatever they are of.
#include "http/basic_credentials.hpp"
#include "http/directory_listing.hpp"
#include "http/media_types.hpp"
#include "http/target_path.hpp"
#include "input.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

using leat::test::require;

namespace {

std::size_t count(std::string_view text, char letter) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), letter));
}

void check_listing(const std::string& name) {
    const auto page = [](const std::string& path, const std::string& entry) {
        return leat::http::directory_listing(path, {{.name = entry, .modified = {}}});
    };
    const std::string plain = page("a", "b");
    const std::string made = page(name.empty() ? "a" : name, name);
    for (const char letter : {'<', '>', '"'})
        require(count(made, letter) == count(plain, letter), "markup of a name");
    // The link of the entry, behind that of the folder above.
    const std::string_view begin = "<tr><td><a href=\"";
    const std::size_t at = made.rfind(begin) + begin.size();
    const std::string link = made.substr(at, made.find('"', at) - at);
    const std::string target = "/" + link;
    std::string buffer(target.size(), '#');
    const auto found = leat::http::read_target(target, {buffer.data(), buffer.size()}, true);
    require(found.refusal == leat::http::status::ok && found.path == name, "another entry");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    leat::test::input from{data, size};
    const std::string text{from.rest()};
    // As a folder has it: without a slash or a NUL, and no dots alone.
    std::string name = text.c_str();
    std::replace(name.begin(), name.end(), '/', '_');
    if (!name.empty() && name != "." && name != "..") check_listing(name);

    const leat::http::media_types types{text};
    const std::string_view type = types.of(name);
    require(type.find('/') != type.npos && type.find_first_of("\r\n") == type.npos, "no type");

    std::string buffer(text.size() * 3 / 4, '#');
    const auto found = leat::http::read_basic(text, {buffer.data(), buffer.size()});
    require(!found || found->user.find(':') == found->user.npos, "a user with a colon");
    return 0;
}
