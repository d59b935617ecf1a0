// A source without bytes on a disk: each unit of each file is told from every other.
#include "patterns/made_up_source.hpp"

#include "small_engine.hpp"

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <span>
#include <vector>

BOOST_AUTO_TEST_SUITE(made_up_source_test)

using namespace leat::perf;
using leat::KiB;
using leat::MiB;

namespace {

constexpr std::size_t chunk_bytes = 64 * KiB;

/// The bytes of a file, as a manager gives them.
class made_up_bytes {
public:
    made_up_bytes() {
        const auto copy = [this]() -> leat::task<> {
            for (std::size_t i = 0; i < files_.size(); ++i) {
                const leat::file from = co_await manager_.open(std::to_string(i));
                read_[i] = co_await manager_.read(from, 0, of[i]);
            }
        };
        engine_.run(copy());
    }
    [[nodiscard]] std::size_t read(std::size_t file) const { return read_[file]; }
    [[nodiscard]] const source_counts& counts() const { return counts_; }

    std::vector<std::vector<std::byte>> of = std::vector(2, std::vector<std::byte>(3 * MiB));

private:
    std::vector<std::uint64_t> files_{2 * MiB, 2 * MiB + 5000};
    std::vector<std::size_t> read_ = std::vector<std::size_t>(2);
    source_counts counts_;
    leat::engine engine_{leat::test::small_engine(1, 8 * MiB, chunk_bytes)};
    leat::chunk_manager manager_{engine_, made_up_source{files_, counts_}};
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_it_gives_is_right) {
    const made_up_bytes all;
    BOOST_TEST(all.read(0) == 2 * MiB);
    BOOST_TEST(all.read(1) == 2 * MiB + 5000);
    for (const std::uint32_t file : {0U, 1U}) {
        const std::span bytes = std::span{all.of[file]}.first(all.read(file));
        BOOST_TEST(!first_wrong(file, 0, bytes));
        BOOST_TEST(!first_wrong(file, 5000, bytes.subspan(5000, 70'000)));
    }
    BOOST_TEST(all.counts().bytes.load() == 4 * MiB + 5000);
    BOOST_TEST(all.counts().reads.load() >= 2U);
}

BOOST_AUTO_TEST_CASE(what_it_did_not_give_is_wrong) {
    made_up_bytes all;
    const std::span bytes{all.of[0]};
    const auto unit = [&](std::size_t number) { return bytes.subspan(number * 4096, 4096); };
    for (const std::size_t number : {0U, 1U, 77U, 511U}) {
        BOOST_TEST(!first_wrong(0, number * 4096, unit(number)));
        BOOST_TEST(first_wrong(1, number * 4096, unit(number)).has_value());  // of another file
        BOOST_TEST(first_wrong(0, (number + 1) * 4096, unit(number)).has_value());
    }
    for (std::byte& one : unit(77)) one ^= std::byte{1};
    const auto wrong = first_wrong(0, 0, bytes.first(2 * MiB));
    BOOST_REQUIRE(wrong.has_value());
    BOOST_TEST(*wrong / 4096 == 77U);
}

BOOST_AUTO_TEST_SUITE_END()
