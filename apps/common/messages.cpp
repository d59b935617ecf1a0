// Writes lines and the line of status so that neither spoils the other.
#include "common/messages.hpp"

#include <unistd.h>

#include <cstdio>
#include <mutex>
#include <string>

namespace leat::apps {

namespace {

constexpr std::string_view erase_line = "\r\033[K";

std::mutex mutex;
std::size_t shown = 0;  // columns of the status on the screen; under the mutex

bool on_terminal() noexcept {
    static const bool terminal = ::isatty(STDERR_FILENO) == 1;
    return terminal;
}

void write(std::string_view text) noexcept {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
}

void end_status_locked() noexcept {
    if (shown == 0) return;
    write(on_terminal() ? erase_line : "\n");
    shown = 0;
}

}  // namespace

void complain(std::string_view program, std::string_view text) noexcept {
    try {
        std::string line;
        line.append(program).append(": ").append(text);
        for (char& character : line) {
            const auto code = static_cast<unsigned char>(character);
            if (code < 0x20 || code == 0x7f) character = '?';
        }
        line += '\n';
        const std::lock_guard lock{mutex};
        end_status_locked();
        write(line);
    } catch (...) {  // no memory for the line
        write("out of memory\n");
    }
}

void show_status(std::string_view text) noexcept {
    try {
        std::string line{on_terminal() ? erase_line : "\r"};
        line.append(text);
        const std::lock_guard lock{mutex};
        if (!on_terminal() && text.size() < shown) line.append(shown - text.size(), ' ');
        write(line);
        shown = text.size();
    } catch (...) {  // the next one may have more luck
    }
}

void end_status() noexcept {
    try {
        const std::lock_guard lock{mutex};
        end_status_locked();
    } catch (...) {  // a mutex of ours cannot fail
    }
}

}  // namespace leat::apps
