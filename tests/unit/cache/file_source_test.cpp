// Files that are changed, replaced or cannot be opened.
#include "cache_support.hpp"
#include "pattern.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

BOOST_AUTO_TEST_SUITE(file_source_test)

using namespace leat;
using namespace leat::literals;
using namespace std::chrono_literals;
using leat::test::ask;
using leat::test::both_backends;
using leat::test::get;
using leat::test::small_engine;

BOOST_DATA_TEST_CASE(files_changed_in_place_fail_and_replaced_ones_stay_readable,
                     both_backends,
                     kind) {
    const test::temporary_folder folder;
    engine owner{small_engine(2, 2_MiB, 64_KiB, kind)};
    chunk_manager manager{owner, file_source{}};
    const std::string path = folder.make("data", 1_MiB, 1);
    const file first = owner.run(manager.open(path));
    BOOST_TEST(!ask(owner, manager, {first, 0, 100}));

    folder.make("new", 1_MiB, 2);
    std::filesystem::rename(folder.path("new"), path);
    const file second = owner.run(manager.open(path));
    BOOST_TEST((first.id() != second.id()));
    std::filesystem::remove(path);
    for (const std::uint64_t offset : {std::uint64_t{0}, 512_KiB, 1_MiB - 100}) {
        BOOST_TEST(
            test::is_pattern(owner.run(get(manager, {second, offset, 100})).bytes(), 2, offset));
    }

    const std::string written = folder.make("written", 1_MiB, 3);
    const file old = owner.run(manager.open(written));
    const slice kept = owner.run(get(manager, {old, 0, 100}));
    std::this_thread::sleep_for(20ms);  // timestamps have the granularity of a tick
    folder.make("written", 1_MiB, 4);
    BOOST_TEST(ask(owner, manager, {old, 900'000, 100}) == errc::file_changed);
    BOOST_TEST(test::is_pattern(kept.bytes(), 3, 0));
    const file newer = owner.run(manager.open(written));
    BOOST_TEST(
        test::is_pattern(owner.run(get(manager, {newer, 900'000, 100})).bytes(), 4, 900'000));

    const std::string cut = folder.make("cut", 1_MiB, 5);
    const file longer = owner.run(manager.open(cut));
    std::filesystem::resize_file(cut, 1000);
    BOOST_TEST(ask(owner, manager, {longer, 900'000, 100}) == errc::file_changed);
}

BOOST_DATA_TEST_CASE(what_cannot_be_opened_says_why_and_costs_nothing, both_backends, kind) {
    const test::temporary_folder folder;
    engine owner{small_engine(2, 2_MiB, 64_KiB, kind)};
    chunk_manager manager{owner, file_source{}};
    const auto open_code = [&](chunk_manager& with, const std::string& name) {
        try {
            owner.run(with.open(name));
            return boost::system::error_code{};
        } catch (const system_error& failure) {
            return failure.code();
        }
    };
    BOOST_TEST(open_code(manager, folder.path("none")) == system_error_code(ENOENT));
    BOOST_TEST(open_code(manager, folder.path("")) == system_error_code(EISDIR));
    BOOST_TEST(open_code(manager, "/dev/null") == errc::not_regular);
    folder.make("data", 1000);
    chunk_manager rooted{owner, file_source{folder.path("")}};
    BOOST_TEST(!open_code(rooted, "data"));
    BOOST_TEST(
        open_code(rooted,
                  "../" +
                      std::filesystem::path{folder.path("data")}.parent_path().filename().string() +
                      "/data") == system_error_code(EXDEV));
    BOOST_TEST(open_code(rooted, "/etc/passwd") == system_error_code(EXDEV));
    BOOST_TEST(open_code(rooted, std::string("data\0x", 6)) == system_error_code(EINVAL));

    rlimit old{};
    ::getrlimit(RLIMIT_NOFILE, &old);
    const int lowest_free = ::dup(0);
    ::close(lowest_free);
    const rlimit few{static_cast<rlim_t>(lowest_free), old.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &few);
    const boost::system::error_code full = open_code(manager, folder.path("data"));
    ::setrlimit(RLIMIT_NOFILE, &old);
    BOOST_TEST(full == system_error_code(EMFILE));
    BOOST_TEST(!open_code(manager, folder.path("data")));
}

BOOST_AUTO_TEST_SUITE_END()
