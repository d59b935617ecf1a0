// Reads what a recording has written.
#pragma once

#include "recording_format.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace leat::detail {

/// A request as it was recorded, or that one has failed, which was a miss before.
struct recorded_request {
    log_kind kind = log_kind::hit;  ///< hit, miss, refused or failed
    hint given = hint::normal;
    bool system_code = false;  ///< of a failure, as in log_note
    std::int32_t code = 0;
    unsigned shard = 0;
    std::uint32_t file = 0;  ///< an index of recording_reader::files()
    std::uint32_t size = 0;
    std::uint64_t offset = 0;
    std::int64_t time_ns = 0;  ///< when the turn began in which it was made, since the recording's
};

/// Reads a recording from its start, and throws std::runtime_error, with the position in bytes, for
/// what is none. One thread.
class recording_reader {
public:
    /// Reads into the memory given, and returns how much, 0 only at the end.
    using read_function = std::function<std::size_t(std::span<char>)>;
    /// Is told of `count` requests that differ in nothing, if it is not 1.
    using run_function = std::function<void(const recorded_request& one, std::uint64_t count)>;

    /// Reads the header.
    explicit recording_reader(read_function read);

    /// Reads all that follows. Of one shard the requests come in their order; those of several are
    /// to be merged by their times.
    void each(const run_function& told);

    [[nodiscard]] unsigned shards() const noexcept { return static_cast<unsigned>(lanes_.size()); }
    [[nodiscard]] std::uint64_t chunk_size() const noexcept { return chunk_size_; }
    [[nodiscard]] std::uint64_t began_ns() const noexcept { return began_ns_; }  ///< since 1970
    [[nodiscard]] const std::vector<recorded_file>& files() const noexcept { return files_; }
    /// Whether the recording was ended, rather than its process; then lost() is known.
    [[nodiscard]] bool whole() const noexcept { return whole_; }
    [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }
    [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }

private:
    struct place {
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
    };
    struct run {
        recorded_request of;
        std::uint64_t count = 1;
    };
    /// What was read last of a shard, and the requests whose time is still to come.
    struct lane {
        std::vector<place> files;
        recorded_request last;
        unsigned use = 0;
        std::int64_t time = 0;
        std::vector<run> untimed;
    };

    [[noreturn]] void fail(const std::string& what) const;
    [[nodiscard]] std::size_t fill(std::span<unsigned char> into);
    [[nodiscard]] bool next_block();
    [[nodiscard]] unsigned char next_byte();
    [[nodiscard]] std::uint64_t number();
    [[nodiscard]] std::uint64_t number_below(std::uint64_t limit, const char* what);
    void read_requests(const run_function& told);
    void read_end();
    void read_file();
    void read_request(lane& of, unsigned tag);
    void read_failure(lane& of);
    static void tell(lane& of, const run_function& told);

    read_function read_;
    std::uint64_t position_ = 0;  // of what has not been read yet
    std::vector<unsigned char> block_;
    std::size_t at_ = 0;  // in the block
    std::vector<lane> lanes_;
    std::uint64_t chunk_size_ = 0;
    std::uint64_t began_ns_ = 0;
    std::vector<recorded_file> files_;
    std::uint64_t requests_ = 0;
    std::uint64_t lost_ = 0;
    bool whole_ = false;
};

}  // namespace leat::detail
