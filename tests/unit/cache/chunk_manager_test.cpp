// What users ask of a manager: bytes, errors, lifetimes.
#include "cache_support.hpp"
#include "pattern.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <random>
#include <thread>

BOOST_AUTO_TEST_SUITE(chunk_manager_test)

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using leat::test::ask;
using leat::test::both_backends;
using leat::test::code_of;
using leat::test::get;
using leat::test::script_of;
using leat::test::scripted_source;
using leat::test::small_engine;

namespace {

task<> pause(std::chrono::milliseconds time) {
    co_await leat::sleep(time);
}

/// Random pieces, some at borders of units, chunks and the file; returns how many had wrong bytes.
task<std::uint64_t> random_reader(chunk_manager& manager,
                                  file from,
                                  std::uint64_t seed,
                                  int requests) {
    std::mt19937_64 random{seed};
    const std::uint64_t chunk = manager.chunk_size();
    std::uint64_t wrong = 0;
    for (int i = 0; i < requests; ++i) {
        std::uint64_t offset = random() % from.size();
        if (i % 3 == 0)
            offset = std::min(from.size() - 1,
                              offset / unit_size * unit_size + unit_size - random() % 2);
        if (i % 7 == 0)
            offset = from.size() - 1 - random() % std::min<std::uint64_t>(from.size(), 5000);
        std::uint64_t size = 1 + random() % (i % 5 == 0 ? chunk : 3 * unit_size);
        size = std::min({size, chunk - offset % chunk, from.size() - offset});
        const chunk_config config{from, offset, static_cast<std::uint32_t>(size)};
        const slice got = co_await manager.get_chunk(config);
        if (got.size() != size || !test::is_pattern(got.bytes(), 1, offset)) ++wrong;
        if (random() % 16 == 0)
            co_await resume_on(static_cast<unsigned>(random() % this_shard().engine().shards()));
    }
    co_return wrong;
}

task<std::uint64_t> many_readers(
    chunk_manager& manager, file from, std::uint64_t seed, int readers, int requests) {
    std::vector<task<std::uint64_t>> jobs;
    for (int i = 0; i < readers; ++i)
        jobs.push_back(
            random_reader(manager, from, seed * 1000 + static_cast<unsigned>(i), requests));
    const std::vector<std::uint64_t> wrong = co_await when_all(std::move(jobs));
    std::uint64_t sum = 0;
    for (const std::uint64_t one : wrong) sum += one;
    co_return sum;
}

void check_property(io::backend_kind kind,
                    unsigned shards,
                    std::uint64_t chunk,
                    std::uint64_t size,
                    std::uint64_t memory) {
    const test::temporary_folder folder;
    const std::string path = folder.make("data", size);
    const std::size_t descriptors = test::open_descriptors();
    const std::int64_t frames = detail::frame_pool::live();
    {
        engine owner{small_engine(shards, memory, chunk, kind)};
        {
            chunk_manager manager{owner, file_source{}};
            file from = owner.run(manager.open(path));
            std::vector<spawned<std::uint64_t>> running;
            for (unsigned shard = 0; shard < shards; ++shard) {
                running.push_back(owner.spawn_on(shard, many_readers(manager, from, shard, 6, 40)));
            }
            for (auto& one : running) BOOST_TEST(one.get() == 0u);
            from = file{};
            test::wait_for_waiting(owner, manager, 0);  // of what was asked ahead
            const cache_statistics sum = owner.run(manager.statistics());
            BOOST_TEST(sum.pins == 0u);
            BOOST_TEST(sum.referred_bytes == 0u);
            if (size > memory) BOOST_TEST(sum.evictions > 0u);
        }
        owner.stop();
        const stop_report report = owner.join();
        BOOST_TEST(!report.code);
        BOOST_TEST(report.held == 0u);
    }
    BOOST_TEST(detail::frame_pool::live() == frames);
    BOOST_TEST(test::open_descriptors() == descriptors);
}

}  // namespace

