// Versions of files: which changes are seen.
#include "io_support.hpp"

#include <leat/io/detail/file_read.hpp>

#include <array>
#include <thread>

BOOST_AUTO_TEST_SUITE(version_test)

using namespace leat::io;
using namespace leat::io::test;
using leat::errc;

namespace {

/// Passes everything on, counts the attributes that are asked of a file system, and has a clock
/// that can be set forward.
class counting_backend final : public backend {
public:
    explicit counting_backend(std::unique_ptr<backend> through) : through_(std::move(through)) {}
    void submit(operation& op) noexcept override {
        stats += op.code == opcode::stat ? 1 : 0;
        through_->submit(op);
    }
    void cancel(operation& op) noexcept override { through_->cancel(op); }
    std::size_t run(time_point deadline) override { return through_->run(deadline - ahead); }
    void wake() noexcept override { through_->wake(); }
    [[nodiscard]] time_point now() const noexcept override { return through_->now() + ahead; }
    [[nodiscard]] std::size_t in_flight() const noexcept override { return through_->in_flight(); }
    [[nodiscard]] std::string owed() const override { return through_->owed(); }
    [[nodiscard]] backend_statistics statistics() const override { return through_->statistics(); }

    unsigned stats = 0;
    std::chrono::seconds ahead{0};

private:
    std::unique_ptr<backend> through_;
};

struct tracked : file_read {
    static void done(file_read& read) noexcept { static_cast<tracked&>(read).ended = true; }
    bool ended = false;
};

file open_named(const std::string& path, file_system on = {}) {
    const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct statx attributes{};
    BOOST_TEST_REQUIRE(::statx(opened, "", AT_EMPTY_PATH, file::stat_mask, &attributes) == 0);
    auto adopted = file::adopt(opened, attributes, false, on);
    BOOST_TEST_REQUIRE(adopted.has_value());
    adopted->set_name(AT_FDCWD, path);
    adopted->asked_at(clock::now());
    return std::move(*adopted);
}

boost::system::error_code read_all(backend& through, const file& from) {
    std::vector<std::byte> memory(from.size());
    tracked read;
    read.start(through, from, 0, memory, -1, &tracked::done);
    BOOST_TEST_REQUIRE(run_until(through, [&] { return read.ended; }));
    return read.error();
}

/// Waits until the file system gives another time stamp.
void let_the_tick_pass() {
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
}

/// Other bytes in place, of the same size and with the same mtime.
void rewrite_secretly(const std::string& path) {
    let_the_tick_pass();
    struct stat before{};
    const descriptor out(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    BOOST_TEST_REQUIRE(::fstat(out, &before) == 0);
    BOOST_TEST_REQUIRE(::pwrite(out, "other", 5, 100) == 5);
    const timespec times[2] = {before.st_atim, before.st_mtim};
    BOOST_TEST_REQUIRE(::futimens(out, times) == 0);
    struct stat after{};
    BOOST_TEST_REQUIRE(::fstat(out, &after) == 0);
    BOOST_TEST(after.st_mtim.tv_nsec == before.st_mtim.tv_nsec);
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(a_rewrite_with_the_mtime_set_back_is_seen, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 1000);
    const file from = open_named(path);
    BOOST_TEST(!read_all(*through, from));
    rewrite_secretly(path);
    BOOST_TEST((read_all(*through, from) == errc::file_changed));
    // Whatever explains the next change of ctime.
    std::filesystem::rename(path, scratch / "g");
    BOOST_TEST((read_all(*through, from) == errc::file_changed));
}

namespace {
/// Changes the file when it has its bytes, and reads it once more.
struct rewriting : tracked {
    static void rewrite(file_read& read) noexcept {
        auto& self = static_cast<rewriting&>(read);
        self.ended = true;
        rewrite_secretly(self.path);
        self.again->start(*self.through, *self.from, 0, self.memory, -1, &tracked::done);
    }
    std::string path;
    backend* through = nullptr;
    const file* from = nullptr;
    tracked* again = nullptr;
    std::array<std::byte, 1000> memory{};
};
}  // namespace

BOOST_AUTO_TEST_CASE(one_look_serves_all_reads_that_had_completed_before_it_and_no_later_ones) {
    const auto through = make<uring_kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 1000);
    const file from = open_named(path);
    BOOST_TEST(!read_all(*through, from));  // it is in the page cache: reads complete at once
    tracked again;
    rewriting first;
    first.path = path;
    first.through = through.get();
    first.from = &from;
    first.again = &again;
    std::array<tracked, 2> beside;
    std::array<std::array<std::byte, 1000>, 2> memory{};
    first.start(*through, from, 0, first.memory, -1, &rewriting::rewrite);
    for (std::size_t i = 0; i < beside.size(); ++i) {
        beside[i].start(*through, from, 0, memory[i], -1, &tracked::done);
    }
    BOOST_TEST_REQUIRE(run_until(*through, [&] { return again.ended; }));
    BOOST_TEST(!first.error());
    for (std::size_t i = 0; i < beside.size(); ++i) {
        BOOST_TEST_REQUIRE(beside[i].ended);
        BOOST_TEST(!beside[i].error());
        BOOST_TEST(patterned(memory[i].data(), 0, memory[i].size()));
    }
    BOOST_TEST((again.error() == errc::file_changed));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(links_and_renames_leave_the_version_as_it_is, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 1000);
    const std::string other = scratch.patterned("other", 1000);
    const auto change = [&](const char* what) {
        let_the_tick_pass();
        const file from = open_named(path);
        let_the_tick_pass();
        const std::string to = scratch / "to";
        if (what == std::string("link")) {
            std::filesystem::create_hard_link(path, to);
        } else if (what == std::string("rename")) {
            std::filesystem::rename(path, to);
        } else if (what == std::string("replace")) {
            std::filesystem::rename(other, path);
        } else {
            std::filesystem::remove(path);
        }
        BOOST_TEST(!read_all(*through, from), what);
        BOOST_TEST(!read_all(*through, from), what);
        // What has been explained explains nothing more.
        const bool gone = what == std::string("replace") || what == std::string("remove");
        if (!gone) {
            rewrite_secretly(to);
            BOOST_TEST((read_all(*through, from) == errc::file_changed), what);
            std::filesystem::remove(path);
            std::filesystem::rename(to, path);
        }
    };
    change("link");
    change("rename");
    change("replace");
    change("remove");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_rename_there_and_back_explains_twice, Kind, kinds) {
    const auto through = make<Kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 1000);
    const file from = open_named(path);
    for (int i = 0; i < 2; ++i) {
        let_the_tick_pass();
        std::filesystem::rename(path, scratch / "g");
        BOOST_TEST(!read_all(*through, from));
        let_the_tick_pass();
        std::filesystem::rename(scratch / "g", path);
        BOOST_TEST(!read_all(*through, from));
    }
    rewrite_secretly(path);
    BOOST_TEST((read_all(*through, from) == errc::file_changed));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(remote_attributes_are_asked_for_once_a_second, Kind, kinds) {
    auto real = make<Kind>();
    if (!real) {
        return;
    }
    counting_backend through(std::move(real));
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 1000);
    for (const bool remote : {false, true}) {
        through.stats = 0;
        through.ahead = std::chrono::seconds(0);
        const file from = open_named(path, {.read_by_threads = false, .remote = remote});
        for (unsigned second = 0; second < 3; ++second) {
            for (int i = 0; i < 10; ++i) {
                BOOST_TEST(!read_all(through, from));
            }
            BOOST_TEST(through.stats == (remote ? second : 0));
            through.ahead += std::chrono::seconds(2);
        }
    }
}

