// Headers of the PROXY protocol, version 2.
#include "http/proxy_header.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <string_view>

BOOST_AUTO_TEST_SUITE(proxy_header_test)

using namespace leat::http;
using namespace std::string_literals;

namespace {

using state = proxy_header::state;

const std::string signature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string four = "\x0a\x01\x02\x03\xc0\xa8\x00\x01\x12\x34\x01\xbb"s;
const std::string six = std::string(15, '\0') + '\x01' + "\x20\x01" + std::string(13, '\0') +
                        '\x02' + "\xff\xff\x00\x50"s;

std::string header(char command, char family, std::string_view content) {
    const auto size = static_cast<unsigned>(content.size());
    return signature + command + family + static_cast<char>(size >> 8) +
           static_cast<char>(size & 0xff) + std::string{content};
}

state state_of(std::string_view text) {
    return parse_proxy_header(text).is;
}

}  // namespace

BOOST_AUTO_TEST_CASE(tcp_over_ipv4) {
    const std::string text = header(0x21, 0x11, four);
    const proxy_header found = parse_proxy_header(text + "GET / HTTP/1.1\r\n");
    BOOST_TEST((found.is == state::complete));
    BOOST_TEST(found.bytes == text.size());
    BOOST_TEST(!found.local);
    BOOST_TEST((found.source == proxied_end{{10, 1, 2, 3}, 4, 0x1234}));
    BOOST_TEST((found.destination == proxied_end{{192, 168, 0, 1}, 4, 443}));
}

BOOST_AUTO_TEST_CASE(tcp_over_ipv6) {
    const proxy_header found = parse_proxy_header(header(0x21, 0x21, six));
    BOOST_TEST((found.is == state::complete));
    proxied_end source{{}, 16, 65535};
    source.address[15] = 1;
    proxied_end destination{{0x20, 0x01}, 16, 80};
    destination.address[15] = 2;
    BOOST_TEST((found.source == source));
    BOOST_TEST((found.destination == destination));
}

BOOST_AUTO_TEST_CASE(what_tells_of_no_client) {
    // The proxy itself; a family that it does not know; a socket of a file system.
    const std::string unix_ends(216, 'x');
    for (const std::string& text :
         {header(0x20, 0x00, ""), header(0x20, 0x11, four), header(0x20, 0x11, "x"),
          header(0x21, 0x00, ""), header(0x21, 0x00, "anything"), header(0x21, 0x10, "")}) {
        const proxy_header found = parse_proxy_header(text);
        BOOST_TEST((found.is == state::complete));
        BOOST_TEST(found.bytes == text.size());
        BOOST_TEST(found.local);
        BOOST_TEST((found.source == proxied_end{}));
    }
    const proxy_header found = parse_proxy_header(header(0x21, 0x31, unix_ends));
    BOOST_TEST((found.is == state::complete));
    BOOST_TEST(!found.local);
    BOOST_TEST(found.source.address_bytes == 0);
}

BOOST_AUTO_TEST_CASE(what_is_added_is_skipped) {
    const std::string text = header(0x21, 0x11, four + "\x04\x00\x03xyz"s);
    const proxy_header found = parse_proxy_header(text);
    BOOST_TEST(found.bytes == text.size());
    BOOST_TEST(found.source.port == 0x1234);
    BOOST_TEST((state_of(header(0x21, 0x11, four + std::string(4084, 'x'))) == state::complete));
    BOOST_TEST((state_of(header(0x21, 0x11, four + std::string(4085, 'x'))) == state::refused));
    // As soon as the length is told.
    BOOST_TEST(
        (state_of(header(0x21, 0x11, std::string(5000, 'x')).substr(0, 16)) == state::refused));
}

BOOST_AUTO_TEST_CASE(what_is_not_all_there_yet) {
    for (const std::string& text : {header(0x21, 0x11, four + "tlv"), header(0x21, 0x21, six),
                                    header(0x20, 0x00, ""), header(0x21, 0x31, four)}) {
        const bool right = state_of(text) == state::complete;
        for (std::size_t size = 0; size < 16; ++size)
            BOOST_TEST((state_of(text.substr(0, size)) == state::more));
        for (std::size_t size = 16; right && size < text.size(); ++size)
            BOOST_TEST((state_of(text.substr(0, size)) == state::more));
    }
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
    BOOST_TEST((state_of("GET / HTTP/1.1\r\n") == state::refused));
    BOOST_TEST((state_of("G") == state::refused));
    BOOST_TEST((state_of("\r\n\r\nG") == state::refused));
    BOOST_TEST((state_of("PROXY TCP4 10.1.2.3 192.168.0.1 1 2\r\n") == state::refused));
    for (std::size_t at = 0; at < signature.size(); ++at) {
        std::string text = header(0x21, 0x11, four);
        text[at] = static_cast<char>(text[at] ^ 1);
        BOOST_TEST((state_of(text) == state::refused));
        BOOST_TEST((state_of(text.substr(0, at + 1)) == state::refused));
    }
    for (const char command : {'\x11', '\x31', '\x01', '\x22', '\x2f', '\xff'})
        BOOST_TEST((state_of(header(command, 0x11, four)) == state::refused));
    for (const char family : {'\x13', '\x1f', '\x41', '\xf1'})
        BOOST_TEST((state_of(header(0x21, family, four)) == state::refused));
    BOOST_TEST((state_of(header(0x21, 0x11, four.substr(1))) == state::refused));
    BOOST_TEST((state_of(header(0x21, 0x11, "")) == state::refused));
    BOOST_TEST((state_of(header(0x21, 0x21, six.substr(1))) == state::refused));
    BOOST_TEST((state_of(header(0x21, 0x21, four)) == state::refused));
    BOOST_TEST((state_of(header(0x21, 0x31, four)) == state::refused));
}

BOOST_AUTO_TEST_SUITE_END()