BOOST_DATA_TEST_CASE(random_requests_always_give_the_files_bytes, both_backends, kind) {
    check_property(kind, 1, 64_KiB, 5 * 64_KiB + 1, 128_KiB);
    check_property(kind, 2, 64_KiB, 40 * 64_KiB - 1, 1_MiB);
    check_property(kind, 4, 64_KiB, 999'999, 512_KiB);
    check_property(kind, 3, 1_MiB, 20 * 1_MiB + 4097, 6_MiB);
}

BOOST_AUTO_TEST_CASE(requests_that_cannot_be_are_refused_with_a_clear_error) {
    engine owner{small_engine(2, 4_MiB, 64_KiB)};
    chunk_manager manager{owner, scripted_source{script_of(100'000)}};
    const file from = owner.run(manager.open("any"));
    const std::uint64_t top = ~std::uint64_t{0};
    BOOST_TEST(ask(owner, manager, {from, 0, 0}) == errc::out_of_range);
    BOOST_TEST(ask(owner, manager, {from, 5, 0}) == errc::out_of_range);
    BOOST_TEST(ask(owner, manager, {from, 100'000, 1}) == errc::out_of_range);
    BOOST_TEST(ask(owner, manager, {from, 99'999, 2}) == errc::out_of_range);
    BOOST_TEST(ask(owner, manager, {from, 1, 4'294'967'295}) == errc::out_of_range);
    for (const std::uint64_t offset :
         {std::uint64_t{1} << 63, (std::uint64_t{1} << 63) - 1, top, top - 4095}) {
        BOOST_TEST(ask(owner, manager, {from, offset, 4096}) == errc::out_of_range);
    }
    BOOST_TEST(ask(owner, manager, {from, 64_KiB - 1, 2}) == errc::crosses_chunk);
    BOOST_TEST(ask(owner, manager, {file_id{}, 0, 1}) == errc::closed);
    BOOST_TEST(ask(owner, manager, {file_id{top}, 0, 1}) == errc::closed);
    BOOST_TEST(!ask(owner, manager, {from, 99'999, 1}));
    // The same while the chunk is in memory.
    BOOST_TEST(ask(owner, manager, {from, 99'999, 0}) == errc::out_of_range);
    BOOST_TEST(ask(owner, manager, {from, 99'999, 2}) == errc::out_of_range);
    try {
        owner.run(get(manager, {from, 99'999, 2}));
        BOOST_ERROR("it was served");
    } catch (const system_error& failure) {
        const std::string text = failure.what();
        BOOST_TEST(text.find("any") != std::string::npos);
        BOOST_TEST(text.find("99999") != std::string::npos);
        BOOST_TEST(failure.where().size == 2u);
    }
}

BOOST_AUTO_TEST_CASE(an_id_is_stale_once_its_file_is_closed_and_warm_again_when_reopened) {
    engine owner{small_engine(2, 4_MiB, 64_KiB)};
    const auto source = script_of(200'000);
    chunk_manager manager{owner, scripted_source{source}};
    file from = owner.run(manager.open("any"));
    const file_id id = from;
    BOOST_TEST(!ask(owner, manager, {id, 0, 4096}));
    owner.run(pause(20ms));
    from = file{};
    BOOST_TEST(ask(owner, manager, {id, 0, 4096}) == errc::closed);
    BOOST_TEST(source->open_files == 0);
    const std::uint64_t reads = source->reads;
    from = owner.run(manager.open("any"));
    BOOST_TEST((from.id() == id));
    BOOST_TEST(!ask(owner, manager, {id, 0, 4096}));
    BOOST_TEST(source->reads == reads);
    source->version = 2;
    const file newer = owner.run(manager.open("any"));
    BOOST_TEST((newer.id() != id));
    const slice fresh = owner.run(get(manager, {newer, 0, 4096}));
    BOOST_TEST(test::is_pattern(fresh.bytes(), 2, 0));
}

BOOST_AUTO_TEST_CASE(a_thousand_coroutines_on_two_shards_read_each_byte_once) {
    const test::temporary_folder folder;
    const std::uint64_t size = 1_MiB;
    const std::string path = folder.make("data", size);
    engine owner{small_engine(2, 8_MiB, 1_MiB)};
    chunk_manager manager{owner, file_source{}, {.grain = 1_MiB}};
    const file from = owner.run(manager.open(path));
    auto waiter = [](chunk_manager& one, file of, std::uint64_t i) -> task<std::uint64_t> {
        const chunk_config config{of, i * 1024, 1024};
        const slice got = co_await one.get_chunk(config);
        co_return test::is_pattern(got.bytes(), 1, i * 1024) ? 0 : 1;
    };
    auto all = [&waiter](chunk_manager& one, file of, std::uint64_t first) -> task<std::uint64_t> {
        std::vector<task<std::uint64_t>> jobs;
        for (std::uint64_t i = first; i < 1000; i += 2) jobs.push_back(waiter(one, of, i));
        const std::vector<std::uint64_t> wrong = co_await when_all(std::move(jobs));
        std::uint64_t sum = 0;
        for (const std::uint64_t one_wrong : wrong) sum += one_wrong;
        co_return sum;
    };
    auto even = owner.spawn_on(0, all(manager, from, 0));
    auto odd = owner.spawn_on(1, all(manager, from, 1));
    BOOST_TEST(even.get() == 0u);
    BOOST_TEST(odd.get() == 0u);
    const chunk_config whole{from, 0, static_cast<std::uint32_t>(size)};
    BOOST_TEST(owner.run(get(manager, whole)).size() == size);
    const cache_statistics sum = owner.run(manager.statistics());
    BOOST_TEST(sum.fills == 1u);
    BOOST_TEST(sum.bytes_read == size);
    owner.stop();
    owner.join();
}

BOOST_AUTO_TEST_CASE(demanded_bytes_are_read_first_and_alone) {
    engine owner{small_engine(1, 8_MiB, 1_MiB)};
    const auto source = script_of(1_MiB);
    source->delay_ms = 5;
    source->background_delay_ms = 60'000;  // cancelled at the end
    chunk_manager manager{owner, scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    const slice got = owner.run(get(manager, {from, 100, 100}));
    BOOST_TEST(test::is_pattern(got.bytes(), 1, 100));
    owner.run(pause(1ms));
    BOOST_TEST(source->reads == 2u);  // the rest follows, but not beside
    BOOST_TEST(source->most_in_flight == 1);
    const std::lock_guard lock{source->mutex};
    BOOST_TEST(source->log.at(0).size == unit_size);
    BOOST_TEST(source->log.at(0).offset == 0u);
    BOOST_TEST(source->log.at(1).size == 1_MiB - unit_size);
}

BOOST_AUTO_TEST_CASE(an_error_reaches_only_those_who_asked_for_the_failed_bytes) {
    engine owner{small_engine(2, 8_MiB, 1_MiB)};
    const auto source = script_of(2_MiB);
    source->bad_from = 700'000;
    source->bad_to = 700'001;
    chunk_manager manager{owner, scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    BOOST_TEST(!ask(owner, manager, {from, 0, 4096}));
    BOOST_TEST(ask(owner, manager, {from, 699'000, 4096}) == system_error_code(EIO));
    BOOST_TEST(ask(owner, manager, {from, 0, 1_MiB}) == system_error_code(EIO));
    BOOST_TEST(!ask(owner, manager, {from, 800'000, 4096}));
    BOOST_TEST(!ask(owner, manager, {from, 1_MiB, 1_MiB}));
    source->bad_to = 0;  // nothing failed is cached
    BOOST_TEST(!ask(owner, manager, {from, 699'000, 4096}));
    const slice whole = owner.run(get(manager, {from, 0, 1_MiB}));
    BOOST_TEST(test::is_pattern(whole.bytes(), 1, 0));
}

BOOST_AUTO_TEST_CASE(
    a_large_request_behind_a_small_one_is_served_though_the_chunk_fills_on_demand) {
    engine owner{small_engine(1, 8_MiB, 1_MiB)};
    const auto source = script_of(1_MiB);
    source->bad_from = 500'000;
    source->bad_to = 500'001;
    chunk_manager manager{owner, scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    BOOST_TEST(!ask(owner, manager, {from, 0, 100}));
    BOOST_TEST(ask(owner, manager, {from, 500'000, 1}) == system_error_code(EIO));
    source->bad_to = 0;
    source->delay_ms = 5;
    const auto both = [](const chunk_manager& of, file_id id) -> task<std::size_t> {
        const auto slices =
            co_await when_all(get(of, {id, 600'000, 100}), get(of, {id, 0, 900'000}));
        co_return std::get<0>(slices).size() + std::get<1>(slices).size();
    };
    BOOST_TEST(owner.run(both(manager, from)) == 900'100u);
}

BOOST_AUTO_TEST_CASE(a_source_that_gives_too_little_or_fails_to_open_is_reported) {
    engine owner{small_engine(1, 8_MiB, 1_MiB)};
    const auto source = script_of(1_MiB);
    source->too_little = true;
    chunk_manager manager{owner, scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    BOOST_TEST(ask(owner, manager, {from, 0, 4096}) == errc::short_read);
    BOOST_CHECK_EXCEPTION(
        owner.run(manager.open("missing")), system_error, [](const system_error& failure) {
            return failure.code() == system_error_code(ENOENT) &&
                   std::string{failure.what()}.find("missing") != std::string::npos;
        });
}

BOOST_AUTO_TEST_CASE(with_every_chunk_pinned_requests_wait_in_order_then_fail_and_read_goes_past) {
    engine owner{small_engine(1, 128_KiB, 64_KiB)};
    manager_options options;
    options.pin_deadline = 1000ms;
    chunk_manager manager{owner, scripted_source{script_of(640'000)}, options};
    const file from = owner.run(manager.open("any"));
    slice first = owner.run(get(manager, {from, 0, 100}));
    const slice second = owner.run(get(manager, {from, 64_KiB, 100}));
    BOOST_TEST(ask(owner, manager, {from, 128_KiB, 100}) == errc::all_pinned);
    std::vector<std::byte> copy(200'000);
    BOOST_TEST(owner.run(manager.read(from, 100'000, copy)) == copy.size());
    BOOST_TEST(test::is_pattern(copy, 1, 100'000));
    auto waiting = owner.spawn_on(0, code_of(manager, {from, 192_KiB, 100}));
    test::wait_for_waiting(owner, manager, 1);
    first = {};  // on this thread, which is no shard
    BOOST_TEST(!waiting.get());
    const cache_statistics sum = owner.run(manager.statistics());
    BOOST_TEST(sum.pins == 1u);
    BOOST_TEST(sum.pinned_bytes == 64_KiB);
    BOOST_TEST(sum.referred_bytes == 100u);
    BOOST_TEST(sum.oldest_pin.count() > 0);
    BOOST_TEST(sum.bypasses > 0u);
    static_cast<void>(second);
}

BOOST_AUTO_TEST_CASE(
    a_manager_over_a_manager_with_another_chunk_size_even_with_the_lower_all_pinned) {
    engine owner{small_engine(2, 4_MiB, 256_KiB)};
    const auto source = script_of(3'000'001);
    chunk_manager lower{owner, scripted_source{source}};
    manager_options options;
    options.chunk_size = 64_KiB;
    chunk_manager upper{owner, lower, options};
    const file above = owner.run(upper.open("any"));
    const file below = owner.run(lower.open("any"));
    BOOST_TEST(owner.run(many_readers(upper, above, 7, 4, 50)) == 0u);
    std::vector<slice> pins;
    for (std::uint64_t offset = 0; offset + 256_KiB < source->size; offset += 256_KiB) {
        chunk_config config{below, offset, 1};
        config.hint = hint::no_wait;
        as_result asking{lower.get_chunk(config)};
        auto one = [](as_result& ask_it) -> task<slice> {
            result<slice> got = co_await ask_it;
            co_return got ? std::move(*got) : slice{};
        };
        pins.push_back(owner.run(one(asking)));
    }
    std::vector<std::byte> copy(source->size);
    BOOST_TEST(owner.run(upper.read(above, 0, copy)) == copy.size());
    BOOST_TEST(test::is_pattern(copy, 1, 0));
    pins.clear();
    BOOST_TEST(owner.run(many_readers(upper, above, 8, 4, 50)) == 0u);
}

BOOST_AUTO_TEST_CASE(fills_go_on_after_their_managers_and_files_are_gone) {
    engine owner{small_engine(2, 4_MiB, 256_KiB)};
    const auto source = script_of(3'000'001);
    source->background_delay_ms = 5;
    {
        chunk_manager lower{owner, scripted_source{source}};
        chunk_manager upper{owner, lower, {.chunk_size = 64_KiB}};
        const file above = owner.run(upper.open("any"));
        for (std::uint64_t index = 0; index < 40; index += 7) {
            BOOST_TEST(!ask(owner, upper, {above, index * 64_KiB, 100}));
        }
    }
    owner.run(pause(20ms));
    BOOST_TEST(source->open_files == 0);
}

BOOST_AUTO_TEST_CASE(an_empty_file_opens_and_has_no_bytes) {
    const test::temporary_folder folder;
    engine owner{small_engine(1, 2_MiB, 64_KiB)};
    chunk_manager manager{owner, file_source{}};
    const file from = owner.run(manager.open(folder.make("empty", 0)));
    BOOST_TEST(from.size() == 0u);
    BOOST_TEST(ask(owner, manager, {from, 0, 1}) == errc::out_of_range);
    std::vector<std::byte> copy(10);
    BOOST_TEST(owner.run(manager.read(from, 0, copy)) == 0u);
}

BOOST_AUTO_TEST_CASE(a_budget_below_two_chunks_a_shard_is_refused_with_the_numbers) {
    engine owner{small_engine(2, 4_MiB, 64_KiB)};
    manager_options options;
    options.chunk_size = 2_MiB;
    BOOST_CHECK_EXCEPTION((chunk_manager{owner, file_source{}, options}), system_error,
                          [](const system_error& failure) {
                              return failure.code() == errc::budget_too_small &&
                                     std::string{failure.what()}.find("2 MiB") != std::string::npos;
                          });
    engine segments_of_10{small_engine(1, 33_MiB, 10_MiB)};
    options.chunk_size = 15_MiB;
    BOOST_CHECK_EXCEPTION((chunk_manager{segments_of_10, file_source{}, options}), system_error,
                          [](const system_error& failure) {
                              return failure.code() == errc::budget_too_small &&
                                     std::string{failure.what()}.find("10 MiB") !=
                                         std::string::npos;
                          });
    options.chunk_size = 100'000;
    BOOST_CHECK_EXCEPTION(
        (chunk_manager{owner, file_source{}, options}), system_error,
        [](const system_error& failure) { return failure.code() == errc::invalid_option; });
}

BOOST_AUTO_TEST_CASE(peek_gives_what_is_there_and_never_reads) {
    engine owner{small_engine(1, 4_MiB, 64_KiB)};
    const auto source = script_of(200'000);
    chunk_manager manager{owner, scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    auto look = [](chunk_manager& at, chunk_config config) -> task<std::size_t> {
        co_return at.peek(config).size();
    };
    BOOST_TEST(owner.run(look(manager, {from, 0, 100})) == 0u);
    BOOST_TEST(source->reads == 0u);
    BOOST_TEST(!ask(owner, manager, {from, 0, 100}));
    BOOST_TEST(owner.run(look(manager, {from, 0, 100})) == 100u);
    BOOST_TEST(owner.run(look(manager, {from, 0, 0})) == 0u);
}

BOOST_AUTO_TEST_CASE(a_request_with_a_deadline_of_its_own_times_out) {
    engine owner{small_engine(2, 2_MiB, 64_KiB)};
    const auto source = script_of(4_MiB);
    source->delay_ms = 60'000;
    chunk_manager manager{owner, scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    const auto within = [](const chunk_manager& of, chunk_config config) -> task<slice> {
        co_return co_await with_timeout(of.get_chunk(config), 5ms);
    };
    for (std::uint64_t index = 0; index < 4; ++index) {  // here and on the other shard
        BOOST_CHECK_EXCEPTION(
            owner.run(within(manager, {from, index * 64_KiB, 100})), system_error,
            [](const system_error& failure) { return failure.code() == errc::timed_out; });
    }
}

BOOST_AUTO_TEST_CASE(one_waiters_cancellation_cancels_only_itself) {
    engine owner{small_engine(2, 4_MiB, 64_KiB)};
    const auto source = script_of(640'000);
    source->delay_ms = 50;
    chunk_manager manager{owner, scripted_source{source}};
    const file from = owner.run(manager.open("any"));
    auto hurried = [](chunk_manager& of, chunk_config config) -> task<boost::system::error_code> {
        try {
            co_await with_timeout(get(of, config), 10ms);
        } catch (const system_error& failure) {
            co_return failure.code();
        }
        co_return boost::system::error_code{};
    };
    for (std::uint64_t chunk = 0; chunk < 4; ++chunk) {  // some owned here, some on the other shard
        const chunk_config config{from, chunk * 64_KiB, 100};
        auto patient = owner.spawn_on(1, code_of(manager, config));
        auto impatient = owner.spawn_on(0, hurried(manager, config));
        BOOST_TEST(impatient.get() == errc::timed_out);
        BOOST_TEST(!patient.get());
    }
    BOOST_TEST(owner.run(manager.statistics()).waiting == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
