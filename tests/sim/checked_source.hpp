// A file_source that watches what is asked of it: single-flight.
#pragma once

#include "world.hpp"

#include <leat/cache/detail/shard_cache.hpp>
#include <leat/cache/file_source.hpp>

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <span>
#include <string>

namespace leat::detail {
struct chunk;
}

namespace leat::sim {

/// The reads of chunks that are under way, and which files have which numbers.
class fill_watch {
public:
    struct fill {
        io::file_version version;
        std::uint64_t offset;
        std::span<std::byte> to;
        bool doomed = false;  ///< a read of its chunk has found the file changed
    };

    /// With managers over managers a byte may be read into the chunks of each.
    explicit fill_watch(bool chained, std::uint64_t chunk_size)
        : chained_(chained), chunk_size_(chunk_size) {}

    /// A file was opened.
    void learn(const io::file_version& version, std::uint64_t number);
    /// Fails the run if these bytes, or bytes of their place in memory, are being read already, or
    /// have landed.
    std::list<fill>::iterator begin(const io::file_version& version,
                                    std::uint64_t offset,
                                    std::span<std::byte> to);
    void end(std::list<fill>::iterator ended, bool changed);
    /// Fails the run if this shard reads on into a chunk that nobody wants. Not for managers over
    /// managers.
    void check_wanted() const;

private:
    [[nodiscard]] const detail::chunk* target(const fill& one) const;
    [[nodiscard]] bool in_cache(const fill& one) const;

    struct order {
        bool operator()(const io::file_version& left, const io::file_version& right) const {
            return std::tie(left.inode, left.modified_ns, left.changed_ns, left.size) <
                   std::tie(right.inode, right.modified_ns, right.changed_ns, right.size);
        }
    };
    const bool chained_;
    const std::uint64_t chunk_size_;
    std::list<fill> fills_;
    std::map<io::file_version, std::uint64_t, order> numbers_;
};

class checked_source {
public:
    using file_type = io::file;
    static constexpr bool version_identifies = true;
    explicit checked_source(fill_watch& watch) : watch_(&watch) {}

    task<io::file> open(std::string name) { return files_.open(std::move(name)); }
    task<std::size_t> read(const io::file& from,
                           std::uint64_t offset,
                           std::span<std::byte> buffer,
                           priority urgency);

private:
    /// The same read, into the buffer whole or piece by piece.
    task<std::size_t> read_somehow(const io::file& from,
                                   std::uint64_t offset,
                                   std::span<std::byte> buffer,
                                   priority urgency);

    fill_watch* watch_;
    file_source files_;
};

}  // namespace leat::sim
