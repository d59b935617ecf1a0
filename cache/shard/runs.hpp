// Which misses of a shard go on where others ended, and how much is worth reading for them at once.
#pragma once

#include "place_table.hpp"

#include <leat/cache/chunk_config.hpp>
#include <leat/cache/detail/chunk_place.hpp>
#include <leat/cache/detail/entry_table.hpp>

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

namespace leat::detail {

class look_ahead;

/// The most fragments that one read brings: as much as the largest read of a chunk, 10 MiB.
inline constexpr std::uint64_t most_fragments_at_once = 160;

/// What a window does not reach beyond: its chunk, or as many small ones as one read may bring.
[[nodiscard]] constexpr std::uint64_t stretch_of(std::uint64_t chunk_size) noexcept {
    constexpr std::uint64_t most = most_fragments_at_once << fragment_shift;
    return chunk_size > most ? chunk_size : most / chunk_size * chunk_size;
}

/// The misses of readers who go through a file in order. Alone, a miss brings what was asked for.
/// One that begins where the read of another ended continues its run; from its fourth fragment on a
/// run is a stream, of which more and more is read at once: a quarter of a MiB, then more than half
/// of what it has come through, up to its share of the memory and the end of its stretch. So the
/// memory holds what each stream is at, however many there are, and what is read for one that ends
/// soon is little.
///
/// The middle of what a stream's last read has brought is its mark: when its reader comes there,
/// the next window is asked for, and a reader who is slower than the device waits no more. A stream
/// that does not find what was read for it starts small again.
///
/// A miss that ends where the read of another began continues that backwards. From the fourth such
/// on what lies before it is asked for, in windows of the same lengths.
///
/// Misses at equal distances of less than two fragments, each of which reads its own, cost more
/// than one read of all that lies between them: from the fourth on they are a stream.
///
/// It knows the last 4,096 runs; only misses and marks touch it. For one thread; nothing but the
/// constructor allocates.
class runs {
public:
    /// `memory`: bytes of the shard's. Throws std::bad_alloc.
    explicit runs(std::uint64_t memory);
    runs(const runs&) = delete;
    runs& operator=(const runs&) = delete;
    ~runs();

    struct miss {
        std::uint64_t file = 0;
        std::uint64_t index = 0;  ///< of its stretch
        std::uint64_t in = 0;     ///< offset in the stretch
        std::uint64_t size = 0;
        std::uint64_t stretch = 0;  ///< bytes; a multiple of a fragment
        std::uint64_t chunk = 0;    ///< bytes of a chunk; the stretch has as many as it says
        std::uint64_t known = 0;    ///< bytes from it on that will be asked for, if that is known
        /// Bytes that a reader of whom nothing is known comes through before they go; the time, and
        /// that in which they go, in ns. See reader_reach.
        std::uint64_t reach = std::numeric_limits<std::uint64_t>::max();
        std::int64_t now = 0;
        std::int64_t turnover = 0;
        bool ends = false;    ///< nothing beyond `known` will be asked for
        bool stream = false;  ///< more will be asked for, though it is not known how much
        hint given = hint::normal;
    };
    /// The bytes from the miss on that are to be read for it: its size, if nothing is known; the
    /// rest of its fragment, if it continues a run; more for a stream, but no more than the rest of
    /// its stretch, nor than its reader comes through before they go. A miss inside what was to be
    /// read for its run has the rest of that.
    [[nodiscard]] std::uint64_t window(const miss& one) noexcept;

