// What is recorded, what becomes of it when things go wrong, and what is read of it.
#include "cache_support.hpp"
#include "misuse.hpp"
#include "record/recording_reader.hpp"
#include "small_engine.hpp"

#include <leat/cache/recording.hpp>
#include <leat/leat.hpp>

#include <boost/test/unit_test.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(recording_test)

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using detail::log_kind;
using detail::recorded_request;
using leat::test::ask;
using leat::test::get;
using leat::test::script_of;
using leat::test::scripted_source;
using leat::test::small_engine;
using leat::test::temporary_folder;

namespace {

std::string text_of(const std::string& path) {
    std::ifstream from{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{from}, {}};
}

struct contents {
    std::vector<recorded_request> requests;
    std::vector<detail::recorded_file> files;
    bool whole = false;
    std::uint64_t lost = 0;
    std::uint64_t chunk_size = 0;
    unsigned shards = 0;
};

contents read_text(const std::string& text) {
    std::size_t at = 0;
    detail::recording_reader from{[&](std::span<char> to) {
        const std::size_t count = text.copy(to.data(), to.size(), at);
        at += count;
        return count;
    }};
    contents all;
    from.each([&](const recorded_request& one, std::uint64_t count) {
        all.requests.insert(all.requests.end(), count, one);
    });
    all.files = from.files();
    all.whole = from.whole();
    all.lost = from.lost();
    all.chunk_size = from.chunk_size();
    all.shards = from.shards();
    return all;
}

contents read_back(const std::string& path) {
    return read_text(text_of(path));
}

std::string complaint(const std::string& text) {
    try {
        (void)read_text(text);
    } catch (const std::runtime_error& wrong) {
        return wrong.what();
    }
    return "nothing";
}

struct served {
    explicit served(unsigned shards = 1) : owner(small_engine(shards, 4_MiB, 64_KiB)) {}

    std::shared_ptr<test::script> source = script_of(1_MiB);
    engine owner;
    chunk_manager manager{owner, scripted_source{source}};
    file from = owner.run(manager.open("film"));
    temporary_folder folder;
    std::string path = folder.path("a.rec");
};

task<> hits(const chunk_manager& manager, chunk_config config, std::uint64_t count) {
    for (std::uint64_t n = 0; n < count; ++n) {
        config.offset = n % 16 * 4096;
        const slice got = co_await manager.get_chunk(config);
    }
}

// In one turn, however many.
task<> peeks(const chunk_manager& manager, chunk_config config, std::uint64_t count) {
    for (std::uint64_t n = 0; n < count; ++n) {
        config.offset = n % 16 * 4096;
        const slice got = manager.peek(config);
    }
    co_return;
}

}  // namespace

