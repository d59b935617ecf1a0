// One of those who ask the cache for a pattern's requests.
#pragma once

#include "patterns/made_up_source.hpp"
#include "patterns/pattern.hpp"
#include "replay/trace.hpp"

#include <leat/leat.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace leat::perf {

/// What all clients share.
struct pattern_service {
    const trace& of;
    chunk_manager& manager;
    const source_counts& counts;  ///< of the manager's source
    std::vector<file> files{};    ///< those of the trace
    unsigned clients = 1;
    asking by = asking::get_chunk;
    leat::hint given = hint::normal;       ///< where a request of the trace has none
    std::atomic<bool> found_wrong{false};  ///< wrong bytes: all end
};

/// Takes each of the requests whose index is its number, modulo the number of clients, and checks
/// what it is given. Used on one shard.
class pattern_client {
public:
    /// `all` must outlive it.
    pattern_client(pattern_service& all, unsigned number) noexcept : all_(all), number_(number) {}

    /// Those from `first` to before `end`. Throws leat::system_error.
    [[nodiscard]] task<> serve(std::size_t first, std::size_t end);
    /// Before it is destroyed: streams are dropped where they were used.
    void drop_stream() noexcept { stream_.reset(); }
    /// Which bytes were wrong, or empty.
    [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

private:
    [[nodiscard]] task<> get(const trace_request& wanted);
    [[nodiscard]] task<> walk(const trace_request& wanted);
    [[nodiscard]] task<> read(const trace_request& wanted);
    [[nodiscard]] task<> rest();
    [[nodiscard]] hint hint_for(const trace_request& wanted) const noexcept {
        return wanted.hint != hint::normal ? wanted.hint : all_.given;
    }
    void check(const trace_request& wanted, std::uint64_t at, std::span<const std::byte> bytes);

    pattern_service& all_;
    unsigned number_;
    std::uint64_t reads_ = 0;   // of the source, when it last rested
    std::uint32_t walked_ = 0;  // the file of the stream
    std::optional<slice_stream> stream_;
    std::vector<std::byte> copy_;
    std::string fault_;
};

}  // namespace leat::perf