    /// `size` bytes of a file from `begin` on, where a fragment begins.
    struct next_window {
        std::uint64_t begin = 0;
        std::uint64_t size = 0;  ///< 0: nothing is to be read
        hint given = hint::normal;
        look_ahead** asked = nullptr;  ///< where the run keeps who asks for it
    };
    /// nullptr, if the miss for which window() was called last is not of a reader who goes through
    /// its file backwards; else what its reader comes to next: that is to be asked for, and counts
    /// as asked for.
    [[nodiscard]] const next_window* in_front() const noexcept {
        return backwards_ ? &front_ : nullptr;
    }
    /// Bytes beyond that miss that its reader comes through before they go, as far as is known: as
    /// many as others, or more at the pace of his run.
    [[nodiscard]] std::uint64_t reach() const noexcept { return reader_reach_; }
    /// Whether it is more.
    [[nodiscard]] bool quick() const noexcept { return quick_; }
    /// Whether that miss is of a stream, as far as is known, or of who says what he comes to next.
    [[nodiscard]] bool of_stream() const noexcept { return of_stream_; }
    /// Whether a stream whose reader has come to the offset `at` is to ask ahead.
    [[nodiscard]] bool due(std::uint64_t file, std::uint64_t at, std::uint64_t stretch) noexcept;
    /// What it is to ask for, which counts as asked for then.
    [[nodiscard]] next_window ahead(std::uint64_t file,
                                    std::uint64_t at,
                                    std::uint64_t stretch,
                                    std::uint64_t chunk,
                                    std::uint64_t file_size) noexcept;
    /// Reads of `size` bytes from the offset `begin` on were for its window: they have just been
    /// there, or not, as the owner says. Returns the offset of the stream's new mark, or 0.
    std::uint64_t brought(std::uint64_t file,
                          std::uint64_t begin,
                          std::uint64_t size,
                          std::uint64_t stretch) noexcept;
    /// The owner has read `size` bytes from the offset `begin` on for a miss that stood alone: who
    /// goes on misses what follows that.
    void read_on(std::uint64_t file,
                 std::uint64_t begin,
                 std::uint64_t size,
                 std::uint64_t stretch) noexcept;
    /// What a window asked for ahead has come to nothing.
    void came_to_nothing(std::uint64_t file, std::uint64_t begin, std::uint64_t stretch) noexcept;
    /// The window of the run that comes to the offset `begin` has several owners: its mark is at
    /// the offset `mark`. False if there is no such stream, or if that has been said of this
    /// window.
    [[nodiscard]] bool spread(std::uint64_t file,
                              std::uint64_t begin,
                              std::uint64_t mark,
                              std::uint64_t stretch) noexcept;
    /// Where that run keeps who asks ahead for it; nullptr if there is none.
    [[nodiscard]] look_ahead** asked_for(std::uint64_t file,
                                         std::uint64_t begin,
                                         std::uint64_t stretch) noexcept;
    /// Walks that ask ahead themselves have now `now` bytes before their readers, in place of
    /// `before`.
    void walk_ahead(std::uint64_t before, std::uint64_t now) noexcept {
        walks_ahead_ += now - before;
    }
    /// What a walk that has `own` bytes so may have: what others have been granted when they were
    /// fewer counts, so that those who begin later find memory. Who is alone may have all.
    [[nodiscard]] std::uint64_t left_for_walk(std::uint64_t own) const noexcept;
    /// Who walks through the file, and is at the offset `at`, asks ahead himself for what his run
    /// comes to at the offset `begin`, up to `end`.
    void asked(std::uint64_t file,
               std::uint64_t at,
               std::uint64_t begin,
               std::uint64_t end,
               std::uint64_t stretch) noexcept;
    /// Whether the window of the run that has come to the offset `at` reaches `end`, and no
    /// farther.
    [[nodiscard]] bool reaches(std::uint64_t file,
                               std::uint64_t at,
                               std::uint64_t end,
                               std::uint64_t stretch) noexcept;
    /// What was read ahead at the offset `at` was evicted unread.
    void unread(std::uint64_t file, std::uint64_t at, std::uint64_t stretch) noexcept;
    /// Whether a run comes to the offset `at`.
    [[nodiscard]] bool comes_to(std::uint64_t file,
                                std::uint64_t at,
                                std::uint64_t stretch) noexcept {
        return find_offset(file, at, stretch) != nullptr;
    }
    /// The offsets from `from` to `to` are in memory, and so is what follows up to the offset `at`,
    /// where a reader is: a stream whose window ends there is his, and comes to where he is. False
    /// if there is none.
    bool came_through(std::uint64_t file,
                      std::uint64_t from,
                      std::uint64_t to,
                      std::uint64_t at,
                      std::uint64_t stretch) noexcept;
    /// The reader at the offset `at` goes on no more.
    void ended(std::uint64_t file, std::uint64_t at, std::uint64_t stretch) noexcept;

