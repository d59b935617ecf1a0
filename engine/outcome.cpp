// How a value or an error crosses to whoever waits for it, once.
#include <leat/engine/detail/outcome.hpp>

namespace leat::detail {

void outcome::set_exception(std::exception_ptr escaped) noexcept {
    error_ = error_of(escaped);
    if (error_->where.doing == activity::none) error_->where.doing = activity::task;
    exception_ = std::move(escaped);
    assert(outcome::fault() == nullptr);
}

const char* outcome::fault() const noexcept {
    if (exception_ && !error_) return "an exception is kept without its error";
    if (error_ && !error_->code) return "an error is kept that is none";
    return nullptr;
}

void outcome::rethrow(bool on_shard) {
    if (!error_) return;
    if (!on_shard && exception_) std::rethrow_exception(std::move(exception_));
    throw leat::system_error(*error_);
}

}  // namespace leat::detail