BOOST_AUTO_TEST_CASE(requests_are_recorded_in_their_order_with_hints_and_outcomes) {
    served with;
    recording tape{with.manager, with.path};
    const auto code = [&](std::uint64_t offset, std::uint32_t size, hint given = hint::normal) {
        return ask(with.owner, with.manager, {with.from, offset, size, given});
    };
    BOOST_TEST(!code(5000, 100));
    BOOST_TEST(!code(5000, 100));
    BOOST_TEST(!code(5100, 77));
    BOOST_TEST(!code(5100, 77, hint::no_wait));
    for (const hint given : {hint::scan, hint::no_retain, hint::keep})
        BOOST_TEST(!code(0, 1, given));
    BOOST_TEST(code(1_MiB, 1) == errc::out_of_range);
    BOOST_TEST(code(64_KiB - 1, 2) == errc::crosses_chunk);
    BOOST_TEST(code(~std::uint64_t{0}, ~std::uint32_t{0}) == errc::out_of_range);
    BOOST_TEST(ask(with.owner, with.manager, {{12345}, 0, 1}) == errc::closed);
    with.source->bad_to = 1_MiB;
    with.source->bad_from = 512_KiB;
    BOOST_TEST(code(512_KiB, 4096, hint::no_wait) == system_error_code(EIO));
    const recording_summary told = tape.stop();
    BOOST_TEST(told.requests == 12U);
    BOOST_TEST(told.lost == 0U);
    BOOST_TEST(!told.error);
    BOOST_TEST(told.bytes == text_of(with.path).size());

    const contents all = read_back(with.path);
    BOOST_TEST(all.whole);
    BOOST_TEST(all.chunk_size == 64_KiB);
    BOOST_TEST(all.shards == 1U);
    struct expected {
        log_kind kind;
        std::uint64_t offset;
        std::uint32_t size;
        hint given = hint::normal;
    };
    const std::vector<expected> wanted{{log_kind::miss, 5000, 100},
                                       {log_kind::hit, 5000, 100},
                                       {log_kind::hit, 5100, 77},
                                       {log_kind::hit, 5100, 77, hint::no_wait},
                                       {log_kind::hit, 0, 1, hint::scan},
                                       {log_kind::hit, 0, 1, hint::no_retain},
                                       {log_kind::hit, 0, 1, hint::keep},
                                       {log_kind::refused, 1_MiB, 1},
                                       {log_kind::refused, 64_KiB - 1, 2},
                                       {log_kind::refused, ~std::uint64_t{0}, ~std::uint32_t{0}},
                                       {log_kind::refused, 0, 1},
                                       {log_kind::miss, 512_KiB, 4096, hint::no_wait},
                                       {log_kind::failed, 512_KiB, 4096, hint::no_wait}};
    BOOST_REQUIRE(all.requests.size() == wanted.size());
    std::int64_t before = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const recorded_request& one = all.requests[i];
        BOOST_TEST_CONTEXT("request " << i) {
            BOOST_TEST((one.kind == wanted[i].kind));
            BOOST_TEST(one.offset == wanted[i].offset);
            BOOST_TEST(one.size == wanted[i].size);
            BOOST_TEST((one.given == wanted[i].given));
            BOOST_TEST(one.time_ns >= before);
            BOOST_TEST(one.time_ns < 60'000'000'000);
            BOOST_TEST(one.file == (i == 10 ? 1U : 0U));
            before = one.time_ns;
        }
    }
    BOOST_TEST(all.requests.back().system_code);
    BOOST_TEST(all.requests.back().code == EIO);
    BOOST_REQUIRE(all.files.size() == 2U);
    BOOST_TEST(all.files[0].name == "film");
    BOOST_TEST(all.files[0].size == 1_MiB);
    BOOST_TEST(all.files[0].number == with.from.id().number);
    BOOST_TEST(all.files[1].number == 12345U);
    BOOST_TEST(all.files[1].name.empty());
}

BOOST_AUTO_TEST_CASE(a_file_that_is_opened_while_recording_has_its_name) {
    served with;
    recording tape{with.manager, with.path};
    with.source->version = 2;
    const file other = with.owner.run(with.manager.open("series"));
    BOOST_TEST(!ask(with.owner, with.manager, {other, 0, 1}));
    BOOST_TEST(!ask(with.owner, with.manager, {with.from, 0, 1}) == false);
    tape.stop();
    const contents all = read_back(with.path);
    BOOST_REQUIRE(all.files.size() == 2U);
    BOOST_TEST(all.files[0].name == "series");
    BOOST_TEST(all.files[1].name == "film");
}

BOOST_AUTO_TEST_CASE(what_several_shards_serve_is_told_apart_and_has_its_time) {
    served with{2};
    recording tape{with.manager, with.path};
    // A request has the time at which its turn began: it is to begin after the others have ended.
    const auto in_a_later_turn = [](const chunk_manager& manager, chunk_config config) -> task<> {
        co_await leat::sleep(1ms);
        co_await hits(manager, config, 3000);
    };
    for (unsigned round = 0; round < 3; ++round) {
        for (unsigned shard = 0; shard < 2; ++shard) {
            with.owner.spawn_on(shard, in_a_later_turn(with.manager, {with.from, 0, 4096})).get();
        }
    }
    BOOST_TEST(tape.stop().requests == 18'000U);
    contents all = read_back(with.path);
    BOOST_REQUIRE(all.requests.size() == 18'000U);
    // By numbers, which makes those of one time stay in their order.
    std::vector<std::size_t> order(all.requests.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
        return std::pair{all.requests[left].time_ns, left} <
               std::pair{all.requests[right].time_ns, right};
    });
    // They ran in turn, and each in order.
    bool good = true;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const auto& one = all.requests[order[i]];
        good = good && one.shard == i / 3000 % 2;
        good = good && one.offset == i % 3000 % 16 * 4096;
    }
    BOOST_TEST(good);
}

