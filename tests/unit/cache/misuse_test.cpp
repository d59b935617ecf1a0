// A programmer's errors at the cache's interface end the process with a sentence, in every build.
#include "misuse.hpp"

#include "cache_support.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <optional>

BOOST_AUTO_TEST_SUITE(misuse_test)

using namespace leat;
using namespace leat::literals;
using leat::test::dies_saying;
using leat::test::get;
using leat::test::script_of;
using leat::test::scripted_source;
using leat::test::small_engine;

namespace {

struct served {
    engine owner{small_engine(2, 1_MiB, 64_KiB)};
    chunk_manager manager{owner, scripted_source{script_of(1_MiB)}};
    file from = owner.run(manager.open("any"));
};

template <class Function>
bool dies_off_the_shards(Function use) {
    return dies_saying("on a thread that runs no shard", [&] {
        served with;
        use(with);
    });
}

// use(served&) gives a task, which is run by another engine.
template <class Function>
bool dies_on_another_engine(Function use, bool with_cache) {
    return dies_saying("on a shard of another engine", [&] {
        served with;
        engine other{small_engine(1, 1_MiB, 64_KiB)};
        std::optional<chunk_manager> its;
        if (with_cache) its.emplace(other, scripted_source{script_of(1_MiB)});
        other.run(use(with));
    });
}

}  // namespace

BOOST_AUTO_TEST_CASE(off_the_shards_a_manager_says_so) {
    BOOST_TEST(dies_off_the_shards(
        [](served& with) { (void)with.manager.get_chunk({with.from, 0, 1}).await_ready(); }));
    BOOST_TEST(
        dies_off_the_shards([](served& with) { (void)with.manager.peek({with.from, 0, 1}); }));
    BOOST_TEST(
        dies_off_the_shards([](served& with) { (void)with.manager.slices(with.from, 0, 1); }));
}

BOOST_AUTO_TEST_CASE(on_a_shard_of_another_engine_a_manager_says_so) {
    for (const bool with_cache : {false, true}) {
        BOOST_TEST(dies_on_another_engine(
            [](served& with) { return get(with.manager, {with.from, 0, 1}); }, with_cache));
        BOOST_TEST(dies_on_another_engine([](served& with) { return with.manager.open("any"); },
                                          with_cache));
        BOOST_TEST(dies_on_another_engine([](served& with) { return with.manager.statistics(); },
                                          with_cache));
        BOOST_TEST(dies_on_another_engine(
            [](served& with) {
                static std::byte to[1];
                return with.manager.read(with.from, 0, to);
            },
            with_cache));
        auto look = [](served& with) -> task<> {
            (void)with.manager.peek({with.from, 0, 1});
            co_return;
        };
        BOOST_TEST(dies_on_another_engine(look, with_cache));
        auto walk = [](served& with) -> task<> {
            (void)with.manager.slices(with.from, 0, 1);
            co_return;
        };
        BOOST_TEST(dies_on_another_engine(walk, with_cache));
    }
}

BOOST_AUTO_TEST_CASE(a_request_awaited_twice_says_so) {
    for (const std::uint32_t size : {100u, 0u}) {  // one that succeeds, one that fails
        BOOST_TEST(dies_saying("each is awaited once", [size] {
            served with;
            auto body = [](served& all, std::uint32_t wanted) -> task<> {
                as_result asking{all.manager.get_chunk({all.from, 0, wanted})};
                const result<slice> first = co_await asking;
                const result<slice> second = co_await asking;
            };
            with.owner.run(body(with, size));
        }));
    }
}

BOOST_AUTO_TEST_CASE(a_stream_of_slices_on_another_shard_says_so) {
    BOOST_TEST(dies_saying("a slice_stream was used", [] {
        served with;
        auto body = [](served& all) -> task<> {
            slice_stream walk = all.manager.slices(all.from, 0, 1_MiB);
            const unsigned elsewhere = 1 - this_shard().index();
            auto next = [](slice_stream& of) -> task<> { (void)co_await of.next(); };
            const auto running = all.owner.spawn_on(elsewhere, next(walk));
            for (;;) co_await leat::sleep(std::chrono::milliseconds{1});
        };
        with.owner.run(body(with));
    }));
}

BOOST_AUTO_TEST_CASE(a_share_elsewhere_and_a_subslice_beyond_the_end_say_so) {
    BOOST_TEST(dies_saying("a slice was shared on a thread other", [] {
        served with;
        const slice held = with.owner.run(get(with.manager, {with.from, 0, 100}));
        (void)held.share();
    }));
    BOOST_TEST(dies_saying("does not lie inside its slice", [] {
        served with;
        slice held = with.owner.run(get(with.manager, {with.from, 0, 100}));
        (void)std::move(held).subslice(50, 51);
    }));
}

BOOST_AUTO_TEST_SUITE_END()
