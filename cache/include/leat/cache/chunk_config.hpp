// The request for a piece of a chunk.
#pragma once

#include <cstdint>
#include <type_traits>

namespace leat {

/// Bytes of a unit, in which leat knows what of a chunk is in memory, and the grain of what it asks
/// sources for: a page. Smaller ones no device reads alone; larger ones make random misses read
/// more than is asked for.
inline constexpr std::uint64_t unit_size = 4096;

/// Names one version of a file that was opened; trivially copyable and never reused. Valid while a
/// leat::file of that version is held anywhere; later requests fail with errc::closed.
struct file_id {
    std::uint64_t number = 0;
    friend bool operator==(const file_id&, const file_id&) = default;
};

/// What the caller knows about the use of what it asks for.
enum class hint : std::uint8_t {
    normal,
    /// Do not wait for a buffer: fail at once, with errc::all_pinned if pins are the reason, else
    /// with errc::no_buffer; idle buffers that are leased have been asked back then. Where a search
    /// of very many chunks has just been in vain it fails without another, for a turn for each 64.
    no_wait,
    /// Of a pass over much that does not come back. It counts as no use: what it brings in is the
    /// first to go, unless a request without this hint uses it meanwhile, and what was there before
    /// stays for the sake of others.
    scan,
    /// Once. What it brings in, or a scan has brought in, goes as soon as nothing pins it, and no
    /// more of it is read than was asked for. What was there before stays, but for what was to be
    /// kept.
    no_retain,
    /// The last to go: as long as there is anything else to evict. More than half of the memory
    /// kept so leaves little for all else.
    keep,
    /// One of a reader who goes through the file in order: what follows is read with it, as far as
    /// his share of the memory and the chunk reach, without his having shown that he goes on.
    stream,
    /// Of bytes that do not come back, here and there in the file. What it brings in is what a
    /// lone request does, and the first to go; chunk_manager::read() copies what is in memory and
    /// reads the rest past the cache, straight into the caller's memory.
    once,
};

/// `size` bytes at `offset` of a file; they must lie inside one chunk.
struct chunk_config {
    file_id file;
    std::uint64_t offset = 0;  ///< bytes from the start of the file
    std::uint32_t size = 0;    ///< bytes, at least 1
    leat::hint hint = hint::normal;
};
static_assert(std::is_trivially_copyable_v<chunk_config>);

}  // namespace leat
