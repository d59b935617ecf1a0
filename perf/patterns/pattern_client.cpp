// Asks by get_chunk, slices or read.
#include "patterns/pattern_client.hpp"

#include "replay/chunk_piece.hpp"

#include <spdlog/fmt/fmt.h>

#include <chrono>
#include <utility>

namespace leat::perf {

task<> pattern_client::serve(std::size_t first, std::size_t end) {
    const std::size_t in_turn = first % all_.clients;
    std::size_t next = first - in_turn + number_;
    if (next < first) next += all_.clients;
    for (; next < end && !all_.found_wrong.load(std::memory_order_relaxed); next += all_.clients) {
        const trace_request& wanted = all_.of.requests[next];
        switch (all_.by) {
            case asking::get_chunk:
                co_await get(wanted);
                break;
            case asking::slices:
                co_await walk(wanted);
                break;
            case asking::read:
                co_await read(wanted);
                break;
        }
        co_await rest();
    }
}

/// What a request has set going in the background ends before the client's next one, as where
/// devices are faster than readers: what is read would else depend on who is first.
task<> pattern_client::rest() {
    constexpr unsigned still = 2;
    constexpr std::chrono::nanoseconds turn{1};
    for (unsigned turns = 0; turns < still; ++turns) {
        // Reads are begun at the end of a turn, and a task that only yields may be resumed in it.
        co_await sleep(turn);
        const std::uint64_t now = all_.counts.reads.load(std::memory_order_relaxed);
        if (now == reads_ && turns == 0) break;
        if (std::exchange(reads_, now) != now) turns = 0;
    }
}

task<> pattern_client::get(const trace_request& wanted) {
    const file_id from = all_.files[wanted.file];
    for (std::uint64_t done = 0; done < wanted.size;) {
        const std::uint64_t at = wanted.offset + done;
        const chunk_piece piece = piece_at(wanted, at, all_.manager.chunk_size());
        const chunk_config asked{from, at, piece.size, hint_for(wanted)};
        const slice held = co_await all_.manager.get_chunk(asked);
        check(wanted, at, held.bytes());
        done += piece.size;
    }
}

task<> pattern_client::walk(const trace_request& wanted) {
    const file& from = all_.files[wanted.file];
    if (!stream_ || walked_ != wanted.file || stream_->offset() != wanted.offset) {
        const slices_options options{.slice_size = static_cast<std::uint32_t>(wanted.size),
                                     .hint = hint_for(wanted)};
        stream_.reset();
        stream_.emplace(all_.manager.slices(from, wanted.offset, from.size(), options));
        walked_ = wanted.file;
    }
    for (std::uint64_t done = 0; done < wanted.size;) {
        const slice held = co_await stream_->next();
        check(wanted, wanted.offset + done, held.bytes());
        if (held.size() == 0) break;
        done += held.size();
    }
    if (stream_->offset() == from.size()) stream_.reset();
}

task<> pattern_client::read(const trace_request& wanted) {
    copy_.resize(wanted.size);
    const std::size_t count =
        co_await all_.manager.read(all_.files[wanted.file], wanted.offset, copy_, hint_for(wanted));
    check(wanted, wanted.offset, std::span{copy_}.first(count));
}

void pattern_client::check(const trace_request& wanted,
                           std::uint64_t at,
                           std::span<const std::byte> bytes) {
    const auto wrong = bytes.empty() ? at : first_wrong(wanted.file, at, bytes);
    if (!wrong) return;
    all_.found_wrong.store(true, std::memory_order_relaxed);
    if (!fault_.empty()) return;
    fault_ = fmt::format("wrong bytes at offset {} of file {}, asked for at {} by {}", *wrong,
                         wanted.file, wanted.offset, wanted.size);
}

}  // namespace leat::perf
