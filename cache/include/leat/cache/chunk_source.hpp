// Where chunks come from.
#pragma once

#include <leat/engine/task.hpp>
#include <leat/io/error.hpp>
#include <leat/io/file.hpp>

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace leat {

/// What tells versions of a file apart: two of one name that compare equal are taken to have the
/// same bytes.
using file_version = io::file_version;

/// How urgent a read is.
enum class priority : std::uint8_t {
    demand,     ///< somebody waits for these bytes, or for the first of them
    background  ///< the rest of a chunk, or what a stream has asked ahead
};

/// A source of bytes that a chunk_manager can cache.
///
///     struct zeros {
///         static constexpr bool version_identifies = true;  // the same bytes for every name
///         struct file_type {
///             std::uint64_t size() const { return leat::GiB; }
///             leat::file_version version() const { return {}; }
///         };
///         leat::task<file_type> open(std::string) { co_return file_type{}; }
///         leat::task<std::size_t> read(file_type& from, std::uint64_t offset,
///                                      std::span<std::byte> buffer, leat::priority) {
///             std::ranges::fill(buffer, std::byte{0});
///             co_return std::min<std::uint64_t>(buffer.size(), from.size() - offset);
///         }
///     };
///     leat::chunk_manager made{engine, zeros{}};
///
/// open(name) gives a `file_type`: it keeps one version of the file readable while it lives, says
/// its size in bytes and its version, and may be destroyed on any thread.
///
/// read(file, offset, buffer, priority) fills `buffer` with the bytes at `offset` and gives how
/// many they are: as many as the buffer holds, or as there are up to the end of the file. The
/// request fails with errc::short_read if it gives less, and with errc::bad_answer if it gives more
/// than the buffer holds. What is asked for is whole units: `offset`, the size of `buffer` and its
/// address are multiples of unit_size, 4096 bytes; `offset` lies inside the file. The buffer lies
/// inside one chunk, but may reach beyond the end of the file; the source may write there what it
/// likes.
///
/// Threads: both are called on every shard, several at once, each in a task that runs on its
/// caller's shard and must end there. What the source wrote is seen by whoever gets the slice. A
/// read must not wait for a chunk of the same manager: all that the manager may have in flight, or
/// in memory, may be waiting in the same way.
///
/// Lifetime: the manager keeps the source until the last open() and read() have ended, also after
/// its own end. The file and the buffer live until read() has ended; the buffer must not be touched
/// after that.
///
/// Cancellation: both inherit the stop token of their caller. That of a read is triggered also when
/// nobody wants its bytes any more. A source that can end early then throws; one that cannot goes
/// on.
///
/// Errors: thrown as boost::system::system_error; errc::file_changed if the version is gone.
/// std::bad_alloc counts as ENOMEM, any other exception as errc::unhandled_exception.
///
/// A source may say and offer more:
/// - `static constexpr bool version_identifies = true;` Equal versions have equal bytes whatever
///   their names, as the inodes of file_source: its names are then one file of that
///   manager, with one id and the same chunks; managers never share files. A source that does not
///   say so may give several names one version (a counter, say, or nothing at all): each name is a
///   file of its own, and its version counts for that name only.
/// - `file_type::settled()`: false if a later version may compare equal to this one. Its chunks
///   then serve only as long as it is open.
/// - `static constexpr std::uint64_t grain`, or a function grain(), asked once: the smallest read
///   worth making, in bytes, a power of two of at least unit_size, which it is where a source says
///   nothing. What costs a round trip is better asked for by the MiB.
/// - `static constexpr unsigned reads_at_once`, or a function reads_at_once(), asked once: how many
///   reads each shard may have in flight, up to 65,536; see manager_options::reads_at_once. 512
///   where a source says nothing, or 0: what reads local disks is better given fewer, as
///   file_source is.
/// - read(file, offset, buffers, priority), for a list of buffers, a span of at least one and at
///   most 1024: fills one after the other with the bytes from `offset` on, and gives how many they
///   are in all. Each buffer begins inside the file and is as a single one; the last alone may
///   reach beyond the end. The list lives until the read has ended. Of a source without it, buffers
///   are asked for one by one, at most 16 at once.
///
/// A source that counts what another is asked for:
///
///     struct counted {
///         static constexpr std::uint64_t grain = 64 * leat::KiB;
///         using file_type = leat::io::file;
///         using buffer_list = std::span<const std::span<std::byte>>;
///         leat::task<file_type> open(std::string name) { return below.open(std::move(name)); }
///         leat::task<std::size_t> read(file_type& from, std::uint64_t offset,
///                                      std::span<std::byte> buffer, leat::priority urgency) {
///             ++*reads;
///             return below.read(from, offset, buffer, urgency);
///         }
///         leat::task<std::size_t> read(file_type& from, std::uint64_t offset,
///                                      buffer_list buffers, leat::priority urgency) {
///             ++*reads;
///             return below.read(from, offset, buffers, urgency);
///         }
///         leat::file_source below;
///         std::shared_ptr<std::atomic<unsigned>> reads;
///     };
///     leat::chunk_manager made{engine, counted{{}, std::make_shared<std::atomic<unsigned>>()}};
template <class S>
concept chunk_source = requires(S& source,
                                std::string name,
                                typename S::file_type& opened,
                                std::uint64_t offset,
                                std::span<std::byte> buffer,
                                priority urgency) {
    { source.open(std::move(name)) } -> std::same_as<task<typename S::file_type>>;
    { source.read(opened, offset, buffer, urgency) } -> std::same_as<task<std::size_t>>;
    { std::as_const(opened).size() } -> std::convertible_to<std::uint64_t>;
    { std::as_const(opened).version() } -> std::convertible_to<file_version>;
};

}  // namespace leat