    /// Streams that have read since no more than the memory has been loaded.
    [[nodiscard]] std::size_t streams() const noexcept { return streams_; }
    /// The bytes that one of the streams may have read at once.
    [[nodiscard]] std::uint64_t share() const noexcept;
    void set_memory(std::uint64_t bytes) noexcept { memory_ = bytes; }
    /// So many bytes of the memory are pinned.
    void set_pinned(std::uint64_t bytes) noexcept { pinned_ = bytes; }

private:
    /// Misses at equal distances.
    struct steps {
        std::uint64_t bytes = 0;  ///< from one to the next
        std::uint8_t count = 0;   ///< one after the other
    };
    struct run : boost::intrusive::list_base_hook<> {
        std::uint64_t file = 0;
        std::uint64_t place = 0;  ///< where its last window ends: see place_of()
        // Fragments, counted from the start of the file:
        std::uint64_t start = 0;     ///< where it is taken to have begun
        std::uint64_t begin = 0;     ///< the first of its last window
        std::uint64_t end = 0;       ///< the one that follows the window
        std::uint64_t at = 0;        ///< the one that follows what its reader has asked for
        std::uint64_t until = 0;     ///< where its reader stops, if no more is known of him; else 0
        std::uint64_t had = 0;       ///< the one that follows what has been read for it
        std::uint64_t mark = 0;      ///< in bytes; 0: none
        std::uint64_t missed = 0;    ///< of what has been read, plus one; 0: none since
        std::uint64_t clock = 0;     ///< bytes that were read for others before
        std::uint64_t last = 0;      ///< the offset of its last miss
        std::uint64_t last_end = 0;  ///< where what was asked for then, or brought, ends
        std::int64_t missed_at = 0;  ///< when that was
        steps made;                  ///< up to that
        look_ahead* asked = nullptr;
        std::uint8_t joins = 0;  ///< requests that have continued it, as far as they matter
        /// What they have told of one who goes backwards: `start` is where he has begun, and what
        /// is to be read for him lies before what he has asked for.
        std::uint8_t down = 0;
        bool listed = false;
        bool recent = false;
        bool streams = false;
        bool spread = false;  ///< its window has several owners
        bool walked = false;  ///< who walks through the file asks ahead himself
        hint given = hint::normal;
    };
    using queue = boost::intrusive::list<run, boost::intrusive::constant_time_size<false>>;
    static constexpr std::uint64_t short_window = 16;  // fragments

