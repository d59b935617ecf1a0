// An engine with little memory, and the ring it is compared with.
#include "load/cold_engine.hpp"

#include "load/cold_chunks.hpp"

#include <leat/cache/slice_stream.hpp>

#include <algorithm>
#include <string>

namespace leat::perf {

namespace {
engine_options budgeted(const bench& with, std::uint64_t memory, unsigned shards) {
    const std::uint64_t chunk = with.options().engine.chunk_size;
    const std::uint64_t quarter = with.target().size / 4 / chunk * chunk;
    return with.engine_with(shards, std::max(std::min(memory, quarter), 4 * chunk));
}

std::string buffer_kind(const io::arena_statistics& arena) {
    const char* const pages = arena.hugetlb_segments != 0       ? "hugetlb"
                              : arena.transparent_segments != 0 ? "transparent huge pages"
                                                                : "4 KiB pages";
    return std::string{pages} + (arena.registered_bytes != 0 ? ", registered" : ", plain");
}
}  // namespace

cold_engine::cold_engine(bench& with, std::uint64_t memory, unsigned shards)
    : bench_(with), engine_(budgeted(with, memory, shards)), manager_(engine_, file_source{}) {
    with.progress("filling the cache");
    drop_page_cache(with.target());
    engine_.run(fill());
}

std::uint64_t cold_engine::usable_bytes() const noexcept {
    return bench_.target().size / chunk_size() * chunk_size();
}

task<> cold_engine::fill() {
    file_ = co_await manager_.open(bench_.target().path);
    const std::uint64_t once = engine_.options().memory + 8 * chunk_size();
    slice_stream stream = manager_.slices(file_, 0, once);
    for (;;) {
        const slice piece = co_await stream.next();
        if (!piece) break;
    }
    const shard_statistics here = this_shard().statistics();
    bench_.describe("buffers", buffer_kind(here.arena));
    bench_.describe("backend", here.backend.name + ", " + here.backend.mode);
}

void cold_engine::settle() {
    const auto idle = [](chunk_manager& manager) -> task<> {
        constexpr std::chrono::milliseconds between{2};
        for (int seen_idle = 0; seen_idle < 2;) {
            const cache_statistics now = co_await manager.statistics();
            seen_idle = now.filling_chunks == 0 && now.waiting == 0 ? seen_idle + 1 : 0;
            co_await sleep(between);
        }
    };
    engine_.run(idle(manager_));
}

void cold_engine::verify() {
    constexpr int looked_at = 4;
    cold_chunks order{usable_bytes(), chunk_size(), 99};
    const auto get = [](chunk_manager& from, leat::file of, std::uint64_t at,
                        std::uint32_t size) -> task<slice> {
        const chunk_config whole{of, at, size};
        slice held = co_await from.get_chunk(whole);
        co_return held;
    };
    for (int i = 0; i < looked_at; ++i) {
        const std::uint64_t at = order.next_chunk();
        const slice held =
            engine_.run(get(manager_, file_, at, static_cast<std::uint32_t>(chunk_size())));
        bench::require(holds(bench_.target(), at, held.bytes()), "a cold chunk");
    }
    drop_page_cache(bench_.target());
}

raw_rival::raw_rival(bench& with, unsigned depth, std::uint64_t block, const cold_engine& beside)
    : raw_rival(with,
                depth,
                block,
                std::make_shared<pinned_thread>(with.first_cpu()),
                std::make_shared<mapped_memory>(mapped_memory::anonymous(
                    beside.memory() + beside.chunk_size(), with.options().engine.huge_pages))) {}

raw_rival::raw_rival(bench& with, unsigned depth, std::uint64_t block, const raw_rival& beside)
    : raw_rival(with, depth, block, beside.thread_, beside.memory_) {}

raw_rival::raw_rival(bench& with,
                     unsigned depth,
                     std::uint64_t block,
                     std::shared_ptr<pinned_thread> thread,
                     std::shared_ptr<mapped_memory> memory)
    : thread_(std::move(thread)), memory_(std::move(memory)) {
    raw_ring_options options;
    options.depth = depth;
    options.block = block;
    options.memory = memory_;
    options.fixed = with.options().fixed_buffers && with.options().engine.register_buffers;
    options.huge = with.options().engine.huge_pages;
    options.spin = with.options().engine.spin;
    thread_->run([&] { ring_ = std::make_unique<raw_ring>(with.target(), options); });
    if (options.fixed && !ring_->registered())
        with.report().note("the raw ring's buffers could not be registered (ulimit -l)");
}

raw_rival::~raw_rival() {
    thread_->run([&] { ring_.reset(); });
}

read_run raw_rival::run(const raw_ring::next_offset& next,
                        histogram* latencies,
                        raw_demands* demands) {
    read_run result;
    thread_->run([&] { result = ring_->run(next, latencies, demands); });
    return result;
}

}  // namespace leat::perf
