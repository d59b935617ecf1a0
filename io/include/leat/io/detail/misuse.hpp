// What becomes of a programmer's error at the public interface.
#pragma once

namespace leat::detail {

/// Prints "leat: " and `sentence` to standard error and aborts, in every build. For what the caller
/// could have known to be wrong, where going on would hang or use memory that is gone; what is
/// known at run time only is thrown as errc::invalid_option. `sentence` says what was done, and
/// what to do instead. Any thread; allocates nothing.
[[noreturn, gnu::cold, gnu::noinline]] void misuse(const char* sentence) noexcept;

}  // namespace leat::detail
