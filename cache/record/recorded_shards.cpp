// Which recorder an engine's shards note for, and when they stop.
#include "recorder.hpp"

#include <leat/engine/detail/inquiry.hpp>

#include <cerrno>
#include <utility>

namespace leat::detail {

namespace {
[[noreturn]] void refuse_recording(boost::system::error_code code, const std::string& path) {
    where at{.doing = activity::open};
    at.set_name(path);
    throw system_error({code, at});
}
}  // namespace

std::shared_ptr<recorder> shared_cache::begin_recording(
    const std::function<std::shared_ptr<recorder>(leat::engine&)>& make, const std::string& path) {
    const std::lock_guard lock{recording_};
    if (engine_ended_) refuse_recording(errc::stopped, path);
    if (recorder_ != nullptr) refuse_recording(system_error_code(EBUSY), path);
    recorder_ = make(engine_);
    files_.listen(recorder_.get());
    return recorder_;
}

bool shared_cache::end_recording(const std::shared_ptr<recorder>& by, time_span patience) noexcept {
    bool all_told = true;
    by->with_engine([&](leat::engine& of) {
        try {
            const auto told = inquiry<bool>::ask(
                of,
                [cache = shared_from_this(), by](shard& one) {
                    cache->at(one.index()).log().end(*by);
                    return true;
                },
                patience);
            for (unsigned index = 0; index < told.size(); ++index)
                all_told = all_told && (told[index] || of.at(index).ended());
        } catch (const std::bad_alloc&) {  // what they have noted last is lost
            all_told = false;
        }
        // Nobody answers there any more.
        for (const auto& part : shards_) {
            if (part->home().ended()) part->log().end(*by);
        }
    });
    const std::lock_guard lock{recording_};
    if (recorder_ != by) return all_told;
    files_.listen(nullptr);
    recorder_.reset();
    return all_told;
}

void shared_cache::forget_engine() noexcept {
    std::shared_ptr<recorder> mine;
    {
        const std::lock_guard lock{recording_};
        engine_ended_ = true;
        mine = std::exchange(recorder_, nullptr);
        files_.listen(nullptr);
    }
    if (mine == nullptr) return;
    mine->engine_ends([&](leat::engine&) {
        for (const auto& part : shards_) part->log().end(*mine);
    });
}

}  // namespace leat::detail
