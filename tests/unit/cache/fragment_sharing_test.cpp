// Requests that meet in a fragment while it is read, and how they end.
#include "fragments.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <vector>

BOOST_AUTO_TEST_SUITE(fragment_sharing_test)

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using leat::test::code_of;
using leat::test::extent_read;
using leat::test::extent_reads;
using leat::test::fragments;
using leat::test::is_pattern;
using leat::test::right_bytes;

namespace {

constexpr auto per_element = boost::test_tools::per_element();

using code_handle = spawned<boost::system::error_code>;

/// Requests whose reads do not end before release().
struct held : fragments {
    explicit held(std::uint64_t size = 10_MiB, std::uint64_t memory = 16_MiB)
        : fragments(size, memory) {
        source->held = true;
    }
    ~held() { source->held = false; }
    /// Returns when it waits.
    code_handle ask(std::uint64_t offset, std::uint64_t size) {
        code_handle asked = owner.spawn_on(0, code_of(manager, at(offset, size)));
        ++asked_;
        while (sum().waiting != asked_) std::this_thread::yield();
        return asked;
    }
    /// One of them has ended.
    void ended() { --asked_; }
    void release() { source->held = false; }

private:
    std::uint64_t asked_ = 0;
};

/// Whether no two of them have a byte in common.
bool disjoint(const extent_reads& reads) {
    for (std::size_t i = 1; i < reads.size(); ++i)
        if (reads[i - 1].offset + reads[i - 1].size > reads[i].offset) return false;
    return true;
}

}  // namespace

BOOST_AUTO_TEST_CASE(all_who_ask_for_an_absent_fragment_at_once_share_one_read) {
    held of;
    std::vector<code_handle> all;
    for (std::uint64_t i = 0; i < 30; ++i) all.push_back(of.ask(128_KiB + i * 100, 100));
    of.release();
    for (code_handle& one : all) BOOST_TEST(!one.get());
    BOOST_TEST(of.reads() == (extent_reads{{128_KiB, 4_KiB}}), per_element);
    BOOST_TEST(of.sum().misses == 30u);
}

BOOST_AUTO_TEST_CASE(different_units_of_a_fragment_at_once_are_read_once_each) {
    held of;
    std::vector<code_handle> all;
    for (const std::uint64_t in : {20_KiB, 0_KiB, 60_KiB, 24_KiB, 4_KiB, 20_KiB})
        all.push_back(of.ask(in, 4_KiB));
    all.push_back(of.ask(0, 64_KiB));
    BOOST_TEST(disjoint(of.reads()));
    of.release();
    for (code_handle& one : all) BOOST_TEST(!one.get());
    of.settle();
    for (std::uint64_t in = 0; in < 64_KiB; in += 4_KiB) BOOST_TEST(of.right(in, 4_KiB));
    BOOST_TEST(of.right(0, 64_KiB));
    BOOST_TEST(of.sum().chunks == 1u);
}

BOOST_AUTO_TEST_CASE(who_asks_for_more_of_a_fragment_waits_for_its_read_and_reads_the_rest) {
    held of;
    code_handle first = of.ask(0, 4_KiB);
    code_handle more = of.ask(0, 64_KiB);
    code_handle behind = of.ask(32_KiB, 4_KiB);
    BOOST_TEST(of.source->reads == 1u);
    of.release();
    BOOST_TEST(!first.get());
    BOOST_TEST(!more.get());
    BOOST_TEST(!behind.get());
    const extent_reads expected{{0, 4_KiB}, {4_KiB, 60_KiB}};
    BOOST_TEST(of.reads() == expected, per_element);
}

BOOST_AUTO_TEST_CASE(requests_across_fragments_read_nothing_that_is_being_read) {
    held of;
    std::vector<code_handle> all;
    all.push_back(of.ask(64_KiB, 8_KiB));
    all.push_back(of.ask(200_KiB, 4_KiB));
    all.push_back(of.ask(60_KiB, 8_KiB));     // ends in the first
    all.push_back(of.ask(0, 4_KiB));          // in the fragment where that begins
    all.push_back(of.ask(100_KiB, 300_KiB));  // has the second amid it
    all.push_back(of.ask(180_KiB, 40_KiB));
    all.push_back(of.ask(1_MiB - 80_KiB, 80_KiB));  // nothing is in its way
    const extent_reads now = of.reads();
    BOOST_TEST(disjoint(now));
    BOOST_TEST(now.size() >= 3u);
    of.release();
    for (code_handle& one : all) BOOST_TEST(!one.get());
    of.settle();
    BOOST_TEST(of.right(60_KiB, 8_KiB));
    BOOST_TEST(of.right(100_KiB, 300_KiB));
    BOOST_TEST(of.right(180_KiB, 40_KiB));
    BOOST_TEST(of.right(1_MiB - 80_KiB, 80_KiB));
}

