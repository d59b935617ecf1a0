// The nth allocation or read fails, for n = 1, 2, ... until none does: whatever was asked for then
// ends with an error to who asked, or well, and nothing is left over.
#include "cache_support.hpp"
#include "failing_memory.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <optional>
#include <thread>

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using leat::test::both_backends;
using leat::test::failing_memory;
using leat::test::script_of;
using leat::test::scripted_source;

namespace {

constexpr std::uint64_t chunk_bytes = 64_KiB;
constexpr std::uint64_t file_size = 40 * chunk_bytes + 77;
// Far above what any of this takes: the loop has lost its way.
constexpr int most_failures = 5000;

/// The error that function() ends with, if it does; want of memory is ENOMEM.
template <class Function>
boost::system::error_code outcome_of(Function function) {
    try {
        function();
    } catch (const boost::system::system_error& failure) {
        return failure.code();
    } catch (const std::bad_alloc&) {
        return system_error_code(ENOMEM);
    }
    return {};
}

bool is_want_of_memory(const boost::system::error_code& code) {
    return !code || code == system_error_code(ENOMEM);
}

/// Calls attempt() with the nth allocation failing, or all from the nth on, for n = 1, 2, ... until
/// none has; it returns the error it met. Around it prepare() and check() get all the memory they
/// want.
void fail_each_allocation(
    const std::function<boost::system::error_code()>& attempt,
    const std::function<void()>& check,
    const std::function<void()>& prepare = [] {}) {
    for (const bool all_after : {false, true}) {
        bool failed = true;
        int count = 0;
        for (; failed && count < most_failures; ++count) {
            boost::system::error_code code;
            prepare();
            {
                const failing_memory memory{count + 1, all_after};
                code = attempt();
                failed = failing_memory::end();
            }
            BOOST_TEST_CONTEXT("allocation " << count + 1 << (all_after ? " and all after" : "")) {
                BOOST_TEST(is_want_of_memory(code), code.message());
                if (!failed) BOOST_TEST(!code, code.message());
                check();
            }
        }
        BOOST_TEST(!failed, "allocations fail without end");
        BOOST_TEST_MESSAGE(count - 1 << " allocations");
        BOOST_TEST(count > 1, "nothing was allocated: this tests nothing");
    }
}

/// An engine of two shards over a real file.
struct real_files {
    explicit real_files(io::backend_kind kind)
        : path(folder.make("data", file_size)),
          owner(small_engine(kind)),
          manager(owner, file_source{}, {.pin_deadline = 100ms}) {
        from = owner.run(manager.open(path));
        descriptors = test::open_descriptors();
    }
    static engine_options small_engine(io::backend_kind kind) {
        return test::small_engine(2, 16 * chunk_bytes, chunk_bytes, kind);
    }
    /// Soon nothing is pinned, waited for or open but the file, and it is served as ever. What a
    /// stream that was dropped has asked ahead is on its way back.
    void check_rest() {
        cache_statistics sum = owner.run(manager.statistics());
        while (sum.filling_chunks != 0 || sum.waiting != 0) {
            std::this_thread::sleep_for(1ms);
            sum = owner.run(manager.statistics());
        }
        BOOST_TEST(sum.pins == 0u);
        BOOST_TEST(sum.referred_bytes == 0u);
        BOOST_TEST(test::open_descriptors() == descriptors);
        ++asked;
        const std::uint64_t offset = asked * 7 * chunk_bytes % (40 * chunk_bytes);
        BOOST_TEST(test::is_pattern(owner.run(test::get(manager, {from, offset, 100})).bytes(), 1,
                                    offset));
    }

