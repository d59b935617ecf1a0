// Slices as the body of a message of Beast.
#include "cache_support.hpp"
#include "pattern.hpp"
#include "small_engine.hpp"

#include <leat/cache/asio/slice_body.hpp>
#include <leat/leat.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/test/unit_test.hpp>

#include <sstream>
#include <string>
#include <thread>

BOOST_AUTO_TEST_SUITE(asio_slice_body_test)

using namespace leat;
using namespace leat::literals;
namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {
constexpr std::uint64_t file_size = 400'000;

struct fixture {
    engine owner{test::small_engine(2, 1_MiB, 64_KiB)};
    chunk_manager manager{owner, test::scripted_source{test::script_of(file_size)}};
    file from = owner.run(manager.open("any"));

    slice get(std::uint64_t offset, std::uint32_t size) {
        return owner.run(test::get(manager, {from, offset, size}));
    }
    std::uint64_t pins() { return owner.run(manager.statistics()).pins; }

    /// 20 pieces, more than one gathering write takes, with an empty one among them.
    http::response<slice_body> message() {
        http::response<slice_body> made{http::status::ok, 11};
        for (std::uint64_t i = 0; i < 20; ++i) made.body().push_back(get(i * 4000, 1000));
        made.body().push_back(slice{});
        made.body().push_back(get(399'990, 10));
        made.prepare_payload();
        return made;
    }
};

bool is_message_body(const std::string& body) {
    bool same = body.size() == 20'010;
    for (std::uint64_t i = 0; same && i < 20; ++i)
        same =
            test::is_pattern(std::as_bytes(std::span{body}.subspan(i * 1000, 1000)), 1, i * 4000);
    return same && test::is_pattern(std::as_bytes(std::span{body}.subspan(20'000)), 1, 399'990);
}
}  // namespace

static_assert(http::is_body<slice_body>::value && http::is_body_writer<slice_body>::value);
static_assert(!http::is_body_reader<slice_body>::value);

BOOST_FIXTURE_TEST_CASE(a_slice_is_a_buffer, fixture) {
    const slice page = get(5, 100);
    const asio::const_buffer buffer = page.buffer();
    BOOST_TEST(buffer.data() == page.data());
    BOOST_TEST(buffer.size() == 100u);
    BOOST_TEST(slice{}.buffer().size() == 0u);
}

BOOST_FIXTURE_TEST_CASE(the_size_is_the_sum, fixture) {
    BOOST_TEST(slice_body::size(message().body()) == 20'010u);
    BOOST_TEST(slice_body::size(slice_body::value_type{}) == 0u);
    BOOST_TEST(slice_body::size(slice_body::value_type{get(0, 7)}) == 7u);
}

BOOST_FIXTURE_TEST_CASE(a_message_is_serialised_with_all_its_slices, fixture) {
    std::ostringstream text;
    text << message();
    const std::string whole = text.str();
    const std::size_t end = whole.find("\r\n\r\n");
    BOOST_REQUIRE(end != std::string::npos);
    BOOST_TEST(whole.find("Content-Length: 20010\r\n") < end);
    BOOST_TEST(is_message_body(whole.substr(end + 4)));
    BOOST_TEST(pins() == 0u);
}

BOOST_FIXTURE_TEST_CASE(an_empty_message_has_no_body, fixture) {
    http::response<slice_body> made{http::status::ok, 11};
    made.prepare_payload();
    std::ostringstream text;
    text << made;
    BOOST_TEST(text.str().ends_with("Content-Length: 0\r\n\r\n"));
}

BOOST_FIXTURE_TEST_CASE(a_message_goes_over_a_socket_and_lets_its_slices_go, fixture) {
    asio::io_context context;
    asio::local::stream_protocol::socket here{context};
    asio::local::stream_protocol::socket there{context};
    asio::local::connect_pair(here, there);
    http::response<http::string_body> received;
    std::thread reader{[&] {
        boost::beast::flat_buffer buffer;
        boost::system::error_code failed;
        http::read(there, buffer, received, failed);
    }};
    {
        http::response<slice_body> sent = message();
        BOOST_TEST(pins() == 21u);
        http::write(here, sent);
    }
    reader.join();
    BOOST_TEST(is_message_body(received.body()));
    BOOST_TEST(pins() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