BOOST_AUTO_TEST_CASE(of_two_managers_one_is_recorded) {
    served with;
    chunk_manager upper{with.owner, with.manager, {.chunk_size = 128_KiB}};
    const file above = with.owner.run(upper.open("film"));
    {
        recording tape{with.manager, with.path};
        // What it asks of the one below is of that.
        BOOST_TEST(!ask(with.owner, upper, {above, 0, 100}));
        BOOST_TEST(!ask(with.owner, upper, {above, 0, 100}));
        BOOST_TEST(!ask(with.owner, with.manager, {with.from, 0, 100}));
    }
    for (const recorded_request& one : read_back(with.path).requests) BOOST_TEST(one.file == 0U);
    BOOST_TEST(read_back(with.path).files.front().number == with.from.id().number);
    recording tape{upper, with.path};
    BOOST_TEST(!ask(with.owner, upper, {above, 512_KiB, 100}));
    BOOST_TEST(!ask(with.owner, with.manager, {with.from, 512_KiB, 100}));
    BOOST_TEST(tape.stop().requests == 1U);
    BOOST_TEST(read_back(with.path).files.front().number == above.id().number);
}

BOOST_AUTO_TEST_CASE(one_hot_place_is_a_few_bytes) {
    served with;
    const auto ask_often = [](const chunk_manager& manager, chunk_config config) -> task<> {
        for (unsigned n = 0; n < 100'000; ++n) const slice got = co_await manager.get_chunk(config);
    };
    recording tape{with.manager, with.path};
    with.owner.run(ask_often(with.manager, {with.from, 4096, 100}));
    const recording_summary told = tape.stop();
    BOOST_TEST(told.requests == 100'000U);
    BOOST_TEST(told.bytes < 4'000U);
    const contents all = read_back(with.path);
    BOOST_REQUIRE(all.requests.size() == 100'000U);
    bool good = true;
    for (const recorded_request& one : all.requests)
        good = good && one.offset == 4096 && one.size == 100;
    BOOST_TEST(good);
}

BOOST_AUTO_TEST_CASE(what_comes_too_fast_is_lost_and_counted) {
    served with;
    BOOST_TEST(!ask(with.owner, with.manager, {with.from, 0, 64_KiB}));
    recording tape{with.manager, with.path, {.memory = 1}};
    with.owner.run(peeks(with.manager, {with.from, 0, 4096}, 1'000'000));
    with.owner.run(hits(with.manager, {with.from, 0, 4096}, 16));
    const recording_summary told = tape.stop();
    BOOST_TEST(told.lost > 0U);
    BOOST_TEST(told.requests + told.lost == 1'000'016U);
    const contents all = read_back(with.path);
    BOOST_TEST(all.requests.size() == told.requests);
    BOOST_TEST(all.lost == told.lost);
}

BOOST_AUTO_TEST_CASE(a_full_disk_ends_the_recording_alone) {
    std::mutex mutex;
    std::vector<std::string> said;
    engine_options options = small_engine(1, 4_MiB, 64_KiB);
    options.on_event = [&](const event& happened) {
        const std::lock_guard lock{mutex};
        if (happened.severity == event::level::warning) said.push_back(happened.text);
    };
    engine owner{options};
    chunk_manager manager{owner, scripted_source{script_of(1_MiB)}};
    const file from = owner.run(manager.open("film"));
    recording tape{manager, "/dev/full"};
    for (;;) {
        BOOST_TEST_REQUIRE(!ask(owner, manager, {from, 0, 100}));
        const std::lock_guard lock{mutex};
        if (!said.empty()) break;
    }
    BOOST_TEST(!ask(owner, manager, {from, 0, 100}));
    const recording_summary told = tape.stop();
    BOOST_TEST(told.error == system_error_code(ENOSPC));
    BOOST_TEST(told.bytes == 0U);
    BOOST_TEST(told.requests == 0U);  // that are in the file
    BOOST_TEST(said.size() == 1U);
    BOOST_TEST(said.front() ==
               "a recording has ended: its file cannot be written: No space left on device");
}

BOOST_AUTO_TEST_CASE(who_listens_may_wait_for_who_stops_the_recording) {
    std::mutex mutex;
    std::atomic<int> said{0};
    engine_options options = small_engine(1, 4_MiB, 64_KiB);
    options.on_event = [&](const event& happened) {
        const std::lock_guard lock{mutex};
        if (happened.severity == event::level::warning) ++said;
    };
    engine owner{options};
    chunk_manager manager{owner, scripted_source{script_of(1_MiB)}};
    const file from = owner.run(manager.open("film"));
    recording tape{manager, "/dev/full"};
    for (int i = 0; i < 100; ++i) BOOST_TEST(!ask(owner, manager, {from, 0, 100}));
    {
        const std::lock_guard lock{mutex};
        const recording_summary told = tape.stop();
        BOOST_TEST(told.error == system_error_code(ENOSPC));
        BOOST_TEST(told.requests == 0U);
    }
    while (said == 0) std::this_thread::yield();
}

BOOST_AUTO_TEST_CASE(several_threads_may_stop_it_and_are_told_the_same) {
    served with{2};
    recording tape{with.manager, with.path};
    for (int i = 0; i < 100; ++i) BOOST_TEST(!ask(with.owner, with.manager, {with.from, 0, 100}));
    std::atomic<std::uint64_t> sum{0};
    std::vector<std::thread> all;
    for (int i = 0; i < 4; ++i) all.emplace_back([&] { sum += tape.stop().requests; });
    for (std::thread& one : all) one.join();
    BOOST_TEST(sum == 400U);
}

BOOST_AUTO_TEST_CASE(a_limit_of_the_file_is_an_error_and_no_signal) {
    served with;
    ::rlimit before{};
    BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const ::rlimit small{100, before.rlim_max};
    recording tape{with.manager, with.path};
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    const auto scattered = [](const chunk_manager& manager, chunk_config config) -> task<> {
        for (std::uint64_t n = 0; n < 1000; ++n) {
            config.offset = n * n % 65'000;
            const slice got = co_await manager.get_chunk(config);
        }
    };
    with.owner.run(scattered(with.manager, {with.from, 0, 7}));
    const recording_summary told = tape.stop();
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    BOOST_TEST(told.error == system_error_code(EFBIG));
    BOOST_TEST(told.bytes == 100U);
    const contents all = read_back(with.path);
    BOOST_TEST(!all.whole);
}

BOOST_AUTO_TEST_CASE(a_recording_may_end_at_once_and_begin_again) {
    served with{2};
    for (unsigned n = 0; n < 20; ++n) {
        recording tape{with.manager, with.path};
        const recording_summary told = tape.stop();
        BOOST_TEST(told.requests == 0U);
        BOOST_TEST(tape.stop().bytes == told.bytes);
        BOOST_TEST(read_back(with.path).whole);
    }
}

BOOST_AUTO_TEST_CASE(one_at_a_time) {
    served with;
    const auto code_of = [&](const std::string& path) {
        try {
            recording second{with.manager, path};
        } catch (const system_error& failure) {
            return failure.code();
        }
        return boost::system::error_code{};
    };
    {
        recording tape{with.manager, with.path};
        BOOST_TEST(code_of(with.folder.path("b.rec")) == system_error_code(EBUSY));
        BOOST_TEST(!std::ifstream{with.folder.path("b.rec")}.good());
    }
    BOOST_TEST(code_of(with.folder.path("absent/b.rec")) == system_error_code(ENOENT));
    BOOST_TEST(!code_of(with.path));
    with.owner.stop();
    with.owner.join();
    BOOST_TEST(code_of(with.path) == errc::stopped);
}

BOOST_AUTO_TEST_CASE(the_engine_may_stop_first) {
    served with{2};
    recording tape{with.manager, with.path};
    with.owner.run(hits(with.manager, {with.from, 0, 4096}, 5000));
    with.owner.stop();
    with.owner.join();
    BOOST_TEST(tape.stop().requests == 5000U);
    BOOST_TEST(read_back(with.path).requests.size() == 5000U);
}

BOOST_AUTO_TEST_CASE(the_engine_and_the_manager_may_be_gone) {
    const temporary_folder folder;
    std::optional<recording> tape;
    {
        engine owner{small_engine(2, 4_MiB, 64_KiB)};
        chunk_manager manager{owner, scripted_source{script_of(1_MiB)}};
        const file from = owner.run(manager.open("film"));
        tape.emplace(manager, folder.path("a.rec"));
        owner.run(hits(manager, {from, 0, 4096}, 5000));
    }
    BOOST_TEST(tape->stop().requests == 5000U);
    BOOST_TEST(read_back(folder.path("a.rec")).requests.size() == 5000U);
}

BOOST_AUTO_TEST_CASE(a_killed_process_leaves_what_is_a_second_old) {
    served with;
    recording tape{with.manager, with.path};
    BOOST_TEST(!ask(with.owner, with.manager, {with.from, 0, 100}));
    BOOST_TEST(!ask(with.owner, with.manager, {with.from, 0, 100}));
    contents all;
    do {
        std::this_thread::sleep_for(100ms);
        all = text_of(with.path).empty() ? contents{} : read_back(with.path);
    } while (all.requests.size() < 2);
    BOOST_TEST(!all.whole);
}

BOOST_AUTO_TEST_CASE(a_cut_recording_is_read_to_its_last_whole_block) {
    served with;
    recording tape{with.manager, with.path};
    with.owner.run(hits(with.manager, {with.from, 0, 4096}, 20'000));
    tape.stop();
    const std::string text = text_of(with.path);
    std::size_t before = 0;
    for (std::size_t length = detail::recording_header_bytes; length < text.size(); ++length) {
        const contents cut = read_text(text.substr(0, length));
        BOOST_TEST_REQUIRE(!cut.whole);
        BOOST_TEST_REQUIRE(cut.requests.size() >= before);
        before = cut.requests.size();
    }
    BOOST_TEST(before == 20'000U);
    BOOST_TEST(complaint(text.substr(0, 20)) == "byte 0: the header ends too early");
}

BOOST_AUTO_TEST_CASE(a_damaged_recording_is_told_with_its_position) {
    served with;
    recording tape{with.manager, with.path};
    with.owner.run(hits(with.manager, {with.from, 0, 4096}, 100));
    tape.stop();
    const std::string text = text_of(with.path);
    BOOST_TEST(complaint(text) == "nothing");
    BOOST_TEST(complaint("leat-rex") == "byte 0: this is no recording");
    std::string wrong = text;
    wrong[8] = 9;
    BOOST_TEST(complaint(wrong) == "byte 0: version 9 of recordings is not known here");
    wrong = text;
    wrong[detail::recording_header_bytes + 12] ^= 1;
    BOOST_TEST(complaint(wrong) == "byte 32: a block is damaged");
    wrong = text;
    wrong[detail::recording_header_bytes + 3] = 127;
    BOOST_TEST(complaint(wrong) == "byte 32: the length of a block is wrong");
    BOOST_TEST(complaint(text + std::string(8, '\0')).ends_with("the length of a block is wrong"));
    // Whatever a single byte says, it is told or makes no difference that the reader falls over.
    for (std::size_t at = 0; at < text.size(); ++at) {
        wrong = text;
        wrong[at] = static_cast<char>(wrong[at] ^ 0x55);
        (void)complaint(wrong);
    }
}

BOOST_AUTO_TEST_CASE(a_shard_is_not_blocked) {
    BOOST_TEST(test::dies_saying("a recording was begun or ended on a shard", [] {
        engine owner{small_engine(1, 4_MiB, 64_KiB)};
        chunk_manager manager{owner, scripted_source{script_of(1_MiB)}};
        const auto begin = [](chunk_manager& of) -> task<> {
            recording tape{of, "/dev/null"};
            co_return;
        };
        owner.run(begin(manager));
    }));
}

BOOST_AUTO_TEST_SUITE_END()
