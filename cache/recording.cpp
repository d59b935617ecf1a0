// Begins recordings on all shards, and ends them there.
#include "record/recorder.hpp"

#include <leat/cache/detail/manager_access.hpp>
#include <leat/cache/recording.hpp>
#include <leat/engine/detail/inquiry.hpp>
#include <leat/io/detail/misuse.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace leat {

namespace {

// How long a shard may take to hear that a recording begins or ends.
constexpr std::chrono::seconds patience{1};

void expect_no_shard() noexcept {
    if (shard::current() != nullptr)
        detail::misuse(
            "a recording was begun or ended on a shard, which it would block: do so on another "
            "thread, or by co_await leat::offload");
}

[[noreturn]] void refuse_file(boost::system::error_code code, const std::string& path) {
    leat::where at{.doing = activity::open};
    at.set_name(path);
    throw system_error({code, at});
}

/// A new file, closed unless it is taken.
class new_file {
public:
    explicit new_file(const std::string& path)
        : descriptor_(
              ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0666)) {
        // A pipe that nobody reads from is an error, not a wait.
        if (descriptor_ < 0) refuse_file(system_error_code(errno), path);
        ::fcntl(descriptor_, F_SETFL, 0);
    }
    new_file(const new_file&) = delete;
    new_file& operator=(const new_file&) = delete;
    ~new_file() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    [[nodiscard]] int get() const noexcept { return descriptor_; }
    void let_go() noexcept { descriptor_ = -1; }

private:
    int descriptor_;
};

}  // namespace

recording::recording(chunk_manager& of, const std::string& path, const recording_options& options)
    : cache_(detail::manager_access::cache(of)) {
    expect_no_shard();
    const auto make = [&](engine& by) {
        new_file file{path};
        auto made = std::make_shared<detail::recorder>(by, detail::manager_access::shared_core(of),
                                                       file.get(), options);
        file.let_go();
        return made;
    };
    recorder_ = cache_->begin_recording(make, path);
    try {
        begin_on_shards();
    } catch (...) {
        (void)stop();
        throw;
    }
}

void recording::begin_on_shards() {
    recorder_->with_engine([this](engine& by) {
        const auto told = detail::inquiry<bool>::ask(
            by,
            [cache = cache_, recorder = recorder_](shard& one) {
                cache->at(one.index()).log().begin(recorder);
                return true;
            },
            patience);
        for (unsigned index = 0; index < told.size(); ++index)
            shards_missed_ = shards_missed_ || (!told[index] && !by.at(index).ended());
    });
}

recording::~recording() {
    (void)stop();
}

recording_summary recording::stop() noexcept {
    expect_no_shard();
    const std::lock_guard lock{stopping_};
    if (recorder_ == nullptr) return told_;
    const bool all_told = cache_->end_recording(recorder_, patience);
    told_ = recorder_->finish();
    if (!told_.error && (shards_missed_ || !all_told)) told_.error = errc::timed_out;
    recorder_.reset();
    cache_.reset();
    return told_;
}

}  // namespace leat
