// Which misses of a shard go on where others ended, and how much is worth reading for them at once.
#pragma once

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace leat::detail {

/// The misses of readers who go through a file in order. Alone, a miss brings what was asked for.
/// One that begins where the read of another ended continues its run; from its fourth fragment on a
/// run is a stream, of which more and more is read at once: a quarter of a MiB, then half of what
/// it has come through, up to its share of the memory and the end of its chunk. So the memory holds
/// what each stream is at, however many there are, and what is read for one that ends soon is
/// little.
///
/// It knows the last 4,096 runs; only misses touch it. For one thread; nothing but the constructor
/// allocates.
class runs {
public:
    /// `memory`: bytes of the shard's. Throws std::bad_alloc.
    explicit runs(std::uint64_t memory);
    runs(const runs&) = delete;
    runs& operator=(const runs&) = delete;
    ~runs();

    struct miss {
        std::uint64_t file = 0;
        std::uint64_t index = 0;  ///< of its chunk
        std::uint64_t in = 0;     ///< offset in the chunk
        std::uint64_t size = 0;
        std::uint64_t chunk_size = 0;
        std::uint64_t known = 0;  ///< bytes from it on that will be asked for, if that is known
        bool stream = false;      ///< more will be asked for, though it is not known how much
    };
    /// The bytes from the miss on that are to be read for it: its size, if nothing is known; the
    /// rest of its fragment, if it continues a run; more for a stream, but no more than the rest of
    /// its chunk. A miss inside what was to be read for its run has the rest of that.
    [[nodiscard]] std::uint64_t window(const miss& one) noexcept;
    /// Streams that have read since no more than the memory has been loaded.
    [[nodiscard]] std::size_t streams() const noexcept { return streams_; }
    /// The bytes that one of the streams, and one more, may have read ahead of it.
    [[nodiscard]] std::uint64_t share() const noexcept;

private:
    struct run : boost::intrusive::list_base_hook<> {
        std::uint64_t file = 0;
        std::uint64_t index = 0;         ///< of the chunk in which it has read last
        std::uint64_t begin = 0;         ///< the first fragment of its last window, in that chunk
        std::uint64_t end = 0;           ///< the one that follows the window
        std::uint64_t come_through = 0;  ///< fragments, in order
        std::uint64_t clock = 0;         ///< bytes that were read for others before
        run* chain = nullptr;            ///< next in its bucket
        bool listed = false;
        bool recent = false;
        bool streams = false;
    };
    using queue = boost::intrusive::list<run, boost::intrusive::constant_time_size<false>>;

    [[nodiscard]] run*& bucket(std::uint64_t file, std::uint64_t index) noexcept;
    /// The run of which fragment `at` of a chunk belongs to the window, or follows it.
    [[nodiscard]] run* find(std::uint64_t file, std::uint64_t index, std::uint64_t at) noexcept;
    [[nodiscard]] run& spare() noexcept;
    void take_out(run& gone) noexcept;
    void list(run& added) noexcept;
    void forget_old() noexcept;

    std::uint64_t memory_;
    std::uint64_t clock_ = 0;
    std::size_t streams_ = 0;  ///< among the recent runs
    std::unique_ptr<run[]> all_;
    std::unique_ptr<run*[]> buckets_;  ///< by chunk
    queue recent_;                     ///< those that have read lately, the latest first
    queue old_;                        ///< the others, and those that are free, likewise
};

}  // namespace leat::detail