BOOST_AUTO_TEST_CASE(a_whole_chunk_is_not_read_beside_a_fragment_of_it) {
    held of{40_MiB, 64_MiB};
    code_handle part = of.ask(5_MiB + 256_KiB, 4_KiB);
    slices_options options;
    auto walk = [](chunk_manager& manager, file from, slices_options with) -> task<bool> {
        slice_stream stream = manager.slices(from, 5_MiB, 1_MiB, with);
        bool right = true;
        for (std::uint64_t at = 5_MiB; at < 6_MiB;) {
            const slice next = co_await stream.next();
            right = right && next && is_pattern(next.bytes(), 1, at);
            at += next.size();
        }
        co_return right;
    };
    auto all = of.owner.spawn_on(0, walk(of.manager, of.from, options));
    while (of.sum().waiting < 2) std::this_thread::yield();
    BOOST_TEST(disjoint(of.reads()));
    of.release();
    BOOST_TEST(!part.get());
    BOOST_TEST(all.get());
}

BOOST_AUTO_TEST_CASE(an_error_reaches_those_who_wait_for_the_unit_and_the_next_call_tries_again) {
    held of;
    of.source->bad_from = 1_MiB;
    of.source->bad_to = 1_MiB + 1;
    std::vector<code_handle> bad;
    for (int i = 0; i < 5; ++i) bad.push_back(of.ask(1_MiB, 100));
    code_handle good = of.ask(2_MiB, 100);
    of.release();
    for (code_handle& one : bad) BOOST_TEST(one.get().value() == EIO);
    BOOST_TEST(!good.get());
    of.settle();
    BOOST_TEST(of.sum().failed_reads >= 1u);
    BOOST_TEST(of.sum().chunks == 1u);  // nothing failed is kept
    of.source->bad_from = ~std::uint64_t{0};
    BOOST_TEST(of.right(1_MiB, 100));
}

BOOST_AUTO_TEST_CASE(where_growth_fails_what_was_there_stays) {
    held of;
    of.release();
    const slice before = of.get(0, 4_KiB);
    of.source->failing_read = 2;
    const boost::system::error_code first = of.code(4_KiB, 60_KiB);
    BOOST_TEST(first.value() == EIO);
    BOOST_TEST(is_pattern(before.bytes(), 1, 0));
    BOOST_TEST(of.right(0, 4_KiB));
    BOOST_TEST(of.right(4_KiB, 60_KiB));
    BOOST_TEST(of.source->bytes == 4_KiB + 2 * 60_KiB);
}

BOOST_AUTO_TEST_CASE(a_source_that_gives_too_little_is_an_error_and_nothing_is_kept) {
    fragments of{1_MiB};
    of.source->too_little = true;
    BOOST_TEST(of.code(0, 100) == errc::short_read);
    of.settle();
    BOOST_TEST(of.sum().chunks == 0u);
    of.source->too_little = false;
    BOOST_TEST(of.right(0, 100));
}

BOOST_AUTO_TEST_CASE(a_file_that_changes_ends_who_waits_and_leaves_slices_as_they_are) {
    held of;
    of.release();
    const slice before = of.get(0, 4_KiB);
    of.source->held = true;
    code_handle grows = of.ask(32_KiB, 4_KiB);
    code_handle alone = of.ask(1_MiB, 4_KiB);
    code_handle crosses = of.ask(1_MiB + 60_KiB, 8_KiB);
    of.source->version = 2;
    of.release();
    BOOST_TEST(grows.get() == errc::file_changed);
    BOOST_TEST(alone.get() == errc::file_changed);
    BOOST_TEST(crosses.get() == errc::file_changed);
    BOOST_TEST(is_pattern(before.bytes(), 1, 0));
    BOOST_TEST(of.code(32_KiB, 4_KiB) == errc::file_changed);
    const file anew = of.owner.run(of.manager.open("any"));
    const slice fresh = of.owner.run(test::get(of.manager, {anew, 0, 8192}));
    BOOST_TEST(is_pattern(fresh.bytes(), 2, 0));
    BOOST_TEST(is_pattern(before.bytes(), 1, 0));
}

