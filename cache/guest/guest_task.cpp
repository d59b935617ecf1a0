// Runs a task on a shard for a guest, and brings back how it ended.
#include <leat/cache/detail/guest_task.hpp>
#include <leat/cache/detail/manager_access.hpp>
#include <leat/engine/detail/detached_promise.hpp>
#include <leat/engine/resumption.hpp>

#include <functional>
#include <new>

namespace leat::detail {

/// The coroutine at the bottom; frees itself.
class guest_task::runner {
public:
    struct promise_type : detached_promise {
        runner get_return_object() noexcept {
            return runner{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        resumption begin;
    };

    /// From the ready queue, so that nothing of it runs inside the call that starts it.
    void start(shard& here, const std::stop_token& token) const noexcept {
        promise_type& promise = handle_.promise();
        promise.stop = &token;
        promise.begin.coroutine = handle_;
        here.schedule(promise.begin);
    }

    static runner run(guest_task& of) {
        try {
            co_await of.work_there();
        } catch (...) {
            of.failed_ = error_of(std::current_exception());
        }
        of.ended();
    }

private:
    explicit runner(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}
    std::coroutine_handle<promise_type> handle_;
};

void guest_task::begin(guest_visit& visit) noexcept {
    shard& here = visit.where();
    visit.stay();
    if (here.engine().stopping()) {  // since before it stayed: the other shards may have ended
        turn_away(visit);
        return ended();
    }
    try {
        const std::stop_token* token = &here.stop_token();
        if (cancellable()) {
            stop_ = std::stop_source{};
            token_ = stop_.get_token();
            with_shard_.emplace(*token, stopper{&stop_});
            token = &token_;
        }
        runner::run(*this).start(here, *token);
        return;
    } catch (const std::bad_alloc&) {
        failed_.code = system_error_code(ENOMEM);
    }
    ended();
}

void guest_task::withdraw(guest_visit&) noexcept {
    stop_.request_stop();
}

void guest_task::turn_away(guest_visit&) noexcept {
    failed_.code = errc::stopped;
}

void guest_task::ended() noexcept {
    with_shard_.reset();
    visit_.end();
}

// Any will do; so that not all come to one.
unsigned guest_open::shard_of(const chunk_manager& manager, const std::string& name) noexcept {
    return static_cast<unsigned>(std::hash<std::string>{}(name) %
                                 manager_access::engine(manager).shards());
}

task<> guest_open::work_there() {
    opened_ = co_await manager_->open(name_);
}

task<> guest_read::work_there() {
    count_ = co_await manager_->read(from_, offset_, to_);
}

}  // namespace leat::detail
