// Lists who waits outside an engine for its tasks, and tells them when it gives up.
#include <leat/engine/detail/outside_waits.hpp>
#include <leat/engine/engine.hpp>

#include <utility>

namespace leat::detail {

bool outside_waits::enter(outside_wait& one) noexcept {
    const std::lock_guard lock{mutex_};
    if (given_up_) return false;
    waits_.push_back(one);
    return true;
}

void outside_waits::leave(outside_wait& one) noexcept {
    const std::lock_guard lock{mutex_};
    if (one.outside_wait_hook::is_linked()) waits_.erase(waits_.iterator_to(one));
}

// Whoever is told leaves before it goes on, and so not before the lock is free: it is still there.
void outside_waits::give_up() noexcept {
    const std::lock_guard lock{mutex_};
    given_up_ = true;
    while (!waits_.empty()) {
        outside_wait& one = waits_.front();
        waits_.pop_front();
        one.give_up();
    }
}

void outside_waits::report(std::string text) noexcept {
    const std::lock_guard lock{reporting_};
    if (engine_ != nullptr) engine_->report(event::level::warning, std::move(text));
}

void outside_waits::engine_gone() noexcept {
    const std::lock_guard lock{reporting_};
    engine_ = nullptr;
}

}  // namespace leat::detail
