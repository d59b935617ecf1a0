// Sources that know lists of buffers and sources that do not, and what they say of their grain.
#include "misuse.hpp"
#include "pattern.hpp"
#include "small_engine.hpp"

#include <leat/cache/detail/any_source.hpp>
#include <leat/cache/detail/manager_access.hpp>
#include <leat/leat.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

BOOST_AUTO_TEST_SUITE(any_source_test)

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using leat::test::both_backends;
using leat::test::dies_saying;
using leat::test::small_engine;

namespace {

constexpr std::uint64_t file_size = 1_MiB - 777;

/// What the sources here are asked, and how they answer.
struct notes {
    std::vector<std::uint64_t> offsets;  ///< of the single buffers
    std::vector<const void*> lists;
    std::vector<priority> urgencies;
    int in_flight = 0;
    int most_in_flight = 0;
    bool held = false;                             ///< no read ends
    std::uint64_t failing_at = ~std::uint64_t{0};  ///< of a read that fails
    std::uint64_t odd_at = ~std::uint64_t{0};      ///< of a read that gives `odd_by` bytes more
    int odd_by = 0;
};

struct plain_source {
    struct file_type {
        [[nodiscard]] std::uint64_t size() const { return file_size; }
        [[nodiscard]] file_version version() const { return {}; }
    };
    struct counted {
        explicit counted(notes& all) : of(all) {
            of.most_in_flight = std::max(of.most_in_flight, ++of.in_flight);
        }
        counted(const counted&) = delete;
        counted& operator=(const counted&) = delete;
        ~counted() { --of.in_flight; }
        notes& of;
    };
    task<file_type> open(std::string) { co_return file_type{}; }
    task<std::size_t> read(file_type& from,
                           std::uint64_t offset,
                           std::span<std::byte> buffer,
                           priority urgency) {
        const counted one{*noted};
        noted->offsets.push_back(offset);
        noted->urgencies.push_back(urgency);
        if (offset == noted->failing_at) throw system_error({system_error_code(EIO), {}});
        do co_await leat::sleep(100us);
        while (noted->held);
        const std::size_t size = std::min<std::uint64_t>(buffer.size(), from.size() - offset);
        test::fill_pattern(buffer.first(size), 1, offset);
        const int odd = offset == noted->odd_at ? noted->odd_by : 0;
        co_return static_cast<std::size_t>(static_cast<int>(size) + odd);
    }
    notes* noted;
};

struct listing_source : plain_source {
    using plain_source::read;
    task<std::size_t> read(file_type&,
                           std::uint64_t offset,
                           std::span<const std::span<std::byte>> buffers,
                           priority urgency) {
        noted->lists.push_back(buffers.data());
        noted->offsets.push_back(offset);
        noted->urgencies.push_back(urgency);
        co_return buffers.size() * 1000 + 7;
    }
};

struct aligned_buffers {
    /// Buffers of one to three units, the later ones at lower addresses.
    explicit aligned_buffers(std::size_t count)
        : memory(static_cast<std::byte*>(std::aligned_alloc(4096, count * 16'384)), &std::free) {
        for (std::size_t i = 0; i < count; ++i)
            list.emplace_back(memory.get() + (count - 1 - i) * 16'384, (1 + i % 3) * unit_size);
    }
    [[nodiscard]] std::size_t before(std::size_t index) const {
        std::size_t size = 0;
        for (std::size_t i = 0; i < index; ++i) size += list[i].size();
        return size;
    }
    [[nodiscard]] std::size_t size() const { return before(list.size()); }
    [[nodiscard]] bool hold(std::uint64_t offset, std::size_t count) const {
        for (const std::span<std::byte> one : list) {
            const std::size_t mine = std::min(count, one.size());
            if (!test::is_pattern(one.first(mine), 1, offset)) return false;
            offset += mine;
            count -= mine;
        }
        return count == 0;
    }
    std::unique_ptr<std::byte, decltype(&std::free)> memory;
    std::vector<std::span<std::byte>> list;
};

/// A source as the cache sees it, and one file of it.
template <class Source>
struct fixture {
    explicit fixture(Source of) : source(std::move(of)) {}
    explicit fixture(notes& noted) : fixture(Source{&noted}) {}
    /// Reads, and runs `meanwhile` beside it.
    std::size_t read(std::uint64_t offset,
                     const aligned_buffers& into,
                     std::function<task<>()> meanwhile = nullptr,
                     priority urgency = priority::demand) {
        auto body = [&]() -> task<std::size_t> {
            detail::any_source::opening opened = co_await source.open(name);
            scope beside;
            if (meanwhile) beside.spawn(meanwhile());
            std::exception_ptr failed;
            std::size_t count = 0;
            try {
                count = co_await source.read_list(*opened.file, offset, into.list, urgency);
            } catch (...) {
                failed = std::current_exception();
            }
            co_await beside.join();
            if (failed) std::rethrow_exception(failed);
            co_return count;
        };
        return owner.run(body());
    }
    boost::system::error_code code_of_read(std::uint64_t offset, const aligned_buffers& into) {
        try {
            read(offset, into);
        } catch (const boost::system::system_error& failure) {
            return failure.code();
        }
        return {};
    }
    engine owner{small_engine(1, 2_MiB, 64_KiB)};
    detail::source_model<Source> source;
    std::string name = "any";
};

/// Reads 40 buffers and gives the count, if the bytes are right.
task<std::size_t> read_checked(detail::any_source& source, std::string name, std::uint64_t offset) {
    detail::any_source::opening opened = co_await source.open(name);
    const aligned_buffers into{40};
    const std::size_t count =
        co_await source.read_list(*opened.file, offset, into.list, priority::demand);
    if (!into.hold(offset, count)) throw system_error({errc::bad_answer, {}});
    co_return count;
}

/// The error of such a read if the file is cut meanwhile.
task<boost::system::error_code> code_after_cut(detail::any_source& source, std::string name) {
    detail::any_source::opening opened = co_await source.open(name);
    const aligned_buffers into{40};
    std::filesystem::resize_file(name, 100'000);
    boost::system::error_code code;
    try {
        co_await source.read_list(*opened.file, 0, into.list, priority::demand);
    } catch (const system_error& failure) {
        code = failure.code();
    }
    co_return code;
}

template <std::uint64_t Grain>
struct grained : plain_source {
    static constexpr std::uint64_t grain = Grain;
};

struct telling : plain_source {
    [[nodiscard]] std::uint64_t grain() const { return told; }
    std::uint64_t told = 0;
};

struct busy : plain_source {
    static constexpr unsigned reads_at_once = 7;
};

struct telling_reads : plain_source {
    [[nodiscard]] unsigned reads_at_once() const { return told; }
    unsigned told = 0;
};

template <class Source>
std::uint64_t grain_of(Source source) {
    return detail::source_model<Source>{std::move(source)}.grain();
}

template <class Source>
unsigned reads_at_once_of(Source source) {
    return detail::source_model<Source>{std::move(source)}.reads_at_once();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_source_without_lists_is_asked_for_sixteen_buffers_at_once) {
    notes noted;
    noted.held = true;
    fixture<plain_source> with{noted};
    const aligned_buffers into{40};
    const auto let_go = [&]() -> task<> {
        for (int i = 0; i < 10'000 && noted.in_flight < 16; ++i) co_await leat::sleep(100us);
        co_await leat::sleep(2ms);  // no more come
        noted.held = false;
    };
    BOOST_TEST(with.read(8192, into, let_go, priority::background) == into.size());
    BOOST_TEST(into.hold(8192, into.size()));
    BOOST_TEST(noted.most_in_flight == 16);
    BOOST_TEST_REQUIRE(noted.offsets.size() == 40u);
    for (std::size_t i = 0; i < 40; ++i) {
        BOOST_TEST(noted.offsets[i] == 8192 + into.before(i));
        BOOST_TEST((noted.urgencies[i] == priority::background));
    }
}

BOOST_AUTO_TEST_CASE(the_count_ends_where_bytes_are_missing) {
    notes noted;
    fixture<plain_source> with{noted};
    const aligned_buffers into{20};
    // The end of the file in the last buffer.
    const std::uint64_t last = (file_size / unit_size + 1) * unit_size - into.size();
    BOOST_TEST(with.read(last, into) == file_size - last);
    BOOST_TEST(into.hold(last, file_size - last));
    // A source that falls short before, whatever comes behind.
    for (const std::size_t at : {0u, 5u, 19u}) {
        noted.odd_at = into.before(at);
        noted.odd_by = -100;
        BOOST_TEST(with.read(0, into) == into.before(at) + into.list[at].size() - 100);
        // What it claims beyond its buffer is not another buffer's.
        noted.odd_by = 1;
        BOOST_TEST(with.code_of_read(0, into) == errc::bad_answer);
    }
    // The first place counts, also if the end of the file is another.
    noted.odd_at = last + into.before(5);
    noted.odd_by = -1;
    BOOST_TEST(with.read(last, into) == into.before(6) - 1);
    noted.odd_at = ~std::uint64_t{0};
    BOOST_TEST(with.read(4096, aligned_buffers{1}) == unit_size);
}

BOOST_AUTO_TEST_CASE(the_first_error_stops_the_other_buffers) {
    notes noted;
    noted.held = true;  // they end by it alone
    fixture<plain_source> with{noted};
    const aligned_buffers into{40};
    for (const std::size_t at : {0u, 7u, 15u}) {
        noted.offsets.clear();
        noted.failing_at = into.before(at);
        BOOST_TEST(with.code_of_read(0, into) == system_error_code(EIO));
        BOOST_TEST(noted.in_flight == 0);
        BOOST_TEST(noted.offsets.size() <= 16u);
    }
}

BOOST_AUTO_TEST_CASE(a_stop_reaches_all_buffers_in_flight) {
    notes noted;
    noted.held = true;
    fixture<plain_source> with{noted};
    const aligned_buffers into{40};
    auto body = [&]() -> task<boost::system::error_code> {
        detail::any_source::opening opened = co_await with.source.open(with.name);
        try {
            co_await with_timeout(
                with.source.read_list(*opened.file, 0, into.list, priority::demand), 20ms);
        } catch (const boost::system::system_error& failure) {
            co_return failure.code();
        }
        co_return boost::system::error_code{};
    };
    BOOST_TEST(with.owner.run(body()) == errc::timed_out);
    BOOST_TEST(noted.most_in_flight == 16);
    BOOST_TEST(noted.in_flight == 0);
}

BOOST_AUTO_TEST_CASE(a_source_with_lists_gets_the_list_by_one_call) {
    static_assert(!detail::list_source<plain_source>);
    static_assert(detail::list_source<listing_source>);
    static_assert(detail::list_source<file_source>);
    notes noted;
    fixture<listing_source> with{noted};
    const aligned_buffers into{40};
    BOOST_TEST(with.read(12'288, into, nullptr, priority::background) == 40'007u);
    BOOST_TEST_REQUIRE(noted.lists.size() == 1u);
    BOOST_TEST(noted.lists[0] == into.list.data());
    BOOST_TEST_REQUIRE(noted.offsets.size() == 1u);
    BOOST_TEST(noted.offsets[0] == 12'288u);
    BOOST_TEST((noted.urgencies[0] == priority::background));
}

BOOST_DATA_TEST_CASE(files_are_read_into_lists, both_backends, kind) {
    const test::temporary_folder folder;
    engine owner{small_engine(1, 2_MiB, 64_KiB, kind)};
    detail::source_model<file_source> source{file_source{}};
    const std::string path = folder.make("data", file_size, 1);
    const auto read = [&](std::uint64_t offset) {
        return owner.run(read_checked(source, path, offset));
    };
    BOOST_TEST(read(0) == 79 * unit_size);
    BOOST_TEST(read(1_MiB - 8192) == 8192 - 777u);
    BOOST_TEST(read(1_MiB - 200 * 1024) == 200 * 1024 - 777u);
    BOOST_TEST(owner.run(code_after_cut(source, path)) == errc::file_changed);
}

BOOST_AUTO_TEST_CASE(a_manager_below_is_read_buffer_by_buffer) {
    notes noted;
    engine owner{small_engine(1, 4_MiB, 64_KiB)};
    chunk_manager lower{owner, plain_source{&noted}};
    chunk_manager upper{owner, lower};
    detail::any_source& source = *detail::manager_access::core(upper).source;
    BOOST_TEST(source.grain() == unit_size);
    BOOST_TEST(owner.run(read_checked(source, "any", 65'536)) == 79 * unit_size);
}

BOOST_AUTO_TEST_CASE(a_source_may_say_what_is_worth_a_read) {
    notes noted;
    BOOST_TEST(grain_of(plain_source{&noted}) == unit_size);
    BOOST_TEST(grain_of(file_source{}) == unit_size);
    const grained<1_MiB> constant{{&noted}};
    BOOST_TEST(grain_of(constant) == 1_MiB);
    const telling function{{&noted}, 8192};
    BOOST_TEST(grain_of(function) == 8192u);
}

BOOST_AUTO_TEST_CASE(a_grain_that_is_none_ends_the_program) {
    notes noted;
    constexpr auto sentence = "grain is not a power of two of at least unit_size";
    for (const std::uint64_t told : {0_KiB, 1_KiB, 12_KiB, 1_MiB + 1}) {
        BOOST_TEST(
            dies_saying(sentence, [&] { detail::source_model<telling>{telling{{&noted}, told}}; }));
    }
}

BOOST_AUTO_TEST_CASE(a_source_may_say_how_many_reads_it_works_on_at_once) {
    notes noted;
    BOOST_TEST(reads_at_once_of(plain_source{&noted}) == 0u);
    BOOST_TEST(reads_at_once_of(file_source{}) == 32u);
    BOOST_TEST(reads_at_once_of(busy{{&noted}}) == 7u);
    BOOST_TEST(reads_at_once_of(telling_reads{{&noted}, 65'536}) == 65'536u);
}

BOOST_AUTO_TEST_CASE(so_many_that_no_source_takes_end_the_program) {
    notes noted;
    BOOST_TEST(dies_saying("reads_at_once is more than 65536", [&] {
        detail::source_model<telling_reads>{telling_reads{{&noted}, 65'537}};
    }));
}

BOOST_AUTO_TEST_CASE(a_list_longer_than_the_kernel_takes_ends_the_program) {
    const test::temporary_folder folder;
    const std::string path = folder.make("data", 4096, 1);
    BOOST_TEST(dies_saying("a list of more than 1024 buffers", [&] {
        engine owner{small_engine(1, 2_MiB, 64_KiB)};
        auto body = [&]() -> task<> {
            file_source source;
            const io::file opened = co_await source.open(path);
            const std::vector<std::span<std::byte>> list(1025);
            co_await source.read(opened, 0, list, priority::demand);
        };
        owner.run(body());
    }));
}

BOOST_AUTO_TEST_SUITE_END()
