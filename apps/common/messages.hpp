// What a program says on standard error: lines, and below them one line of status.
#pragma once

#include <string_view>

namespace leat::apps {

/// Prints "PROGRAM: TEXT" as one line, unprintable characters as '?'. Any thread.
void complain(std::string_view program, std::string_view text) noexcept;

/// Shows `text`, which must fit the terminal, in place of the status shown before; lines printed by
/// complain() replace it until the next call. Any thread.
void show_status(std::string_view text) noexcept;

/// Ends the status: erased from a terminal, kept as a line elsewhere. Any thread.
void end_status() noexcept;

}  // namespace leat::apps
