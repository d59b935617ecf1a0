// Pins given up elsewhere are counted.
#include "weakened.hpp"

#include <leat/cache/detail/foreign_pins.hpp>
#include <leat/cache/detail/foreign_release.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>

BOOST_AUTO_TEST_SUITE(foreign_pins_test)

using leat::detail::foreign_pins;
using leat::detail::foreign_release;
using leat::test::explored_atomic;
using leat::test::explorer;
using leat::test::weak_acquire;

BOOST_AUTO_TEST_CASE(only_the_first_release_since_the_last_take_is_to_be_told) {
    foreign_pins<> pins;
    BOOST_TEST(pins.release(100));
    BOOST_TEST(!pins.release(50));
    const auto taken = pins.take();
    BOOST_TEST(taken.pins == 2u);
    BOOST_TEST(taken.bytes == 150u);
    BOOST_TEST(pins.take().pins == 0u);
    BOOST_TEST(pins.release(1));
}

BOOST_AUTO_TEST_CASE(more_pins_than_24_bits_and_more_bytes_than_40_are_counted) {
    foreign_pins<> pins;
    constexpr std::uint64_t count = (std::uint64_t{1} << 24) + 3;
    constexpr std::uint64_t bytes = std::uint64_t{1} << 30;
    std::uint64_t told = 0;
    for (std::uint64_t i = 0; i < count; ++i) told += pins.release(bytes) ? 1 : 0;
    const auto taken = pins.take();
    BOOST_TEST(told == 1u);
    BOOST_TEST(taken.pins == count);
    BOOST_TEST(taken.bytes == count * bytes);
}

namespace {

// An entry with a pin for each of two slices, dropped on two threads, and its home.
template <template <class> class Atomic>
struct pinned_entry {
    struct node {
        foreign_pins<Atomic> foreign;
        node* foreign_next = nullptr;
    };
    static constexpr std::uint64_t size = 100;

    foreign_release<node, Atomic> list;
    node entry;
    explored_atomic<int> read[2]{0, 0};  // what the slices' holders did with the bytes
    std::uint64_t pins = 2;
    std::uint64_t referred = 2 * size;
    std::uint64_t orphans = 0;  // settled by whoever came after the home's end
    bool closing = false;
    bool wrong = false;

    void drop(int which) {
        read[which].store(1, std::memory_order_relaxed);
        if (!entry.foreign.release(size)) return;
        if (!list.push(entry, [] {})) orphans += entry.foreign.take().pins;
    }
    void live() {
        const auto settle = [this](node& one) {
            const auto taken = one.foreign.take();
            pins -= taken.pins;
            referred -= taken.bytes;
            // Bytes may be ahead, never behind, until droppers take what is left themselves.
            wrong = wrong || (!closing && referred > pins * size);
            if (pins != 0) return;  // the buffer is written anew
            wrong = wrong || read[0].load(std::memory_order_relaxed) == 0 ||
                    read[1].load(std::memory_order_relaxed) == 0;
        };
        list.take(settle);
        closing = true;
        list.close(settle);
    }
};

template <template <class> class Atomic>
std::string explore() {
    explorer all{1};
    const std::uint64_t runs = all.run([] {
        auto one = std::make_shared<pinned_entry<Atomic>>();
        explorer::program program;
        program.threads.emplace_back([one] { one->live(); });
        for (int which : {0, 1}) program.threads.emplace_back([one, which] { one->drop(which); });
        program.check = [one] {
            // What was released after the home's last look is left to the last dropper.
            const std::uint64_t left = one->entry.foreign.take().pins;
            explorer::current().require(one->pins == one->orphans + left, "a pin was lost");
            explorer::current().require(!one->wrong, "bytes behind pins, or a stale reader");
        };
        return program;
    });
    BOOST_TEST_MESSAGE(runs << " runs");
    return all.failure();
}

}  // namespace

BOOST_AUTO_TEST_CASE(no_interleaving_loses_a_pin_or_writes_below_a_reader) {
    BOOST_TEST(explore<explored_atomic>() == "");
}

BOOST_AUTO_TEST_CASE(without_acquire_a_reader_is_written_below) {
    BOOST_TEST(explore<weak_acquire::atomic>() != "");
}

BOOST_AUTO_TEST_SUITE_END()
