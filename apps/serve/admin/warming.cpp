// Walks, and tells who waits for it.
#include "warming.hpp"

#include "common/error_of.hpp"

#include <condition_variable>
#include <mutex>

namespace leat::serve {

struct warming::walk {
    walk(std::shared_ptr<std::atomic<unsigned>> counted_,
         std::uint64_t offset_,
         std::uint64_t length_)
        : counted(std::move(counted_)), offset(offset_), length(length_) {}
    walk(const walk&) = delete;
    walk& operator=(const walk&) = delete;
    ~walk() { counted->fetch_sub(1); }

    const std::shared_ptr<std::atomic<unsigned>> counted;
    const std::uint64_t offset;
    const std::uint64_t length;
    std::mutex mutex;  // what follows
    std::condition_variable changed;
    outcome end;
};

task<> warming::run(running_server of, std::string path, std::shared_ptr<walk> state) {
    outcome end{.done = true};
    try {
        chunk_manager& manager = *of.shared.manager;
        const file from = co_await manager.open(std::move(path));
        slice_stream chunks = manager.slices(from, state->offset, state->length, {.depth = 1});
        for (bool more = true; more;) {
            const slice one = co_await chunks.next();
            more = !one.bytes().empty();
            end.bytes += one.bytes().size();
        }
    } catch (const boost::system::system_error& failed) {
        end.failure = failed.code();
    }
    const std::lock_guard lock{state->mutex};
    state->end = end;
    state->changed.notify_all();
}

warming::outcome warming::start(std::string path,
                                std::uint64_t offset,
                                std::uint64_t length,
                                std::chrono::nanoseconds patience) {
    if (under_way_->fetch_add(1) >= most) {
        under_way_->fetch_sub(1);
        return {.refused = true};
    }
    const auto state = std::make_shared<walk>(under_way_, offset, length);
    const unsigned shard = next_shard_.fetch_add(1) % of_.cores.shards();
    // Without its handle it runs on by itself.
    static_cast<void>(of_.cores.spawn_on(shard, run(of_, std::move(path), state)));
    std::unique_lock lock{state->mutex};
    state->changed.wait_for(lock, patience, [&] { return state->end.done; });
    return state->end;
}

}  // namespace leat::serve