    /// Runs are found by where their windows end: long ones by their stretches, which are few, and
    /// short ones, of whoever asks here and there, by pieces no longer than they are at most.
    [[nodiscard]] static std::uint64_t place_of(const run& one, std::uint64_t per_stretch) noexcept;
    [[nodiscard]] static bool is_short(std::uint64_t place) noexcept { return place % 2 != 0; }
    [[nodiscard]] std::uint32_t number_of(const run& one) const noexcept {
        return static_cast<std::uint32_t>(&one - all_.get());
    }
    /// The one listed at a place last of those that are `such`, or nullptr.
    template <class Such>
    [[nodiscard]] run* find_listed(std::uint64_t file, std::uint64_t place, Such such) noexcept {
        const std::uint32_t found =
            listed_.find(entry_table::hash(file, place), [&](std::uint32_t number) {
                const run& one = all_[number];
                return one.file == file && one.place == place && such(one);
            });
        return found == place_table::none ? nullptr : &all_[found];
    }
    [[nodiscard]] run* find_at(std::uint64_t file, std::uint64_t at, std::uint64_t place) noexcept;
    /// The run of which fragment `at` belongs to the window, or follows it.
    [[nodiscard]] run* find(std::uint64_t file,
                            std::uint64_t at,
                            std::uint64_t per_stretch) noexcept;
    /// The same for an offset.
    [[nodiscard]] run* find_offset(std::uint64_t file,
                                   std::uint64_t offset,
                                   std::uint64_t stretch) noexcept {
        return find(file, offset >> fragment_shift, stretch >> fragment_shift);
    }
    /// Whether the miss, in fragment `at`, goes on where the run's reader has stopped.
    [[nodiscard]] static bool goes_on(const run& known, const miss& one, std::uint64_t at) noexcept;
    /// The run that the miss, in fragment `first`, continues, in order or by steps, or nullptr; and
    /// the steps that are `made` then. `known`: the one that has this fragment, if any.
    [[nodiscard]] run* find_continued(const miss& one,
                                      std::uint64_t first,
                                      run* known,
                                      std::uint64_t per_stretch,
                                      steps& made) noexcept;
    /// Finds reach() and quick() for a miss that continues a run, or nullptr.
    void find_reach(const miss& one, const run* continued) noexcept;
    /// The run to whose last miss the one at `offset` is a step, no longer than those of steps are,
    /// or nullptr. `known`: the one that has this fragment, if any.
    [[nodiscard]] run* find_before(std::uint64_t file,
                                   std::uint64_t offset,
                                   run* known,
                                   std::uint64_t per_stretch) noexcept;
    /// The run that a miss of fragments `first` to `end` continues backwards, or nullptr.
    [[nodiscard]] run* find_above(const miss& one,
                                  std::uint64_t first,
                                  std::uint64_t end,
                                  std::uint64_t per_stretch) noexcept;
    [[nodiscard]] static bool by_steps(const run& mine, const miss& one) noexcept;
    /// How much such a miss tells of a reader who goes backwards.
    [[nodiscard]] static std::uint8_t evidence_down(const run& mine, const miss& one) noexcept;
    /// The reader who goes backwards misses at `offset`.
    static void note_down(run& mine, std::uint64_t offset) noexcept;
    /// window() for that.
    [[nodiscard]] std::uint64_t window_down(run& mine,
                                            const miss& one,
                                            std::uint64_t first,
                                            std::uint64_t end,
                                            std::uint64_t per_stretch) noexcept;
    [[nodiscard]] run& spare() noexcept;
    void take_out(run& gone) noexcept;
    void list(run& added, std::uint64_t per_stretch) noexcept;
    void forget_old() noexcept;
    /// Fragments of the window that follows so many.
    [[nodiscard]] static std::uint64_t window_after(std::uint64_t come_through) noexcept;
    /// Where a window ends that reaches `end`, and is to reach `least` at least, over chunks of
    /// `chunk` bytes.
    [[nodiscard]] static std::uint64_t whole_chunks(std::uint64_t end,
                                                    std::uint64_t least,
                                                    std::uint64_t chunk) noexcept;
    /// The fragments that a window has at most, so that it and half of the next one fit twice the
    /// share: a third more than that.
    [[nodiscard]] std::uint64_t most() const noexcept;
    /// Of the `left` in a stretch so many as may be, or a little less, so that all are read by
    /// windows of one size.
    [[nodiscard]] std::uint64_t fit(std::uint64_t fragments,
                                    std::uint64_t left,
                                    std::uint64_t per_stretch) const noexcept;

    std::uint64_t memory_;
    std::uint64_t pinned_ = 0;
    std::uint64_t clock_ = 0;
    std::uint64_t walks_ahead_ = 0;
    std::size_t streams_ = 0;  ///< among the recent runs
    next_window front_;
    bool backwards_ = false;
    bool of_stream_ = false;
    std::uint64_t reader_reach_ = 0;
    bool quick_ = false;
    std::size_t long_ones_ = 0;  ///< listed by their stretches
    std::uint64_t reach_ = 1;    ///< stretches from where a reader is to where his window ends
    std::unique_ptr<run[]> all_;
    place_table listed_;  ///< by file and place
    queue recent_;        ///< those that have read lately, the latest first
    queue old_;           ///< the others, and those that are free, likewise
};

}  // namespace leat::detail
