// Whether a program that makes a mistake ends as it should.
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>

namespace leat::test {

/// Calls `mistake` in a child process. Whether that ended by abort(), with `sentence` on standard
/// error; says on standard error what it did instead. Only while the process has one thread.
template <class Function>
[[nodiscard]] bool dies_saying(std::string_view sentence, Function mistake) {
    int ends[2];
    if (::pipe(ends) != 0) return false;
    const ::pid_t child = ::fork();
    if (child == 0) {
        std::signal(SIGABRT, SIG_DFL);
        const ::rlimit no_core{0, 0};
        ::setrlimit(RLIMIT_CORE, &no_core);
        ::dup2(ends[1], STDERR_FILENO);
        ::close(ends[0]);
        ::close(ends[1]);
        mistake();
        ::_exit(0);
    }
    ::close(ends[1]);
    std::string said;
    char part[512];
    for (::ssize_t size = 0; (size = ::read(ends[0], part, sizeof part)) > 0;) {
        said.append(part, static_cast<std::size_t>(size));
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
        said.find(sentence) != std::string::npos) {
        return true;
    }
    std::fprintf(stderr, "status %#x, said \"%s\"\n", static_cast<unsigned>(status), said.c_str());
    return false;
}

}  // namespace leat::test
