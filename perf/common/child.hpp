// Runs another program and takes what it prints.
#pragma once

#include <string>
#include <vector>

namespace leat::perf {

struct child_output {
    std::string text;  ///< its standard output
    int status = -1;   ///< as waitpid gives it
    int error = 0;     ///< the errno of starting it; ENOENT if there is no such program

    [[nodiscard]] bool good() const noexcept { return error == 0 && status == 0; }
};

/// Runs words[0], found by PATH, with `input` as its standard input, and waits. No shell has a look
/// at the words.
[[nodiscard]] child_output run_child(std::vector<std::string> words, const std::string& input = {});

}  // namespace leat::perf
