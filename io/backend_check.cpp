// What is always true of the backends, between two completions.
#include "blocking_call.hpp"
#include "thread_backend.hpp"
#include "uring_backend.hpp"

namespace leat::io {

const char* uring_backend::fault() const noexcept {
    if (const char* const wrong = queue_.fault()) return wrong;
    std::uint64_t held = 0;
    unsigned multishots = 0;
    unsigned ending = 0;
    const auto count = [&](const operation& op) {
        held += op.credit;
        multishots += op.multishot && op.credit > 1 ? 1 : 0;
        ending += op.ending ? 1 : 0;
        return op.state == operation::phase::submitted && op.credit != 0;
    };
    for (const operation& op : submitted_) {
        if (!count(op)) return "an operation in the kernel has not begun, or holds no credit";
    }
    for (const operation& op : cancels_) {
        if (!count(op) || (!op.cancel_requested && !op.ending))
            return "an operation is to be cancelled that is not to end";
    }
    if (held != queue_.held()) return "credit is counted wrongly";
    if (multishots != multishots_) return "operations with much credit are counted wrongly";
    if (ending != (shedding_ ? 1U : 0U)) return "credit is asked back from none or from several";
    if (cancels_used_ > cancel_credit_) return "more cancellations are in the kernel than may be";
    const std::size_t found = queue_.size() + submitted_.size() + cancels_.size() +
                              withdrawn_.size() + for_threads_.size() + (pool_ ? pool_->size() : 0);
    if (found != accepted_) return "operations in flight are counted wrongly";
    return nullptr;
}

const char* thread_backend::fault() const noexcept {
    std::size_t found = incoming_.size() + ready_.size() + pool_.size();
    for (const auto& [descriptor, of] : watches_) {
        if (of.waiting.empty()) return "a descriptor is watched for nobody";
        if (!of.registered) return "somebody waits for a descriptor that is not watched";
        for (const operation& op : of.waiting) {
            ++found;
            if (op.descriptor != descriptor) return "somebody waits for another descriptor's sake";
            if ((interest(op) & ~of.events) != 0)
                return "a descriptor is not watched for what somebody waits for";
        }
    }
    if (found != accepted_) return "operations in flight are counted wrongly";
    return nullptr;
}

}  // namespace leat::io
