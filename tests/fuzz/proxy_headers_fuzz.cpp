// Headers of the PROXY protocol: cut anywhere, more is wanted until they are complete or refused,
// and what comes behind changes nothing.
#include "http/proxy_header.hpp"
#include "input.hpp"

#include <cstdint>
#include <string>

using leat::http::parse_proxy_header;
using leat::http::proxy_header;
using leat::test::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    leat::test::input from{data, size};
    const std::string text{from.rest()};
    const proxy_header all = parse_proxy_header(text);
    require(
        all.is != proxy_header::state::more || text.size() < leat::http::most_proxy_header_bytes,
        "more is wanted than is allowed");
    if (all.is == proxy_header::state::complete) {
        require(all.bytes >= 16 && all.bytes <= text.size(), "a length that is none");
        const proxy_header alone = parse_proxy_header(text.substr(0, all.bytes));
        require(alone.source == all.source && alone.destination == all.destination, "other ends");
        const unsigned address = all.source.address_bytes;
        require(address == 0 || address == 4 || address == 16, "an address of no family");
        require(!all.local || address == 0, "ends of nobody");
    }
    proxy_header::state last = proxy_header::state::more;
    for (std::size_t cut = 0; cut <= text.size() && cut < 300; ++cut) {
        const auto is = parse_proxy_header({text.data(), cut}).is;
        require(last == proxy_header::state::more || is == last, "said otherwise before");
        last = is;
    }
    return 0;
}
