// Starts a program, reads what it prints, and waits for its end.
#include "common/child.hpp"

#include "common/target_file.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

extern char** environ;

namespace leat::perf {

namespace {

// What the child is to read, in memory: a pipe might fill before it reads.
descriptor holding(const std::string& input) {
    const descriptor memory{::memfd_create("leat-bench", MFD_CLOEXEC)};
    std::size_t done = 0;
    while (done < input.size()) {
        const ssize_t count = ::write(memory.get(), input.data() + done, input.size() - done);
        if (count <= 0) break;
        done += static_cast<std::size_t>(count);
    }
    ::lseek(memory.get(), 0, SEEK_SET);
    return memory;
}

std::string read_all(int from) {
    std::string text;
    std::array<char, 4096> buffer{};
    for (;;) {
        const ssize_t count = ::read(from, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
}

}  // namespace

child_output run_child(std::vector<std::string> words, const std::string& input) {
    child_output result;
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {{}, -1, errno};
    const descriptor read_end{ends[0]};
    const descriptor given = holding(input);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, given.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    pid_t child = 0;
    result.error =
        ::posix_spawnp(&child, words[0].c_str(), &actions, nullptr, pointers.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (result.error != 0) return result;
    result.text = read_all(read_end.get());
    while (::waitpid(child, &result.status, 0) < 0 && errno == EINTR) {
    }
    return result;
}

}  // namespace leat::perf
