// Random use of an arena beside a model that knows which bytes are whose.
#include "arena_support.hpp"

#include <leat/io/detail/buffer_arena.hpp>

#include <boost/test/data/test_case.hpp>

#include <iterator>
#include <random>

BOOST_AUTO_TEST_SUITE(buffer_arena_model_test)

using namespace leat::io;
using namespace leat::io::test;

namespace {

struct shape {
    std::uint64_t budget;
    std::uint64_t segment;
    std::uint64_t most;
    std::uint64_t slab = 0;
    std::uint64_t small_slab = 0;
};
std::ostream& operator<<(std::ostream& to, const shape& one) {
    return to << one.budget << " in segments of " << one.segment << " and slabs of " << one.slab
              << " and " << one.small_slab << ", at most " << one.most;
}

const std::vector<shape> shapes{
    {40 * mebibyte, 10 * mebibyte, 0},
    {37 * mebibyte + 12 * kibibyte, 0, 0},
    {13 * mebibyte, 3 * mebibyte, 50 * mebibyte},
    {768 * kibibyte, 192 * kibibyte, 9 * mebibyte},
    {520 * kibibyte, 512 * kibibyte, 704 * kibibyte},  // what is left over is no segment
    {40 * mebibyte, 10 * mebibyte, 0, 2 * mebibyte},
    {41 * mebibyte + 12 * kibibyte, 10 * mebibyte, 0, 2 * mebibyte},
    {13 * mebibyte, 3 * mebibyte, 50 * mebibyte, mebibyte},
    {13 * mebibyte, 3 * mebibyte, 50 * mebibyte, 1280 * kibibyte},  // no multiple
    {900 * kibibyte, 384 * kibibyte, 9 * mebibyte, 128 * kibibyte},
    {41 * mebibyte + 12 * kibibyte, 10 * mebibyte, 0, 2 * mebibyte, 256 * kibibyte},
    // Room for small slabs behind the last slab of a segment, and in one too short for a slab.
    {13 * mebibyte, 3 * mebibyte, 50 * mebibyte, 1280 * kibibyte, 256 * kibibyte},
    {900 * kibibyte, 384 * kibibyte, 9 * mebibyte, 128 * kibibyte, 16 * kibibyte},
};

/// What is allocated, by address. A buffer's user is the number that its bytes hold.
class model {
public:
    explicit model(const shape& of)
        : of_(of),
          arena_({.budget = of.budget,
                  .huge_pages = false,
                  .segment_bytes = of.segment,
                  .slab_bytes = of.slab,
                  .small_slab_bytes = of.small_slab,
                  .most_budget = of.most}) {
        arena_.attach(through_);
    }
    ~model() { arena_.detach(); }

    void step() {
        const auto what = random_() % 100;
        if (what < 52) {
            allocate(any_size());
        } else if (what < 58) {
            move_one();
        } else if (what < 60) {
            change_budget();
        } else if (what < 62) {
            for (int i = 0; i < 30 && !taken_.empty(); ++i) release(any());
        } else if (what < 63) {
            while (!taken_.empty()) release(any());
        } else if (what < 65) {
            prepare();
        } else if (!taken_.empty()) {
            release(any());
        }
        check_counts();
    }
    void end() {
        while (!taken_.empty()) release(taken_.begin());
        check_counts();
        check_segments();
    }
    void check_segments() {
        std::size_t users = 0;
        for (std::size_t i = 0; i < arena_.segments(); ++i) {
            const part_state state = arena_.state_of(i);
            std::size_t used = 0;
            std::size_t slabs = 0;
            std::size_t in_slabs = 0;
            arena_.each_slab(i, [&](std::size_t slab, const part_state& of) {
                BOOST_TEST_REQUIRE(of.used > 0u);
                arena_.each_user(slab, [&](void*) { ++in_slabs; });
                ++slabs;
            });
            arena_.each_user(i, [&](void* one) {
                const auto at = std::find_if(taken_.begin(), taken_.end(),
                                             [&](const auto& e) { return e.second.user == one; });
                BOOST_TEST_REQUIRE((at != taken_.end()));
                const std::size_t first = arena_.segment_of(at->first);
                const std::size_t last = arena_.segment_of(at->first + at->second.size - 1);
                BOOST_TEST_REQUIRE((first <= i && (i <= last || state.count == 1)));
                users += first == i ? 1 : 0;
                ++used;
            });
            BOOST_TEST_REQUIRE(used - in_slabs + slabs == state.used);
            BOOST_TEST_REQUIRE((state.used > 0) == (state.buffer_bytes > 0));
        }
        BOOST_TEST_REQUIRE(users == taken_.size());
        BOOST_TEST_REQUIRE(arena_.fault() == nullptr);
    }

private:
    struct entry {
        std::size_t size;
        void* user;
    };
    using entries = std::map<std::byte*, entry>;

