// Runs many seeds in child processes and tells which failed.
#include "campaign.hpp"

#include "run.hpp"
#include "verdict.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>

namespace leat::sim {

namespace {

// Of real time for one seed, which takes some ms.
constexpr unsigned seconds_a_seed = 30;

/// A process that runs seeds one after the other, and the memory it reports in.
class worker {
public:
    worker() {
        void* const memory = ::mmap(nullptr, sizeof(verdict_board), PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        require(memory != MAP_FAILED, "no memory");
        board_ = new (memory) verdict_board;
    }
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;
    ~worker() { ::munmap(board_, sizeof(verdict_board)); }

    /// Runs `first`, `first` + `stride`, ... `last` there.
    void start(const campaign_options& wanted, std::uint64_t first, std::uint64_t stride) {
        const unsigned long long done = board_->done;
        *board_ = {};
        board_->done = done;
        board_->seed = first;
        std::fflush(nullptr);
        process_ = ::fork();
        require(process_ >= 0, "fork failed");
        if (process_ != 0) return;
        report_to(*board_);
        for (std::uint64_t seed = first; seed <= wanted.last; seed += stride) {
            board_->seed = seed;
            ::alarm(seconds_a_seed);
            const run_summary summary = run_plan(make_plan(seed, wanted.chosen), wanted.trace);
            if (wanted.hashes) {
                std::printf(
                    "seed %" PRIu64 ": hash %016" PRIx64 ", %" PRIu64 " events in %.3f ms\n", seed,
                    summary.hash, summary.events, static_cast<double>(summary.time_ns) / 1e6);
            }
            ++board_->done;
        }
        std::fflush(nullptr);
        ::_exit(0);
    }

    [[nodiscard]] pid_t process() const noexcept { return process_; }
    [[nodiscard]] std::uint64_t done() const noexcept { return board_->done; }

    /// What failed, if something did, after the process ended with this status.
    [[nodiscard]] std::optional<failure> ended(int status) {
        process_ = -1;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::nullopt;
        failure what{board_->seed, board_->text};
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
            what.text = "the run did not end in " + std::to_string(seconds_a_seed) + " s";
        } else if (!board_->failed) {
            what.text =
                WIFSIGNALED(status)
                    ? std::string{"the process died: "} + ::strsignal(WTERMSIG(status))
                    : "the process ended with status " + std::to_string(WEXITSTATUS(status));
        }
        return what;
    }

private:
    verdict_board* board_;
    pid_t process_ = -1;
};

}  // namespace

std::vector<failure> run_campaign(const campaign_options& wanted) {
    std::vector<failure> failures;
    const auto jobs =
        static_cast<unsigned>(std::min<std::uint64_t>(wanted.jobs, wanted.last - wanted.first + 1));
    std::vector<std::unique_ptr<worker>> workers;
    for (unsigned i = 0; i < jobs; ++i) {
        workers.push_back(std::make_unique<worker>());
        workers.back()->start(wanted, wanted.first + i, jobs);
    }
    for (unsigned running = jobs; running > 0;) {
        int status = 0;
        const pid_t process = ::wait(&status);
        const auto found = std::find_if(workers.begin(), workers.end(),
                                        [&](const auto& one) { return one->process() == process; });
        if (found == workers.end()) continue;
        const std::optional<failure> failed = (*found)->ended(status);
        if (failed) failures.push_back(*failed);
        const bool enough = failures.size() >= wanted.most_failures;
        if (failed && !enough && failed->seed + jobs <= wanted.last) {
            (*found)->start(wanted, failed->seed + jobs, jobs);
            continue;
        }
        --running;
        if (!enough) continue;
        for (const auto& other : workers) {
            if (other->process() > 0) ::kill(other->process(), SIGKILL);
        }
        while (::wait(&status) > 0) {
        }
        break;
    }
    std::sort(failures.begin(), failures.end(),
              [](const failure& left, const failure& right) { return left.seed < right.seed; });
    return failures;
}

std::optional<failure> try_seed(std::uint64_t seed, const selection& chosen) {
    campaign_options one;
    one.first = one.last = seed;
    one.chosen = chosen;
    std::vector<failure> failures = run_campaign(one);
    if (failures.empty()) return std::nullopt;
    return std::move(failures.front());
}

selection shorten(std::uint64_t seed, const selection& failing) {
    selection least = failing;
    const auto still_fails = [&](const selection& less) {
        if (!try_seed(seed, less)) return false;
        least = less;
        return true;
    };
    if (least.all) {
        const plan whole = make_plan(seed, least);
        least.all = false;
        for (unsigned number = 0; number < whole.actions; ++number) least.actions.insert(number);
    }
    // Pieces of half the actions, then of a quarter, ... are left out while it still fails.
    for (std::size_t piece = least.actions.size() / 2 + 1; piece > 0; piece /= 2) {
        for (std::size_t at = 0; at < least.actions.size();) {
            selection less = least;
            auto from = std::next(less.actions.begin(), static_cast<std::ptrdiff_t>(at));
            const std::size_t count = std::min(piece, less.actions.size() - at);
            less.actions.erase(from, std::next(from, static_cast<std::ptrdiff_t>(count)));
            if (!still_fails(less)) at += count;
        }
    }
    for (unsigned i = 0; i < fault_count; ++i) {
        selection less = least;
        less.without.set(static_cast<fault>(i), true);
        const bool struck = make_plan(seed, least).faults.has(static_cast<fault>(i));
        if (struck) still_fails(less);
    }
    return least;
}

}  // namespace leat::sim
