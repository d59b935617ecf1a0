// What a shard notes of its requests while they are recorded.
#pragma once

#include <leat/cache/chunk_config.hpp>
#include <leat/cache/detail/file_number.hpp>
#include <leat/engine/detail/timer.hpp>

#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace leat {
class shard;
}

namespace leat::detail {

struct manager_core;
struct log_block;
class recorder;

/// What became of a request.
enum class request_outcome : std::uint8_t {
    hit,     ///< served at once
    miss,    ///< had to wait
    refused  ///< ended at once, with an error
};

/// A hit, or a part of anything else; see log_words.
struct alignas(16) log_slot {
    std::uint64_t first;
    std::uint64_t second;
};

/// Requests of one manager on one shard, noted in blocks that a recorder hands out and takes back.
/// A hit is two stores behind each other; when nothing is recorded, it is one comparison. All
/// members are for the shard's thread.
class request_log {
public:
    /// Blocks are aligned to their size, so that the address of a slot tells when one is full.
    static constexpr std::size_t block_bytes = 64 * 1024;

    explicit request_log(shard& mine) noexcept;
    ~request_log();
    request_log(const request_log&) = delete;
    request_log& operator=(const request_log&) = delete;

    [[nodiscard]] bool records(const manager_core& manager) const noexcept {
        return recorded_ == &manager;
    }
    /// Notes a hit. Precondition: records().
    [[gnu::always_inline]] void hit(std::uint64_t file,
                                    std::uint64_t offset,
                                    std::uint32_t size,
                                    hint given) noexcept {
        static_assert(static_cast<unsigned>(hint::normal) == 0);
        static_assert(static_cast<unsigned>(hint::no_wait) == 1);
        if (static_cast<unsigned>(given) > 1) [[unlikely]]
            return note(request_outcome::hit, file, offset, size, given);
        // A hit lies inside a file, which ends below 2^63, and inside a chunk of at most 1 GiB.
        const std::uint64_t first = offset * 2 + static_cast<std::uint64_t>(given);
        const std::uint64_t place = place_of_number(file);
        const std::uint64_t second = place << 32 | size;
        log_slot* const at = next_;
        if (at[-1].first == first && at[-1].second == second) [[likely]] {
            ++repeats_;
            return;
        }
        if ((repeats_ | place >> 32) != 0) [[unlikely]]
            return note_hit(file, offset, size, given);
        at->first = first;
        at->second = second;
        next_ = at + 1;
        if (reinterpret_cast<std::uintptr_t>(at + 1) % block_bytes == 0) [[unlikely]]
            block_full();
    }
    /// Notes any request. Precondition: records().
    [[gnu::cold]] void note(request_outcome outcome,
                            std::uint64_t file,
                            std::uint64_t offset,
                            std::uint32_t size,
                            hint given) noexcept;
    /// Notes that a request that was noted as a miss has failed. Precondition: records().
    [[gnu::cold]] void note_failure(std::uint64_t file,
                                    std::uint64_t offset,
                                    std::uint32_t size,
                                    hint given,
                                    boost::system::error_code code) noexcept;
    /// The turn that began at `stamp` is over.
    void turn_ended(std::int64_t stamp) noexcept {
        if (recorder_ != nullptr) [[unlikely]]
            mark_turn(stamp);
    }

    /// From here on the requests of the recorder's manager are noted.
    void begin(std::shared_ptr<recorder> by) noexcept;
    /// Hands over what was noted for `by`, if it is the one that records, and notes no more. On any
    /// one thread after the shard has ended.
    void end(const recorder& by) noexcept;

private:
    struct idle_timer : timer {
        using timer::timer;
        request_log* log = nullptr;
    };

    void mark_turn(std::int64_t stamp) noexcept;
    void mark(std::int64_t stamp) noexcept;
    void close() noexcept;
    [[gnu::cold, gnu::noinline]] void block_full() noexcept;
    [[gnu::noinline]] void note_hit(std::uint64_t file,
                                    std::uint64_t offset,
                                    std::uint32_t size,
                                    hint given) noexcept;
    void put_repeats() noexcept;
    void make_room(std::size_t slots) noexcept;
    void put(std::uint64_t first, std::uint64_t second) noexcept;
    void put_wide(unsigned kind,
                  std::uint64_t file,
                  std::uint64_t offset,
                  std::uint64_t size,
                  hint given,
                  std::uint64_t more) noexcept;
    void take_block() noexcept;
    void hand_over() noexcept;
    void count_lost() noexcept;
    static void idle(work& message) noexcept;

    const manager_core* recorded_ = nullptr;
    log_slot* next_ = nullptr;
    std::uint64_t repeats_ = 0;  // of the hit in the slot before `next_`, not noted yet

    log_slot* begin_ = nullptr;     // of the block, or of what is lost
    log_slot* marked_ = nullptr;    // what was noted before it has its time
    log_block* block_ = nullptr;    // nullptr: there was none, and what is noted is lost
    bool unmarked_before_ = false;  // in blocks that were handed over
    std::uint64_t lost_ = 0;        // not told yet
    shard& shard_;
    idle_timer idle_;  // hands over what lies in a block for long
    std::shared_ptr<recorder> recorder_;
};

}  // namespace leat::detail