    std::size_t any_size() {
        static constexpr std::array<std::size_t, 12> sizes{
            1,        4096,         4097,           12288,
            65536,    65537,        192 * kibibyte, 512 * kibibyte,
            mebibyte, 3 * mebibyte, 10 * mebibyte,  10 * mebibyte + 1};
        return sizes[random_() % sizes.size()];
    }
    entries::iterator any() {
        return std::next(taken_.begin(), static_cast<std::ptrdiff_t>(random_() % taken_.size()));
    }

    void add(std::byte* memory, std::size_t size, void* user) {
        const std::size_t length = arena_.buffer_bytes(size);
        const auto after = taken_.lower_bound(memory);
        if (after != taken_.end()) BOOST_TEST_REQUIRE((memory + size <= after->first));
        if (after != taken_.begin()) {
            const auto& [other, of] = *std::prev(after);
            BOOST_TEST_REQUIRE((other + of.size <= memory));
        }
        BOOST_TEST_REQUIRE(length >= size);
        BOOST_TEST_REQUIRE(number(memory) % 4096 == 0U);
        memory[0] = memory[size - 1] = static_cast<std::byte>(number(memory) >> 12);
        taken_.emplace(memory, entry{size, user});
    }
    void allocate(std::size_t size) {
        const bool fits = arena_.fits(size);
        // Where nothing else is used there is room for what the budget has room for.
        if (taken_.empty() && arena_.buffers_in(arena_.budget(), size) != 0)
            BOOST_TEST_REQUIRE(fits);
        void* const user = reinterpret_cast<void*>(++users_);
        std::byte* const memory = arena_.allocate(size, user);
        BOOST_TEST_REQUIRE(fits == (memory != nullptr));
        if (memory != nullptr) add(memory, size, user);
    }
    void release(entries::iterator which) {
        const auto [memory, of] = *which;
        BOOST_TEST_REQUIRE((memory[0] == static_cast<std::byte>(number(memory) >> 12)));
        BOOST_TEST_REQUIRE((memory[of.size - 1] == memory[0]));
        taken_.erase(which);
        arena_.release(memory, of.size);
    }
    // To another segment, as whoever empties one does.
    void move_one() {
        if (taken_.empty()) return;
        const auto from = any();
        const auto [memory, of] = *from;
        const bool of_slab = random_() % 2 == 0;
        const auto part_of = [&](const std::byte* at) {
            return of_slab ? arena_.part_of(at) : arena_.segment_of(at);
        };
        const std::size_t part = part_of(memory);
        const std::uint64_t divided = arena_.statistics().divided_bytes;
        std::byte* const to = arena_.allocate_outside(part, 1, of.size, of.user);
        if (to == nullptr) return;
        BOOST_TEST_REQUIRE(part_of(to) != part);
        BOOST_TEST_REQUIRE(arena_.statistics().divided_bytes == divided);
        release(from);
        add(to, of.size, of.user);
    }
    void change_budget() {
        if (of_.most == 0) return;
        const std::uint64_t before = arena_.statistics().mapped_bytes;
        const std::uint64_t budget = random_() % (of_.most + mebibyte);
        arena_.set_budget(budget);
        BOOST_TEST_REQUIRE(arena_.budget() == std::min(budget, of_.most) / 4096 * 4096);
        BOOST_TEST_REQUIRE(arena_.statistics().mapped_bytes <= before);
    }
    void prepare() {
        const std::uint64_t mapped = arena_.statistics().mapped_bytes;
        const bool more = arena_.unprepared();
        arena_.prepare();
        // It maps what it touches later.
        BOOST_TEST_REQUIRE((more || arena_.statistics().mapped_bytes == mapped));
    }
    void check_counts() {
        const arena_statistics found = arena_.statistics();
        std::uint64_t least = 0;
        std::uint64_t most = 0;
        for (const auto& [memory, of] : taken_) {
            least += of.size;
            most += arena_.buffer_bytes(of.size);
        }
        BOOST_TEST_REQUIRE((least <= found.used_bytes && found.used_bytes <= most));
        BOOST_TEST_REQUIRE(found.used_bytes <= found.divided_bytes);
        BOOST_TEST_REQUIRE(found.divided_bytes <= found.mapped_bytes);
        BOOST_TEST_REQUIRE(
            (found.mapped_bytes <= arena_.budget() ||
             (found.mapped_bytes == found.divided_bytes && found.mapped_bytes <= mapped_)));
        mapped_ = found.mapped_bytes;
        BOOST_TEST_REQUIRE(through_.well);
        BOOST_TEST_REQUIRE(found.registered_bytes <= found.mapped_bytes);
        BOOST_TEST_REQUIRE((arena_.unprepared() || found.registered_bytes == found.mapped_bytes));
    }

    shape of_;
    recording_backend through_;
    buffer_arena arena_;
    entries taken_;
    std::uintptr_t users_ = 0;
    std::uint64_t mapped_ = 0;
    std::mt19937 random_{42};
};

}  // namespace

BOOST_DATA_TEST_CASE(random_use, shapes) {
    model both{sample};
    for (int i = 0; i < 20'000; ++i) {
        both.step();
        if (i % 500 == 0) both.check_segments();
    }
    both.end();
}

BOOST_AUTO_TEST_SUITE_END()
