// Files opened, read and closed by coroutines.
#include "engine_support.hpp"

#include <leat/engine/file_io.hpp>
#include <leat/engine/per_shard.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/spawned.hpp>
#include <leat/engine/with_timeout.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(file_io_test)

using namespace leat;
using namespace std::chrono_literals;
using leat::test::both_backends;
using leat::test::code_of;
using leat::test::options_of;

namespace {

task<std::uint64_t> size_of(std::string path, int directory, bool beneath) {
    const io::file opened = co_await open_file(std::move(path), directory, beneath);
    co_return opened.size();
}

task<> open_only(std::string path, int directory, bool beneath) {
    co_await size_of(std::move(path), directory, beneath);
}

/// Reads [offset, offset + size); gives the count, or -1 if the bytes are wrong.
task<std::int64_t> read(std::string path, std::uint64_t offset, std::size_t size) {
    const io::file opened = co_await open_file(std::move(path), AT_FDCWD, false);
    const std::unique_ptr<std::byte, decltype(&std::free)> memory{
        static_cast<std::byte*>(std::aligned_alloc(65536, (size + 65535) / 65536 * 65536)),
        &std::free};
    file_read_wait reading{opened, offset, {memory.get(), size}};
    const boost::system::result<std::size_t> got = co_await std::move(reading);
    if (!got) throw system_error({got.error(), {}});
    const bool right = test::is_pattern({memory.get(), *got}, 1, offset);
    co_return right ? static_cast<std::int64_t>(*got) : -1;
}

/// Reads from a pipe that nobody writes to.
task<> read_for_ever(int descriptor) {
    std::array<std::byte, 16> data;
    operation_wait waiting;
    waiting.operation.prepare_read(descriptor, data, 0, -1);
    const int result = co_await std::move(waiting);
    if (result == -ECANCELED) throw system_error({waiting.stop_reason(), {}});
}

}  // namespace

