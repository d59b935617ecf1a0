// Names, versions and handles of files.
#include "cache_support.hpp"
#include "pattern.hpp"
#include "scripted_source.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <cstring>
#include <thread>

BOOST_AUTO_TEST_SUITE(file_test)

using namespace leat;
using namespace leat::literals;
using leat::test::get;
using leat::test::script;
using leat::test::scripted_source;

namespace {

/// Sixteen bytes of each name, all of them of one version.
class careless_source {
public:
    struct file_type {
        std::string name;
        bool lasting = true;
        [[nodiscard]] std::uint64_t size() const noexcept { return 16; }
        [[nodiscard]] file_version version() const noexcept { return {}; }
        [[nodiscard]] bool settled() const noexcept { return lasting; }
    };
    explicit careless_source(std::shared_ptr<std::atomic<int>> reads, bool lasting = true)
        : reads_(std::move(reads)), lasting_(lasting) {}
    task<file_type> open(std::string name) { co_return file_type{std::move(name), lasting_}; }
    task<std::size_t> read(const file_type& from,
                           std::uint64_t,
                           std::span<std::byte> buffer,
                           priority) {
        ++*reads_;
        std::memset(buffer.data(), from.name.back(), 16);
        co_return std::size_t{16};
    }

private:
    std::shared_ptr<std::atomic<int>> reads_;
    bool lasting_;
};

task<char> first_byte(chunk_manager& manager, file from) {
    const chunk_config whole{from, 0, 16};
    const slice got = co_await manager.get_chunk(whole);
    co_return static_cast<char>(got.bytes()[0]);
}

}  // namespace

BOOST_AUTO_TEST_CASE(names_that_share_a_version_are_files_of_their_own) {
    const auto reads = std::make_shared<std::atomic<int>>(0);
    engine owner{test::small_engine(2, 2_MiB, 64_KiB)};
    chunk_manager lower{owner, careless_source{reads}};
    chunk_manager upper{owner, lower};
    for (chunk_manager* const manager : {&lower, &upper}) {
        const file a = owner.run(manager->open("a"));
        const file b = owner.run(manager->open("b"));
        const file again = owner.run(manager->open("a"));
        BOOST_TEST((a.id() != b.id()));
        BOOST_TEST((a.id() == again.id()));
        BOOST_TEST(owner.run(first_byte(*manager, a)) == 'a');
        BOOST_TEST(owner.run(first_byte(*manager, b)) == 'b');
        BOOST_TEST(owner.run(first_byte(*manager, again)) == 'a');
    }
    BOOST_TEST(*reads == 2);
}

BOOST_AUTO_TEST_CASE(what_is_not_settled_is_warm_only_while_it_is_open) {
    for (const bool lasting : {true, false}) {
        const auto reads = std::make_shared<std::atomic<int>>(0);
        engine owner{test::small_engine(2, 2_MiB, 64_KiB)};
        chunk_manager manager{owner, careless_source{reads, lasting}};
        file kept = owner.run(manager.open("a"));
        BOOST_TEST(owner.run(first_byte(manager, kept)) == 'a');
        file second = owner.run(manager.open("a"));
        BOOST_TEST((second.id() == kept.id()));
        BOOST_TEST(owner.run(first_byte(manager, second)) == 'a');
        BOOST_TEST(*reads == 1);
        const file_id closed = kept.id();
        kept = second = file{};
        kept = owner.run(manager.open("a"));
        BOOST_TEST((kept.id() == closed) == lasting);
        BOOST_TEST(owner.run(first_byte(manager, kept)) == 'a');
        BOOST_TEST(*reads == (lasting ? 1 : 2));
    }
}

BOOST_AUTO_TEST_CASE(a_file_of_several_names_fails_by_the_one_asked_for) {
    const auto source = std::make_shared<script>();
    source->size = 1000;
    engine owner{test::small_engine(2, 1_MiB, 64_KiB)};
    chunk_manager manager{owner, scripted_source{source}};
    const file one = owner.run(manager.open("one"));
    const file two = owner.run(manager.open("two"));
    BOOST_TEST((one.id() == two.id()));
    std::array<std::byte, 10> to{};
    for (const file& asked : {one, two}) {
        try {
            owner.run(manager.read(asked, 1001, to));
            BOOST_ERROR("it was to fail");
        } catch (const system_error& failure) {
            BOOST_TEST(std::string(failure.what()).find(asked.name()) != std::string::npos,
                       failure.what());
        }
    }
    try {  // an id has no name: the last one counts
        owner.run(get(manager, {one.id(), 1001, 10}));
        BOOST_ERROR("it was to fail");
    } catch (const system_error& failure) {
        BOOST_TEST(std::string(failure.what()).find("two") != std::string::npos, failure.what());
    }
}

