// How a task that has ended on another shard brings its awaiter home.
#include <leat/engine/task.hpp>

#include <new>

namespace leat::detail {

std::coroutine_handle<> awaited_promise::ended_away() noexcept {
    if (home_ == nullptr) return caller_;
    shard& home = *home_;
    home.deliver(*new (&message_) home_coming(home, caller_));
    return std::noop_coroutine();
}

void awaited_promise::home_coming::arrive(work& item) noexcept {
    const auto& self = static_cast<home_coming&>(item);
    self.home.resume(self.caller);
}

}  // namespace leat::detail
