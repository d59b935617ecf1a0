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
using file_version = io::identity;

/// How urgent a read is.
enum class priority : std::uint8_t {
    demand,     ///< somebody waits for these bytes and no others
    background  ///< the rest of a chunk, or what a stream has asked ahead
};

/// A source of bytes that a chunk_manager can cache. A source is used from every shard at once.
///
/// open(name) gives a `file_type`, which keeps one version of the file readable while it lives and
/// may be destroyed on any thread. read(file, offset, buffer, priority) fills `buffer` with the
/// bytes at `offset` and returns how many they are: as many as the buffer holds, or all there are
/// up to the end of the file; less fails with errc::short_read, more than the buffer holds with
/// errc::bad_answer. It may be called for any whole units, several ranges at once: `offset`, the
/// size of `buffer` and its address are multiples of unit_size, 4096 bytes, `offset` lies inside
/// the file, and the end of `buffer` inside the chunk, perhaps beyond the end of the file. There it
/// may write what it likes; it must not touch the buffer after it has ended. It throws
/// errc::file_changed if the version is gone. Both run on the caller's shard, must end there, and
/// inherit its stop token. That of a read is triggered also when nobody wants its bytes any more:
/// who can end early throws then, who cannot just goes on. Errors are thrown as
/// boost::system::system_error; std::bad_alloc counts as ENOMEM, any other exception as
/// errc::unhandled_exception.
///
/// Two things a source may say besides:
/// - `static constexpr bool version_identifies = true;` Equal versions have equal bytes whatever
///   their names, as the inodes of file_source: its names are then one file, with one id and the
///   same chunks. A source that does not say so may give several names one version (a counter, say,
///   or nothing at all): each name is a file of its own, and its version counts for that name only.
/// - `file_type::settled()`: false if a later version may compare equal to this one. Its chunks
///   then serve only as long as it is open.
/// ```
/// struct numbered {  // the same bytes for every name
///     static constexpr bool version_identifies = true;
///     ...
/// };
/// ```
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