    const test::temporary_folder folder;
    const std::string path;
    engine owner;
    chunk_manager manager;
    file from;
    std::size_t descriptors = 0;
    std::uint64_t asked = 0;
};

/// The bytes of a slice are those of the file.
task<> get_checked(chunk_manager& manager, chunk_config wanted, bool& wrong) {
    const slice got = co_await manager.get_chunk(wanted);
    if (!test::is_pattern(got.bytes(), 1, wanted.offset)) wrong = true;
}

task<> walk(chunk_manager& manager, file from, bool& wrong) {
    slice_stream pieces = manager.slices(from, 100, 5 * chunk_bytes);
    std::uint64_t at = 100;
    for (;;) {
        const slice piece = co_await pieces.next();
        if (!piece) break;
        if (!test::is_pattern(piece.bytes(), 1, at)) wrong = true;
        at += piece.size();
    }
    if (at != 100 + 5 * chunk_bytes) wrong = true;
}

task<> read_checked(chunk_manager& manager,
                    file from,
                    std::uint64_t offset,
                    std::vector<std::byte>& memory,
                    bool& wrong) {
    const std::size_t count = co_await manager.read(from, offset, memory);
    if (count != memory.size() || !test::is_pattern(memory, 1, offset)) wrong = true;
}

void fail_starting(io::backend_kind kind) {
    const std::size_t descriptors = test::open_descriptors();
    const std::int64_t frames = detail::frame_pool::live();
    fail_each_allocation(
        [&] {
            return outcome_of([&] {
                engine owner{real_files::small_engine(kind)};
                chunk_manager manager{owner, file_source{}};
                owner.run([]() -> task<> { co_return; }());
            });
        },
        [&] {
            BOOST_TEST(test::open_descriptors() == descriptors);
            BOOST_TEST(detail::frame_pool::live() == frames);
        });
}

void fail_opening(io::backend_kind kind) {
    real_files with{kind};
    std::uint64_t number = 0;
    std::string path = with.folder.make("data-0", 100);
    fail_each_allocation(
        [&] {
            return outcome_of([&] { const file opened = with.owner.run(with.manager.open(path)); });
        },
        [&] {
            with.check_rest();
            path = with.folder.make("data-" + std::to_string(++number), 100);
        });
}

void fail_getting(io::backend_kind kind) {
    real_files with{kind};
    bool wrong = false;
    // Of this shard's own and of the other's, small and large, at the file's unaligned end.
    const std::uint64_t last = 40 * chunk_bytes;
    std::uint64_t index = 0;
    for (const chunk_config& like :
         {chunk_config{with.from, 10, 100}, chunk_config{with.from, 0, chunk_bytes},
          chunk_config{with.from, last, 77}}) {
        fail_each_allocation(
            [&] {
                chunk_config wanted = like;
                if (wanted.offset < last) wanted.offset += index * chunk_bytes;
                return outcome_of(
                    [&] { with.owner.run(get_checked(with.manager, wanted, wrong)); });
            },
            [&] {
                with.check_rest();
                index = (index + 3) % 40;
            });
    }
    BOOST_TEST(!wrong);
}

void fail_walking(io::backend_kind kind) {
    real_files with{kind};
    bool wrong = false;
    fail_each_allocation(
        [&] { return outcome_of([&] { with.owner.run(walk(with.manager, with.from, wrong)); }); },
        [&] { with.check_rest(); });
    BOOST_TEST(!wrong);
}

void fail_copying(io::backend_kind kind) {
    real_files with{kind};
    bool wrong = false;
    std::uint64_t offset = 0;
    std::vector<std::byte> memory(3 * chunk_bytes);
    fail_each_allocation(
        [&] {
            return outcome_of([&] {
                with.owner.run(read_checked(with.manager, with.from, offset, memory, wrong));
            });
        },
        [&] {
            with.check_rest();
            offset = (offset + 5 * chunk_bytes + 1001) % (30 * chunk_bytes);
        });
    BOOST_TEST(!wrong);
}

/// Requests for reads and for buffers, and an end while they wait.
void fail_stopping(io::backend_kind kind) {
    const std::int64_t frames = detail::frame_pool::live();
    const test::temporary_folder folder;
    const std::string path = folder.make("data", file_size);
    const std::size_t descriptors = test::open_descriptors();
    std::optional<engine> owner;
    std::optional<chunk_manager> manager;
    file from;
    std::vector<spawned<boost::system::error_code>> running;
    stop_report report;
    fail_each_allocation(
        [&] {
            const boost::system::error_code code = outcome_of([&] {
                for (unsigned i = 0; i < running.capacity(); ++i) {
                    const chunk_config wanted{from, i * chunk_bytes, 5000};
                    running.push_back(owner->spawn_on(i % 2, test::code_of(*manager, wanted)));
                }
            });
            owner->stop();
            report = owner->join();
            return code;
        },
        [&] {
            for (auto& one : running) {
                const boost::system::error_code code = one.get();
                BOOST_TEST((is_want_of_memory(code) || code == errc::stopped), code.message());
            }
            running.clear();
            BOOST_TEST(!report.code, report.owed);
            BOOST_TEST(report.held == 0u);
            from = file{};
            manager.reset();
            owner.reset();
            BOOST_TEST(test::open_descriptors() == descriptors);
            BOOST_TEST(detail::frame_pool::live() == frames);
        },
        [&] {
            owner.emplace(real_files::small_engine(kind));
            manager.emplace(*owner, file_source{});
            from = owner->run(manager->open(path));
            running.reserve(40);
        });
}

/// Calls attempt() with the nth read of the source failing, for n = 1, 2, ... until none has.
void fail_each_read(const std::function<boost::system::error_code(chunk_manager&, file)>& attempt) {
    const std::int64_t frames = detail::frame_pool::live();
    bool failed = true;
    std::uint64_t nth = 0;
    while (failed && nth < most_failures) {
        const auto source = script_of(file_size);
        source->failing_read = ++nth;
        engine owner{test::small_engine(2, 16 * chunk_bytes, chunk_bytes)};
        chunk_manager manager{owner, scripted_source{source}};
        const file from = owner.run(manager.open("any"));
        BOOST_TEST_CONTEXT("read " << nth) {
            const boost::system::error_code code = attempt(manager, from);
            failed = source->reads >= nth;
            BOOST_TEST((!code || (failed && code == system_error_code(EIO))), code.message());
            BOOST_TEST(!attempt(manager, from));  // nothing failed is kept
            cache_statistics sum = owner.run(manager.statistics());
            while (sum.filling_chunks + sum.waiting != 0) {  // its end may be on its way
                std::this_thread::sleep_for(1ms);
                sum = owner.run(manager.statistics());
            }
            BOOST_TEST(sum.pins == 0u);
            BOOST_TEST(sum.waiting == 0u);
            owner.stop();
            const stop_report report = owner.join();
            BOOST_TEST(!report.code, report.owed);
        }
    }
    BOOST_TEST(!failed, "reads fail without end");
    BOOST_TEST(nth > 1u, "nothing was read: this tests nothing");
    BOOST_TEST(detail::frame_pool::live() == frames);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_read_that_fails_is_an_error_to_who_waits_and_is_read_again) {
    bool wrong = false;
    fail_each_read([&](chunk_manager& manager, const file& from) {
        engine& owner = from.record()->manager->cache.lock()->engine();
        return outcome_of([&] { owner.run(walk(manager, from, wrong)); });
    });
    fail_each_read([&](chunk_manager& manager, const file& from) {
        engine& owner = from.record()->manager->cache.lock()->engine();
        std::vector<std::byte> memory(7 * chunk_bytes);
        return outcome_of([&] { owner.run(read_checked(manager, from, 5, memory, wrong)); });
    });
    fail_each_read([&](chunk_manager& manager, const file& from) {
        engine& owner = from.record()->manager->cache.lock()->engine();
        const chunk_config wanted{from, 40 * chunk_bytes, 77};
        return outcome_of([&] { owner.run(get_checked(manager, wanted, wrong)); });
    });
    BOOST_TEST(!wrong);
}

BOOST_DATA_TEST_CASE(an_engine_stops_though_memory_is_lacking, both_backends, kind) {
    fail_stopping(kind);
}

BOOST_DATA_TEST_CASE(an_engine_starts_or_says_that_memory_is_lacking, both_backends, kind) {
    fail_starting(kind);
}

BOOST_DATA_TEST_CASE(a_file_opens_or_says_that_memory_is_lacking, both_backends, kind) {
    fail_opening(kind);
}

BOOST_DATA_TEST_CASE(a_chunk_comes_or_an_error_says_that_memory_is_lacking, both_backends, kind) {
    fail_getting(kind);
}

BOOST_DATA_TEST_CASE(a_range_is_walked_or_an_error_says_that_memory_is_lacking,
                     both_backends,
                     kind) {
    fail_walking(kind);
}

BOOST_DATA_TEST_CASE(bytes_are_copied_or_an_error_says_that_memory_is_lacking,
                     both_backends,
                     kind) {
    fail_copying(kind);
}