BOOST_AUTO_TEST_CASE(sixteen_million_handles_and_more) {
    const auto source = std::make_shared<script>();
    source->size = 1000;
    engine owner{test::small_engine(1, 1_MiB, 64_KiB)};
    chunk_manager manager{owner, scripted_source{source}};
    const file first = owner.run(manager.open("one"));
    detail::file_registry& registry = first.record()->manager->cache.lock()->files();
    constexpr std::uint64_t more = (std::uint64_t{1} << 24) + 3;
    for (std::uint64_t i = 0; i < more; ++i) registry.share(*first.record());
    BOOST_TEST(!test::ask(owner, manager, {first, 0, 100}));
    BOOST_TEST((owner.run(manager.open("one")).id() == first.id()));
    for (std::uint64_t i = 0; i < more; ++i) registry.release(*first.record());
    BOOST_TEST(!test::ask(owner, manager, {first, 500, 100}));
    BOOST_TEST(source->open_files == 1);
}

BOOST_AUTO_TEST_CASE(copies_share_one_descriptor_and_the_last_closes_it) {
    const auto source = std::make_shared<script>();
    source->size = 1000;
    file outlives;
    {
        engine owner{test::small_engine(2, 1_MiB, 64_KiB)};
        chunk_manager manager{owner, scripted_source{source}};
        file first = owner.run(manager.open("one"));
        const file second = owner.run(manager.open("two"));
        BOOST_TEST((first.id() == second.id()));
        BOOST_TEST(source->open_files == 1);
        BOOST_TEST(first.name() == "one");
        BOOST_TEST(first.size() == 1000u);
        outlives = first;
        first = file{};
        BOOST_TEST(source->open_files == 1);
    }
    BOOST_TEST(outlives.size() == 1000u);
    BOOST_TEST(source->open_files == 1);
    outlives = file{};
    BOOST_TEST(source->open_files == 0);
}

BOOST_AUTO_TEST_CASE(opening_and_dropping_race_on_many_threads_without_loss) {
    const auto source = std::make_shared<script>();
    source->size = 1000;
    engine owner{test::small_engine(4, 4_MiB, 64_KiB)};
    chunk_manager manager{owner, scripted_source{source}};
    auto churn = [](chunk_manager& of, std::shared_ptr<script> with, int seed) -> task<int> {
        int wrong = 0;
        for (int i = 0; i < 300; ++i) {
            with->version = static_cast<std::uint64_t>(1 + (i + seed) % 3);
            const file one = co_await of.open("any");
            const file copy = one;
            const chunk_config config{copy, 0, 100};
            as_result asking{of.get_chunk(config)};
            const result<slice> got = co_await asking;
            if (!got && got.error().code != errc::file_changed) ++wrong;
            if (got && !test::is_pattern(got->bytes(), copy.version().inode, 0)) ++wrong;
        }
        co_return wrong;
    };
    std::vector<spawned<int>> running;
    for (int i = 0; i < 4; ++i)
        running.push_back(owner.spawn_on(static_cast<unsigned>(i), churn(manager, source, i)));
    for (auto& one : running) BOOST_TEST(one.get() == 0);
    BOOST_TEST(source->open_files == 0);
}

BOOST_AUTO_TEST_CASE(the_first_chunks_of_many_files_spread_over_shards_and_buckets) {
    const auto source = std::make_shared<script>();
    source->size = 1000;
    engine owner{test::small_engine(4, 4_MiB, 64_KiB)};
    chunk_manager manager{owner, scripted_source{source}};
    constexpr unsigned count = 1000;
    std::vector<file> files;
    std::vector<unsigned> on(4);
    std::vector<unsigned> in(1024);
    for (unsigned i = 0; i < count; ++i) {
        source->version = i + 1;
        files.push_back(owner.run(manager.open("any")));
        const file_id id = files.back();
        ++on[manager.owner({id, 0, 1})];
        ++in[detail::entry_table::hash(id.number, 0) % in.size()];
    }
    // At random, five standard deviations at most: 250 with one of 14; the fullest of so many
    // buckets has seven.
    for (const unsigned there : on) BOOST_TEST((there > 180 && there < 320), there);
    BOOST_TEST(*std::max_element(in.begin(), in.end()) <= 10u);
    BOOST_TEST(std::count(in.begin(), in.end(), 0u) < 480);  // 385 are expected
}

BOOST_AUTO_TEST_CASE(numbers_are_never_reused) {
    const auto source = std::make_shared<script>();
    source->size = 1000;
    engine owner{test::small_engine(1, 1_MiB, 64_KiB)};
    chunk_manager manager{owner, scripted_source{source}};
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t i = 0; i < 100; ++i) {
        source->version = i + 1;
        numbers.push_back(owner.run(manager.open("any")).id().number);
    }
    std::sort(numbers.begin(), numbers.end());
    BOOST_TEST((std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end()));
}

BOOST_AUTO_TEST_SUITE_END()
