// What read() asks of a source past the cache, and how it tells of errors.
#include "cache_support.hpp"
#include "pattern.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>

BOOST_AUTO_TEST_SUITE(read_past_test)

using namespace leat;
using namespace leat::literals;
using leat::test::small_engine;

namespace {

enum class mood { well, runtime_error, bad_alloc, eio, too_little, too_much };

struct state {
    std::uint64_t size = 0;
    std::uint64_t reads = 0;
    std::uint64_t broken = 0;  // reads that were not of whole, aligned units inside one chunk
    mood now = mood::well;
};

/// Takes its contract at its word.
class strict_source {
public:
    struct file_type {
        std::uint64_t bytes;
        [[nodiscard]] std::uint64_t size() const { return bytes; }
        [[nodiscard]] file_version version() const { return {.inode = 1, .size = bytes}; }
    };
    explicit strict_source(std::shared_ptr<state> of) : state_(std::move(of)) {}
    task<file_type> open(std::string) {
        fail();
        co_return file_type{state_->size};
    }
    task<std::size_t> read(file_type& file,
                           std::uint64_t offset,
                           std::span<std::byte> to,
                           priority) {
        ++state_->reads;
        const auto address = reinterpret_cast<std::uintptr_t>(to.data());
        const bool whole = offset % 4096 == 0 && to.size() % 4096 == 0 && address % 4096 == 0;
        const bool inside = !to.empty() && offset < file.bytes &&
                            offset / 64_KiB == (offset + to.size() - 1) / 64_KiB;
        state_->broken += whole && inside ? 0 : 1;
        fail();
        test::fill_pattern(to, 1, offset);
        const std::uint64_t count = std::min<std::uint64_t>(to.size(), file.bytes - offset);
        if (state_->now == mood::too_much) co_return to.size() + 1;
        co_return state_->now == mood::too_little ? count - 1 : count;
    }

private:
    void fail() const {
        if (state_->now == mood::runtime_error) throw std::runtime_error("source broke");
        if (state_->now == mood::bad_alloc) throw std::bad_alloc();
        if (state_->now == mood::eio) throw boost::system::system_error(system_error_code(EIO));
    }
    std::shared_ptr<state> state_;
};

struct pinned_full {
    explicit pinned_full(std::uint64_t size) {
        source->size = size;
        from = owner.run(manager.open("any"));
    }
    /// Both chunks, whole: nothing of them is read later.
    void pin_all() {
        for (std::uint64_t index = 0; index < 2; ++index)
            pins.push_back(owner.run(test::get(manager, {from, index * 64_KiB, 64_KiB})));
    }
    /// Reads, and returns what the error says, if there is one.
    error error_of_read(std::uint64_t offset, std::size_t size) {
        std::vector<std::byte> to(size);
        try {
            owner.run(manager.read(from, offset, to));
        } catch (const system_error& failure) {
            return failure.cause();
        }
        return {};
    }

    std::shared_ptr<state> source = std::make_shared<state>();
    engine owner{small_engine(1, 128_KiB, 64_KiB)};
    chunk_manager manager{owner, strict_source{source}};
    file from;
    std::vector<slice> pins;
};

}  // namespace

BOOST_AUTO_TEST_CASE(past_the_cache_sources_are_asked_for_whole_aligned_units) {
    pinned_full with{1'000'001};
    with.pin_all();
    std::mt19937_64 random{1};
    const std::unique_ptr<std::byte[], decltype(&std::free)> memory{
        static_cast<std::byte*>(std::aligned_alloc(4096, 512_KiB)), &std::free};
    for (int i = 0; i < 300; ++i) {
        // Aligned in the file, in memory, in both, in neither.
        const std::uint64_t offset = i % 2 == 0 ? random() % 1'000'001 : random() % 244 * 4096;
        const std::size_t at = i % 4 < 2 ? 0 : random() % 4096;
        const std::size_t size = 1 + random() % (i % 3 == 0 ? 10'000 : 400'000);
        const std::span<std::byte> to{memory.get() + at, size};
        std::fill(to.begin(), to.end(), std::byte{0xee});
        const std::size_t count = with.owner.run(with.manager.read(with.from, offset, to));
        BOOST_REQUIRE(count == std::min<std::uint64_t>(size, 1'000'001 - offset));
        BOOST_REQUIRE(test::is_pattern(to.first(count), 1, offset));
        for (std::size_t behind = count; behind < size; ++behind)
            BOOST_REQUIRE(to[behind] == std::byte{0xee});
    }
    BOOST_TEST(with.source->broken == 0u);
    BOOST_TEST(with.owner.run(with.manager.statistics()).bypasses > 100u);
}

BOOST_AUTO_TEST_CASE(aligned_memory_is_read_into_by_one_read_a_chunk) {
    pinned_full with{1_MiB};
    with.pin_all();
    const std::unique_ptr<std::byte[], decltype(&std::free)> memory{
        static_cast<std::byte*>(std::aligned_alloc(4096, 128_KiB)), &std::free};
    const std::uint64_t before = with.source->reads;
    const std::span<std::byte> to{memory.get(), 128_KiB};
    BOOST_TEST(with.owner.run(with.manager.read(with.from, 256_KiB, to)) == to.size());
    BOOST_TEST(with.source->reads == before + 2);
}

BOOST_AUTO_TEST_CASE(every_error_of_a_source_says_where_past_the_cache_or_not) {
    const std::pair<mood, boost::system::error_code> cases[] = {
        {mood::runtime_error, errc::unhandled_exception},
        {mood::bad_alloc, system_error_code(ENOMEM)},
        {mood::eio, system_error_code(EIO)},
        {mood::too_little, errc::short_read},
        {mood::too_much, errc::bad_answer}};
    for (const bool full : {false, true}) {
        for (const auto& [how, code] : cases) {
            pinned_full with{1_MiB};
            if (full) with.pin_all();
            with.source->now = how;
            const error said = with.error_of_read(300'000, 100);
            BOOST_TEST(said.code == code, said.code.message());
            BOOST_TEST((said.where.doing == activity::read));
            BOOST_TEST(said.where.file == with.from.id().number);
            BOOST_TEST(said.where.offset == 300'000u);
            BOOST_TEST(said.where.size == 100u);
            BOOST_TEST(std::string{said.where.name.data()} == "any");
        }
    }
}

BOOST_AUTO_TEST_CASE(every_error_of_opening_says_which_name) {
    pinned_full with{1_MiB};
    for (const mood how : {mood::runtime_error, mood::bad_alloc, mood::eio}) {
        with.source->now = how;
        BOOST_CHECK_EXCEPTION(with.owner.run(with.manager.open("a name")), system_error,
                              [](const system_error& failure) {
                                  return failure.where().doing == activity::open &&
                                         std::string{failure.where().name.data()} == "a name";
                              });
    }
}

BOOST_AUTO_TEST_CASE(a_count_beyond_what_was_asked_is_no_answer) {
    pinned_full with{1_MiB};
    with.source->now = mood::too_much;
    BOOST_TEST(test::ask(with.owner, with.manager, {with.from, 0, 100}) == errc::bad_answer);
    // Nothing counts that was not asked for: whole units.
    BOOST_TEST(with.owner.run(with.manager.statistics()).bytes_read % 4096 == 0);
    with.source->now = mood::well;
    BOOST_TEST(!test::ask(with.owner, with.manager, {with.from, 0, 100}));
}

BOOST_AUTO_TEST_SUITE_END()
