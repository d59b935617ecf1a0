// Logs whose reader has stopped: nothing waits for longer than it is told to, lines stay lines.
#include "log_file.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

BOOST_AUTO_TEST_SUITE(log_file_test)

using leat::serve::log_file;

namespace {

class folder {
public:
    folder() {
        std::string name = "log-test.XXXXXX";
        path = ::mkdtemp(name.data());
    }
    ~folder() { std::filesystem::remove_all(path); }
    std::filesystem::path path;
};

bool never(log_file::clock::duration) {
    return false;
}

std::string taken_from(int reader) {
    std::string all(1 << 20, '\0');
    const ssize_t count = ::read(reader, all.data(), all.size());
    all.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_regular_file_is_appended_to) {
    const folder here;
    const std::string path = here.path / "log";
    std::ofstream{path} << "before\n";
    {
        log_file log{path};
        BOOST_TEST(log.write("one\n", never) == 0U);
        BOOST_TEST(log.write("two\nthree\n", never) == 0U);
        BOOST_TEST(log.write("", never) == 0U);
    }
    std::ifstream file{path};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    BOOST_TEST(text == "before\none\ntwo\nthree\n");
}

BOOST_AUTO_TEST_CASE(a_pipe_that_nobody_reads) {
    const folder here;
    const std::string path = here.path / "pipe";
    BOOST_TEST_REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    BOOST_CHECK_THROW(log_file{path}, std::runtime_error);
    const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
    BOOST_TEST_REQUIRE(::fcntl(reader, F_SETPIPE_SZ, 4096) == 4096);
    log_file log{path};
    int asked = 0;
    log_file::clock::duration longest{};
    const auto three_times = [&](log_file::clock::duration full) {
        longest = full;
        return ++asked < 3;
    };
    BOOST_TEST(log.write(std::string(5000, 'x') + "\nlost\n", three_times) == 2U);
    BOOST_TEST(asked == 3);
    BOOST_TEST((longest > log_file::clock::duration{}));
    BOOST_TEST(taken_from(reader) == std::string(4096, 'x'));
    // What was cut off is a line, and what follows is another.
    BOOST_TEST(log.write("next\n", never) == 0U);
    BOOST_TEST(taken_from(reader) == "\nnext\n");
    ::close(reader);
}

BOOST_AUTO_TEST_CASE(a_full_disk) {
    if (!std::filesystem::exists("/dev/full")) return;
    log_file log{"/dev/full"};
    BOOST_TEST(log.write("one\ntwo\n", never) == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
