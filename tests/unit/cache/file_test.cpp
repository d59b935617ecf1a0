#include "pattern.hpp"
#include "scripted_source.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <thread>

using namespace leat;
using namespace leat::literals;
using leat::test::script;
using leat::test::scripted_source;

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
