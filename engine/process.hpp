// What becomes of the process that engines live in: forks, and its end.
#pragma once

namespace leat::detail {

/// From now on forks are counted, and a call of std::exit is noted. Any thread, any number of
/// times. An object of static storage that was made before is destroyed after the exit is noted.
void watch_process();

/// How many forks, since it was first watched, lie between that process and this one: 0 in that
/// process, 1 in its children, and so on.
[[nodiscard]] int forks() noexcept;

/// For the destructor of what must not be destroyed here. If the process is ending by std::exit,
/// prints `sentence` and ends it at once with the status given there; else misuse(sentence).
[[noreturn]] void end_process(const char* sentence) noexcept;

}  // namespace leat::detail
