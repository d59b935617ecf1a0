#include <leat/engine/outcome.hpp>
#include <leat/engine/shard.hpp>

namespace leat::detail {

work outcome::done;

void outcome::set_exception(std::exception_ptr escaped) noexcept {
    error_ = error_of(escaped);
    if (error_->where.doing == activity::none) error_->where.doing = activity::task;
    exception_ = std::move(escaped);
}

void outcome::complete() noexcept {
    work* const waiter = waiter_.exchange(&done, std::memory_order_acq_rel);
    waiter_.notify_all();
    if (waiter != nullptr) waiter_home_->deliver(*waiter);
}

void outcome::give_up() noexcept {
    if (waiter_.load(std::memory_order_acquire) != nullptr) return;
    error_ = leat::error{make_error_code(errc::timed_out), {.doing = activity::stop}};
    waiter_.store(&done, std::memory_order_release);
    waiter_.notify_all();
}

bool outcome::wait(work& item, shard& from) noexcept {
    waiter_home_ = &from;
    work* expected = nullptr;
    return waiter_.compare_exchange_strong(expected, &item, std::memory_order_acq_rel);
}

void outcome::block() const noexcept {
    while (!completed()) waiter_.wait(nullptr, std::memory_order_acquire);
}

void outcome::rethrow(bool on_shard) {
    if (!error_) return;
    if (!on_shard && exception_) std::rethrow_exception(std::move(exception_));
    throw leat::system_error(*error_);
}

}  // namespace leat::detail