BOOST_DATA_TEST_CASE(files_are_opened_and_read, both_backends, kind) {
    const test::temporary_folder folder;
    const std::string path = folder.make("data", 300'001);
    const test::leftovers before;
    {
        engine owner{options_of(2, kind)};
        BOOST_TEST(owner.spawn_on(1, size_of(path, AT_FDCWD, false)).get() == 300'001u);
        BOOST_TEST(owner.run(read(path, 0, 4096)) == 4096);
        BOOST_TEST(owner.run(read(path, 131'072, 65'536)) == 65'536);
        BOOST_TEST(owner.run(read(path, 262'144, 65'536)) == 300'001 - 262'144);
        BOOST_TEST(owner.run(read(path, 1'000'003 % 300'000, 777)) == 777);
        BOOST_TEST(owner.run(read(path, 300'001, 4096)) == 0);
    }
    BOOST_TEST(before.none());
}

namespace {

/// Reads four buffers of `size` bytes each from the start on; `registered`: from the shard's arena.
task<std::int64_t> read_list(std::string path, std::size_t size, bool registered) {
    const io::file opened = co_await open_file(std::move(path), AT_FDCWD, false);
    const std::unique_ptr<std::byte, decltype(&std::free)> memory{
        static_cast<std::byte*>(std::aligned_alloc(4096, 4 * size)), &std::free};
    io::buffer_arena& arena = *this_shard().arena();
    std::array<std::span<std::byte>, 4> buffers;
    for (std::size_t i = 0; i < 4; ++i)
        buffers[i] = {registered ? arena.allocate(size) : memory.get() + (3 - i) * size, size};
    std::swap(buffers[1], buffers[2]);
    while (arena.unprepared()) co_await yield{};
    const std::uint64_t reads = this_shard().backend().statistics().reads;
    file_read_wait reading{opened, 0, buffers};
    const std::uint64_t told = reading.awaits().size;
    const boost::system::result<std::size_t> got = co_await std::move(reading);
    bool right = told == 4 * size && this_shard().backend().statistics().reads == reads + 1;
    std::uint64_t offset = 0;
    for (const std::span<std::byte> one : buffers) {
        const std::size_t mine = std::min<std::uint64_t>(size, *got - offset);
        right = right && test::is_pattern(one.first(mine), 1, offset);
        offset += mine;
        if (registered) arena.release(one.data(), size);
    }
    co_return right ? static_cast<std::int64_t>(*got) : -1;
}

}  // namespace

BOOST_DATA_TEST_CASE(lists_of_buffers_are_filled_by_one_operation, both_backends, kind) {
    const test::temporary_folder folder;
    const std::string path = folder.make("data", 100'001);
    const test::leftovers before;
    {
        engine owner{options_of(1, kind)};
        for (const bool registered : {false, true}) {
            BOOST_TEST(owner.run(read_list(path, 4096, registered)) == 16'384);
            BOOST_TEST(owner.run(read_list(path, 24'576, registered)) == 98'304);
            BOOST_TEST(owner.run(read_list(path, 28'672, registered)) == 100'001);
        }
    }
    BOOST_TEST(before.none());
}

// Stopped before it began: an error that says so, or it was faster.
BOOST_DATA_TEST_CASE(a_stop_request_ends_the_read_of_a_list, both_backends, kind) {
    const test::temporary_folder folder;
    const std::string path = folder.make("data", 300'001);
    engine owner{options_of(1, kind)};
    auto job = [](std::string name) -> task<boost::system::error_code> {
        std::stop_source source;
        const std::stop_token token = source.get_token();
        const io::file opened = co_await open_file(std::move(name), AT_FDCWD, false);
        auto fill = [](const io::file& from) -> task<> {
            std::vector<std::byte> memory(16'384);
            const std::array<std::span<std::byte>, 1> buffers{memory};
            file_read_wait reading{from, 1, io::buffer_list{buffers}};
            const boost::system::result<std::size_t> got = co_await std::move(reading);
            if (!got) throw system_error({got.error(), {}});
        };
        source.request_stop();
        task<> reading = fill(opened);
        reading.set_stop(token);
        co_return co_await code_of(std::move(reading));
    };
    for (int i = 0; i < 20; ++i) {
        const auto code = owner.run(job(path));
        BOOST_TEST((!code || code == errc::cancelled));
    }
}

namespace {

/// Passes everything on and counts the descriptors that it is to close. The first open that begins
/// before one of them is closed finds none free, which is told after that one was closed.
class closing_backend final : public io::backend {
public:
    closing_backend(std::unique_ptr<io::backend> through,
                    std::atomic<int>& closed,
                    bool refuses = false)
        : through_(std::move(through)), closed_(closed), refuses_(refuses) {}
    void submit(io::operation& op) noexcept override {
        closed_ += op.code == io::opcode::close ? 1 : 0;
        if (refuses_ && op.code == io::opcode::close) {
            late_ = &op;
        } else if (late_ != nullptr && op.code == io::opcode::open) {
            refused_ = &op;
            through_->submit(*std::exchange(late_, nullptr));
            refuses_ = false;
        } else {
            through_->submit(op);
        }
    }
    void cancel(io::operation& op) noexcept override { through_->cancel(op); }
    std::size_t run(io::time_point deadline) override {
        const std::size_t done = through_->run(deadline);
        if (refused_ == nullptr || through_->in_flight() != 0) return done;
        io::operation& op = *std::exchange(refused_, nullptr);
        op.result = -EMFILE;
        op.on_complete(op);
        return done + 1;
    }
    void wake() noexcept override { through_->wake(); }
    [[nodiscard]] io::time_point now() const noexcept override { return through_->now(); }
    [[nodiscard]] std::size_t in_flight() const noexcept override {
        return through_->in_flight() + (refused_ != nullptr ? 1 : 0);
    }
    [[nodiscard]] std::string owed() const override { return through_->owed(); }
    [[nodiscard]] io::backend_statistics statistics() const override {
        return through_->statistics();
    }

private:
    std::unique_ptr<io::backend> through_;
    std::atomic<int>& closed_;
    bool refuses_;
    io::operation* late_ = nullptr;
    io::operation* refused_ = nullptr;
};

task<io::file> open_and_unlink(std::string path) {
    io::file opened = co_await open_file(path, AT_FDCWD, false);
    std::filesystem::remove(path);
    co_return opened;
}

task<> close_here(io::file opened) {
    opened = io::file{};
    co_return;
}

}  // namespace

// With one descriptor to spare each file can be opened once the one before is closed.
BOOST_DATA_TEST_CASE(an_open_waits_for_descriptors_that_are_being_closed, both_backends, kind) {
    const test::temporary_folder folder;
    engine owner{options_of(1, kind)};
    constexpr int files = 20;
    for (int i = 0; i < files; ++i) folder.make(std::to_string(i), 10'000);
    const auto churn = [](const test::temporary_folder& in) -> task<> {
        for (int i = 0; i < files; ++i) {
            const io::file opened = co_await open_and_unlink(in.path(std::to_string(i)));
        }
    };
    owner.run(size_of(folder.make("data", 10), AT_FDCWD, false));  // what the engine itself needs
    rlimit old{};
    ::getrlimit(RLIMIT_NOFILE, &old);
    const int lowest_free = ::dup(0);
    ::close(lowest_free);
    const rlimit few{static_cast<rlim_t>(lowest_free) + 1, old.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &few);
    try {
        owner.run(churn(folder));
    } catch (const system_error& failure) {
        BOOST_ERROR(failure.what());
    }
    ::setrlimit(RLIMIT_NOFILE, &old);
}

// The descriptor may be closed between a refusal and the look at it.
BOOST_DATA_TEST_CASE(a_refused_open_is_repeated_after_a_close_that_has_ended, both_backends, kind) {
    const test::temporary_folder folder;
    std::atomic<int> closed{0};
    engine_options options = options_of(1, kind);
    options.make_backend = [&](unsigned) {
        std::string note;
        return std::make_unique<closing_backend>(io::make_backend({kind}, note), closed, true);
    };
    engine owner{options};
    owner.run([](std::string first, std::string second) -> task<> {
        {
            const io::file unlinked = co_await open_and_unlink(std::move(first));
        }
        const io::file opened = co_await open_file(std::move(second), AT_FDCWD, false);
        BOOST_TEST(opened.size() == 20u);
    }(folder.make("first", 10), folder.make("second", 20)));
    BOOST_TEST(closed == 1);
}

// Giving back a large file's blocks takes long.
BOOST_DATA_TEST_CASE(the_last_close_of_an_unlinked_file_is_the_backend_s, both_backends, kind) {
    const test::temporary_folder folder;
    const test::leftovers before;
    std::atomic<int> closed{0};
    io::file outlives;
    {
        engine_options options = options_of(1, kind);
        options.make_backend = [&](unsigned) {
            std::string note;
            return std::make_unique<closing_backend>(io::make_backend({kind}, note), closed);
        };
        engine owner{options};
        BOOST_TEST(owner.run(size_of(folder.make("data", 10'000), AT_FDCWD, false)) == 10'000u);
        BOOST_TEST(closed == 0);  // it has a name: closing it costs nothing
        io::file unlinked = owner.run(open_and_unlink(folder.make("data", 10'000)));
        owner.run(close_here(std::move(unlinked)));
        BOOST_TEST(closed == 1);
        // On a thread that is no shard, and after the engine, at once.
        owner.run(open_and_unlink(folder.make("data", 10'000)));
        BOOST_TEST(closed == 1);
        outlives = owner.run(open_and_unlink(folder.make("data", 10'000)));
    }
    outlives = io::file{};
    BOOST_TEST(closed == 1);
    BOOST_TEST(before.none());
}

BOOST_DATA_TEST_CASE(a_file_that_a_shard_keeps_is_closed_as_the_shard_ends, both_backends, kind) {
    const test::temporary_folder folder;
    const test::leftovers before;
    {
        engine owner{options_of(1, kind)};
        per_shard<io::file> kept{owner};
        const auto keep = [&](std::string path) -> task<> {
            kept.local() = co_await open_and_unlink(std::move(path));
        };
        owner.run(keep(folder.make("data", 10'000)));
        owner.stop();
        owner.join();
    }
    BOOST_TEST(before.none());
}

BOOST_DATA_TEST_CASE(what_cannot_be_opened_says_why, both_backends, kind) {
    const test::temporary_folder folder;
    const std::string path = folder.make("data", 100);
    const test::leftovers before;
    {
        engine owner{options_of(1, kind)};
        const auto code = [&](const std::string& name) {
            return owner.run(code_of(open_only(name, AT_FDCWD, false)));
        };
        BOOST_TEST(code(folder.path("missing")) == system_error_code(ENOENT));
        BOOST_TEST(code(path + "/below") == system_error_code(ENOTDIR));
        BOOST_TEST(code(folder.path("")) == system_error_code(EISDIR));
        BOOST_TEST(code("/dev/null") == errc::not_regular);
        BOOST_TEST(code("") == system_error_code(ENOENT));
        BOOST_TEST(code(std::string("/etc/passwd\0x", 13)) == system_error_code(EINVAL));
        BOOST_TEST(code(std::string(5000, 'x')) == system_error_code(ENAMETOOLONG));
        if (::geteuid() != 0) {
            ::chmod(path.c_str(), 0);
            BOOST_TEST(code(path) == system_error_code(EACCES));
        }
        try {
            owner.run(open_only(folder.path("missing"), AT_FDCWD, false));
            BOOST_ERROR("it was opened");
        } catch (const system_error& failure) {
            BOOST_TEST((failure.where().doing == activity::open));
            BOOST_TEST(std::string{failure.what()}.find("missing") != std::string::npos);
        }
    }
    BOOST_TEST(before.none());
}

BOOST_DATA_TEST_CASE(beneath_a_root_nothing_leads_out, both_backends, kind) {
    const test::temporary_folder folder;
    static_cast<void>(folder.make("outside", 7));
    std::filesystem::create_directory(folder.path("root"));
    std::filesystem::create_directory(folder.path("root/inner"));
    static_cast<void>(folder.make("root/inside", 5));
    std::filesystem::create_symlink("../outside", folder.path("root/leaving"));
    std::filesystem::create_symlink("/etc/passwd", folder.path("root/absolute"));
    std::filesystem::create_symlink("inside", folder.path("root/staying"));
    const int root = ::open(folder.path("root").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    {
        engine owner{options_of(1, kind)};
        const auto code = [&](const std::string& name) {
            return owner.run(code_of(open_only(name, root, true)));
        };
        BOOST_TEST(owner.run(size_of("inside", root, true)) == 5u);
        BOOST_TEST(owner.run(size_of("staying", root, true)) == 5u);
        BOOST_TEST(owner.run(size_of("inner/../inside", root, true)) == 5u);
        for (const char* const name : {"../outside", "leaving", "absolute", "/etc/passwd",
                                       "inner/../../outside", "/proc/self/fd/0"}) {
            BOOST_TEST(code(name) == system_error_code(EXDEV), name);
        }
        BOOST_TEST(owner.run(size_of("../outside", root, false)) == 7u);
    }
    ::close(root);
}

BOOST_DATA_TEST_CASE(a_stop_request_cancels_what_waits, both_backends, kind) {
    int ends[2];
    BOOST_TEST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const test::temporary_folder folder;
    const std::string path = folder.make("data", 100);
    {
        engine owner{options_of(1, kind)};
        BOOST_TEST(owner.run(code_of(with_timeout(read_for_ever(ends[0]), 5ms))) ==
                   errc::timed_out);
        // Cancelled before it began: an error that says so, or it was faster.
        auto job = [](std::string name) -> task<boost::system::error_code> {
            std::stop_source source;
            const std::stop_token token = source.get_token();
            source.request_stop();
            task<> opening = open_only(std::move(name), AT_FDCWD, false);
            opening.set_stop(token);
            co_return co_await code_of(std::move(opening));
        };
        for (int i = 0; i < 20; ++i) {
            const auto code = owner.run(job(path));
            BOOST_TEST((!code || code == errc::cancelled));
        }
        auto reading = owner.spawn_on(0, code_of(read_for_ever(ends[0])));
        owner.run([]() -> task<> { co_await leat::yield{}; }());
        owner.stop();
        BOOST_TEST(reading.get() == errc::stopped);
        BOOST_TEST(!owner.join().code);
    }
    ::close(ends[0]);
    ::close(ends[1]);
}

BOOST_AUTO_TEST_SUITE_END()