BOOST_AUTO_TEST_CASE(who_gives_up_ends_alone_wherever_he_waits) {
    held of;
    code_handle reads = of.ask(0, 4_KiB);
    code_handle shares = of.ask(0, 4_KiB);
    code_handle held_up = of.ask(0, 64_KiB);
    code_handle stays = of.ask(32_KiB, 8_KiB);
    for (code_handle* one : {&held_up, &shares}) {
        one->request_stop();
        BOOST_TEST(one->get() == errc::cancelled);
    }
    of.release();
    BOOST_TEST(!reads.get());
    BOOST_TEST(!stays.get());
    of.settle();
    BOOST_TEST(of.right(0, 64_KiB));
}

BOOST_AUTO_TEST_CASE(what_nobody_waits_for_any_more_is_not_kept_and_those_behind_it_are_served) {
    held of;
    code_handle only = of.ask(0, 4_KiB);
    code_handle behind = of.ask(0, 64_KiB);
    only.request_stop();
    // Its read observes the stop, and whoever it held up is served by one of his own.
    BOOST_TEST(only.get() == errc::cancelled);
    of.release();
    BOOST_TEST(!behind.get());
    BOOST_TEST(of.right(0, 64_KiB));
    BOOST_TEST(of.sum().chunks == 1u);
}

namespace {

// Whole fragments, as many as there is memory for: hardly two chunks.
std::vector<slice> pin_all(fragments& of) {
    std::vector<slice> pins;
    for (std::uint64_t at = 0;; at += 192_KiB) {
        const chunk_config next = of.at(at, 64_KiB, hint::no_wait);
        if (of.owner.run(code_of(of.manager, next))) break;
        pins.push_back(of.get(at, 64_KiB));
    }
    BOOST_TEST(pins.size() >= 28u);
    return pins;
}

}  // namespace

BOOST_AUTO_TEST_CASE(who_waits_for_a_buffer_may_give_up_and_those_behind_him_are_served) {
    fragments of{10_MiB, 2_MiB};
    std::vector<slice> pins = pin_all(of);
    code_handle first = of.owner.spawn_on(0, code_of(of.manager, of.at(7_MiB, 64_KiB)));
    test::wait_for_waiting(of.owner, of.manager, 1);
    code_handle second = of.owner.spawn_on(0, code_of(of.manager, of.at(8_MiB, 64_KiB)));
    test::wait_for_waiting(of.owner, of.manager, 2);
    first.request_stop();
    BOOST_TEST(first.get() == errc::cancelled);
    pins.pop_back();
    BOOST_TEST(!second.get());
}

BOOST_AUTO_TEST_CASE(where_all_is_pinned_requests_wait_and_copies_are_read_past_the_cache) {
    fragments of{10_MiB, 2_MiB};
    std::vector<slice> pins = pin_all(of);
    chunk_config wanted = of.at(7_MiB, 4_KiB, hint::no_wait);
    BOOST_TEST(of.owner.run(code_of(of.manager, wanted)) == errc::all_pinned);
    std::vector<std::byte> to(100'000);
    BOOST_TEST(of.owner.run(of.manager.read(of.from, 7_MiB + 50, to)) == to.size());
    BOOST_TEST(is_pattern(to, 1, 7_MiB + 50));
    BOOST_TEST(of.sum().bypasses > 0u);
    code_handle waits = of.owner.spawn_on(0, code_of(of.manager, of.at(7_MiB, 4_KiB)));
    test::wait_for_waiting(of.owner, of.manager, 1);
    pins.clear();
    BOOST_TEST(!waits.get());
}

BOOST_AUTO_TEST_CASE(stopping_ends_all_who_wait) {
    const auto source = fragments::script_with(10_MiB);
    engine_options options = test::small_engine(1, 16_MiB, 1_MiB);
    options.stop_timeout = 10s;
    engine owner{options};
    chunk_manager manager{owner, test::scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    source->held = true;
    std::vector<code_handle> all;
    const auto ask = [&](std::uint64_t offset, std::uint32_t size) {
        all.push_back(owner.spawn_on(0, code_of(manager, {from, offset, size})));
        test::wait_for_waiting(owner, manager, all.size());
    };
    ask(0, 4096);
    ask(0, 65536);
    ask(32768, 65536);
    ask(1_MiB, 4096);
    owner.stop();
    const stop_report report = owner.join();
    BOOST_TEST(!report.code, report.owed);
    for (code_handle& one : all) BOOST_TEST(bool{one.get()});
}

BOOST_AUTO_TEST_SUITE_END()