BOOST_AUTO_TEST_CASE(types_of_file_systems) {
    BOOST_TEST(file_system::of_type(0x65735546).read_by_threads);  // FUSE
    BOOST_TEST(file_system::of_type(0x65735546).remote);
    BOOST_TEST(!file_system::of_type(0x6969).read_by_threads);  // NFS
    BOOST_TEST(file_system::of_type(0x6969).remote);
    BOOST_TEST(file_system::of_type(static_cast<long>(0xFF534D42)).remote);  // CIFS
    BOOST_TEST(file_system::of_type(static_cast<int>(0xFF534D42)).remote);   // sign extended
    BOOST_TEST(!file_system::of_type(0xEF53).remote);                        // ext4
    BOOST_TEST(!file_system::of_type(static_cast<int>(0x9123683E)).read_by_threads);  // btrfs
    BOOST_TEST(!file_system::of_type(static_cast<int>(0x9123683E)).remote);
    // What is not known may be anything.
    BOOST_TEST(file_system::of_type(0).read_by_threads);
    BOOST_TEST(file_system::of_type(0).remote);
    BOOST_TEST(file_system::of_type(0x12345678).remote);

    const scratch_directory scratch;
    const file here = open_named(scratch.patterned("f", 1));
    struct statx attributes{};
    BOOST_TEST_REQUIRE(
        ::statx(here.descriptor(), "", AT_EMPTY_PATH, file::stat_mask, &attributes) == 0);
    if (const auto told = file_system::of(attributes)) {
        BOOST_TEST(!told->read_by_threads);
    }
    attributes.stx_mask &= ~file_system::unique_mount;
    attributes.stx_attributes_mask = 0;
    BOOST_TEST(!file_system::of(attributes).has_value());
    attributes.stx_attributes_mask = STATX_ATTR_IMMUTABLE;
    BOOST_TEST((file_system::of(attributes).has_value() && !file_system::of(attributes)->remote));
}

BOOST_AUTO_TEST_SUITE_END()
