// Makes the blocks of a recording's file of what shards have noted.
#pragma once

#include "recording_format.hpp"

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace leat::detail {

/// Knows what it has written, so that requests are written as their difference. One thread. All
/// members append to `out` and throw std::bad_alloc.
class recording_encoder {
public:
    using bytes = std::vector<unsigned char>;

    explicit recording_encoder(unsigned shards) : lanes_(shards) {}

    void begin(bytes& out, std::uint64_t chunk_size, std::uint64_t began_ns, std::int64_t now_ns);
    /// A file that requests may name from now on.
    void know(recorded_file&& opened);
    /// What a shard has noted, whole notes, behind what was given of it before.
    void add(bytes& out, unsigned shard, std::span<const log_slot> noted);
    void end(bytes& out, std::uint64_t lost);

    /// In all blocks so far.
    [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }
    /// What the notes say was lost.
    [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }

private:
    struct place {
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
    };
    /// What was written last of a shard.
    struct lane {
        std::vector<place> files;  ///< the last request of each
        std::uint32_t file = 0;
        std::uint32_t size = 0;
        unsigned use = 0;
        std::int64_t time = 0;
        log_note last;
    };
    /// A request that is not written yet: equal ones may follow.
    struct item {
        unsigned tag = 0;
        std::uint32_t file = 0;
        std::uint32_t size = 0;
        unsigned use = 0;
        std::uint64_t distance = 0;
        std::uint64_t repeats = 0;
        bool pending = false;
    };

    void put(lane& of, const log_note& noted);
    void put_request(lane& of, std::uint32_t file, const log_note& noted);
    void put_failure(std::uint32_t file, const log_note& noted);
    void write_item();
    [[nodiscard]] std::uint32_t index_of(std::uint64_t number);
    static void frame(bytes& out, std::size_t begin);

    std::vector<lane> lanes_;
    std::unordered_map<std::uint64_t, recorded_file> known_;  // and not written yet
    std::unordered_map<std::uint64_t, std::uint32_t> indices_;
    std::uint64_t last_number_ = 0;
    std::uint32_t last_index_ = 0;
    bytes items_;
    item item_;
    std::uint64_t block_requests_ = 0;
    std::uint64_t requests_ = 0;
    std::uint64_t lost_ = 0;
};

}  // namespace leat::detail
