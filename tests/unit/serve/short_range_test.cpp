// Short ranges, sent from where they lie in memory.
#include "short_range.hpp"

#include "fragments.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(short_range_test)

using namespace leat;
using namespace leat::literals;
using leat::serve::short_range;
using leat::test::fragments;

namespace {

const std::string head = "HTTP/1.1 206 Partial Content\r\n\r\n";

struct seen {
    bool there = false;
    std::size_t slices = 0;
    bool right = false;
    std::uint64_t pins = 0;
};

seen look(const short_range& range, const chunk_config& wanted) {
    const std::array<boost::asio::const_buffer, 3> buffers = range.after(head);
    std::vector<std::byte> all(boost::asio::buffer_size(buffers));
    boost::asio::buffer_copy(boost::asio::buffer(all), buffers);
    seen found{.there = static_cast<bool>(range)};
    for (const boost::asio::const_buffer& one : {buffers[1], buffers[2]})
        found.slices += one.size() != 0 ? 1 : 0;
    found.right = all.size() == head.size() + wanted.size &&
                  test::is_pattern(std::span{all}.subspan(head.size()), 1, wanted.offset);
    return found;
}

task<seen> look_for(fragments& of, chunk_config wanted) {
    const short_range range{of.manager, wanted};
    seen found = look(range, wanted);
    const cache_statistics now = co_await of.manager.statistics();
    found.pins = now.pins;
    co_return found;
}

task<seen> get(fragments& of, chunk_config wanted) {
    short_range range{of.manager, wanted};
    slice all = co_await of.manager.get_chunk(wanted);
    range.set(std::move(all));
    co_return look(range, wanted);
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_lies_in_two_fragments_is_sent_from_both) {
    fragments of{4_MiB};
    for (const std::uint64_t at : {0_KiB, 64_KiB}) BOOST_TEST(of.right(at, 64_KiB));
    (void)of.reads();
    const std::uint64_t before = of.sum().fills;
    const auto look_at = [&of](std::uint64_t offset, std::uint64_t size) {
        return of.owner.run(look_for(of, of.at(offset, size)));
    };
    for (const std::uint64_t offset : {60_KiB, 60_KiB + 1, 62_KiB, 64_KiB - 1}) {
        const seen found = look_at(offset, 4_KiB);
        BOOST_TEST(found.there);
        BOOST_TEST(found.right);
        BOOST_TEST(found.slices == (offset == 60_KiB ? 1u : 2u));
        BOOST_TEST(found.pins == found.slices);
    }
    BOOST_TEST(look_at(64_KiB, 64_KiB).right);
    BOOST_TEST(look_at(32_KiB, 64_KiB).right);
    BOOST_TEST(of.sum().fills == before);
    BOOST_TEST(of.reads().empty());
}

BOOST_AUTO_TEST_CASE(of_what_is_not_all_there_nothing_is_held) {
    fragments of{4_MiB};
    BOOST_TEST(of.right(64_KiB, 64_KiB));
    for (const std::uint64_t offset : {62_KiB, 126_KiB, 512_KiB}) {
        const chunk_config wanted = of.at(offset, 4_KiB);
        const seen found = of.owner.run(look_for(of, wanted));
        BOOST_TEST(!found.there);
        BOOST_TEST(found.slices == 0u);
        BOOST_TEST(found.pins == 0u);
        const seen whole = of.owner.run(get(of, wanted));
        BOOST_TEST(whole.there);
        BOOST_TEST(whole.right);
        BOOST_TEST(whole.slices == 1u);
    }
}

BOOST_AUTO_TEST_SUITE_END()
