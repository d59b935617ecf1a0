// A file on which another process holds a lease.
#include "io_support.hpp"

#include <leat/io/file.hpp>

#include <sys/wait.h>

#include <csignal>

BOOST_AUTO_TEST_SUITE(lease_test)

using namespace leat::io;
using namespace leat::io::test;

namespace {

/// Another process that holds a lease on a file until it is told to give it up.
class lease_holder {
public:
    explicit lease_holder(const std::string& path) {
        std::fflush(nullptr);
        child_ = ::fork();
        if (child_ == 0) {
            hold(path);
        }
        char held = 0;
        holds_ = ::read(ready_.reader, &held, 1) == 1 && held == 'y';
    }
    ~lease_holder() {
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
    }
    [[nodiscard]] bool holds() const { return holds_; }
    void give_up() { BOOST_TEST(::write(end_.writer, "x", 1) == 1); }

private:
    [[noreturn]] void hold(const std::string& path) {
        ::signal(SIGIO, SIG_IGN);
        const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
        const bool leased = ::fcntl(file, F_SETLEASE, F_WRLCK) == 0;
        static_cast<void>(::write(ready_.writer, leased ? "y" : "n", 1));
        char told = 0;
        static_cast<void>(::read(end_.reader, &told, 1));
        ::fcntl(file, F_SETLEASE, F_UNLCK);
        ::_exit(0);
    }

    pipe_pair ready_;
    pipe_pair end_;
    pid_t child_ = -1;
    bool holds_ = false;
};

std::chrono::nanoseconds processor_time() {
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(an_open_waits_for_a_lease_and_uses_no_processor, Kind, kinds) {
    const auto through = make<Kind>();
    const scratch_directory scratch;
    const std::string path = scratch.patterned("f", 4096);
    lease_holder holder(path);
    if (!through || !holder.holds()) {
        BOOST_TEST_MESSAGE("skipped: no leases here");
        return;
    }
    // More of them than there are threads, and beneath a root as well.
    const descriptor root(::open(scratch.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    std::array<counted, 6> opens;
    for (std::size_t i = 0; i < opens.size(); ++i) {
        const bool beneath = i % 2 == 0;
        const char* const name = beneath ? "f" : path.c_str();
        opens[i].prepare_open(beneath ? int{root} : AT_FDCWD, name, file::how_to_open(beneath));
        through->submit(opens[i]);
    }
    const auto before = processor_time();
    const time_point end = through->now() + std::chrono::milliseconds(500);
    while (through->now() < end) {
        through->run(end);
    }
    BOOST_TEST((processor_time() - before < std::chrono::milliseconds(250)));
    BOOST_TEST(through->statistics().retries < 40 * opens.size());
    // Other files are opened and read meanwhile.
    counted other;
    other.prepare_open(AT_FDCWD, scratch.path().c_str(), file::how_to_open(false));
    const descriptor opened(perform(*through, other));
    BOOST_TEST(opened >= 0);
    for (const counted& op : opens) {
        BOOST_TEST(op.completions == 0);
    }
    // One is cancelled, and does not wait for the end of the lease.
    through->cancel(opens[0]);
    BOOST_TEST(run_until(*through, [&] { return opens[0].completions == 1; }));
    BOOST_TEST(opens[0].result == -ECANCELED);
    BOOST_TEST(opens[1].completions == 0);
    holder.give_up();
    BOOST_TEST(finish(*through));
    for (std::size_t i = 1; i < opens.size(); ++i) {
        BOOST_TEST(opens[i].result >= 0);
        ::close(opens[i].result);
    }
}

BOOST_AUTO_TEST_SUITE_END()
