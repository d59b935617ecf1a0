// Asks ahead, and lets go of what has come.
#include "look_ahead.hpp"

#include <leat/cache/detail/shard_cache.hpp>
#include <leat/cache/slice.hpp>
#include <leat/engine/shard.hpp>

#include <memory>
#include <new>

namespace leat::detail {

look_ahead* look_ahead::ask(const manager_core& manager,
                            std::uint64_t file,
                            std::uint64_t offset,
                            std::uint64_t size,
                            std::uint64_t window,
                            hint given) noexcept {
    std::unique_ptr<look_ahead> asking{new (std::nothrow) look_ahead};
    if (!asking) return nullptr;
    asking->done = &look_ahead::landed;
    asking->size = static_cast<std::uint32_t>(size);
    asking->window = static_cast<std::uint32_t>(window);
    asking->patience = patience::brief;
    asking->asked_ahead = true;
    asking->given = given;
    shard_cache& cache = shard_cache::current();
    cache.home().hold();
    if (!cache.request(*asking, file, offset, manager)) {
        cache.home().unhold();
        return nullptr;
    }
    return asking.release();
}

void look_ahead::landed(chunk_request& request) noexcept {
    auto& self = static_cast<look_ahead&>(request);
    self.ended_ = true;
    if (self.pinned != nullptr) const slice let_go{*self.pinned, self.in, self.size};
    self.home->home().unhold();
    const bool known = self.known_ != nullptr;
    self.leave();
    if (self.dropped_ || known) delete &self;
}

void look_ahead::leave() noexcept {
    if (known_ == nullptr) return;
    *known_ = next_;
    if (next_ != nullptr) next_->known_ = known_;
    known_ = nullptr;
}

void look_ahead::goes_with(look_ahead*& known) noexcept {
    if (ended_) {
        delete this;
        return;
    }
    next_ = known;
    if (next_ != nullptr) next_->known_ = &next_;
    known = this;
    known_ = &known;
}

void look_ahead::drop() noexcept {
    leave();
    dropped_ = true;
    if (ended_) {
        delete this;
    } else {
        home->cancel(*this);
    }
}

}  // namespace leat::detail
