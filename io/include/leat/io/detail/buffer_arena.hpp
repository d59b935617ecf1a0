// The memory of one shard's buffers: huge pages where they can be had, registered in the shard's
// ring.
#pragma once

#include <leat/io/backend.hpp>

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace leat::io {

/// How a buffer_arena is made.
struct arena_options {
    std::uint64_t budget = 0;      ///< bytes of address space that it may map, at most 128 TiB
    bool huge_pages = true;        ///< ask for huge pages
    bool register_buffers = true;  ///< register segments with the backend
};

/// What a buffer_arena holds now; the failures never decrease.
struct arena_statistics {
    std::uint64_t segments = 0;              ///< hugetlb + transparent + plain
    std::uint64_t hugetlb_segments = 0;      ///< of reserved huge pages
    std::uint64_t transparent_segments = 0;  ///< that asked the kernel for transparent huge pages
    std::uint64_t plain_segments = 0;        ///< of 4 KiB pages
    std::uint64_t mapped_bytes = 0;          ///< of all segments; at most the budget
    std::uint64_t used_bytes = 0;            ///< of allocated buffers, rounded up to 4 KiB each
    std::uint64_t registered_bytes = 0;
    std::uint64_t registration_failures = 0;
    std::uint64_t hugetlb_refusals = 0;  ///< reserved huge pages that could not be used after all
};

/// Gives out buffers from segments, each one mapping that serves one size.
///
/// A segment is mapped when a buffer is first needed, and touched then only as far as registering
/// it touches it; one of reserved huge pages wholly, since a control group may forbid pages that
/// are reserved, and a read into them would fail. One that has become wholly free is kept for
/// buffers of the same size, and unmapped when another size needs the room. No member throws but
/// the constructor's std::bad_alloc. Used by one thread at a time; only its shard's thread may use
/// it while a backend is attached.
///
/// Invariants, told by fault(): segments lie in order and apart, and within the budget; each has as
/// many free buffers as its place among those of its size says; what the statistics count is what
/// there is; a number of a registered buffer is one segment's.
class buffer_arena {
public:
    explicit buffer_arena(const arena_options& options);
    buffer_arena(const buffer_arena&) = delete;
    buffer_arena& operator=(const buffer_arena&) = delete;
    /// Unmaps everything, on any thread. Precondition: detached, nothing in flight into its memory.
    ~buffer_arena();

    /// Registers present and future segments with `through` until detach().
    void attach(backend& through) noexcept;
    /// Ends all registration, on the thread that runs the backend, with nothing in flight: what was
    /// locked may be locked by others at once, which after detach() alone takes its time. The
    /// memory stays as it is.
    void unregister() noexcept;
    /// Forgets the backend, which is about to be destroyed. The memory stays as it is; it counts as
    /// unregistered.
    void detach() noexcept;

    /// A buffer of `size` bytes (> 0), aligned to 2 MiB if `size` is a multiple of 2 MiB, else to 4
    /// KiB. Contents unspecified. nullptr when the budget has no room or the system no memory.
    [[nodiscard]] std::byte* allocate(std::size_t size) noexcept;

    /// Takes back a buffer that allocate(size) gave. Never fails or allocates.
    void release(std::byte* memory, std::size_t size) noexcept;

    /// The index of the registered buffer that holds `memory`, or -1: there is none for buffers of
    /// more than 1 GiB, the kernel's limit. Valid until the buffer is released or the arena
    /// detached.
    [[nodiscard]] int buffer_index(const std::byte* memory) const noexcept;

    [[nodiscard]] std::uint64_t budget() const noexcept { return options_.budget; }
    [[nodiscard]] arena_statistics statistics() const noexcept;
    /// nullptr, or which invariant is broken. Takes time for each segment.
    [[nodiscard]] const char* fault() const noexcept;

private:
    friend struct tampering;  // tests break what fault() tells
    enum class kind : std::uint8_t { hugetlb, transparent, plain };

    struct segment : boost::intrusive::list_base_hook<> {
        std::byte* base = nullptr;
        std::size_t bytes = 0;
        std::size_t buffer_size = 0;
        std::vector<std::uint32_t> free;  ///< numbers of free buffers; capacity for all of them
        std::uint32_t count = 0;
        int index = -1;
        kind pages = kind::plain;
    };
    using segment_list = boost::intrusive::list<segment>;

    /// The segments of one buffer size that have room. Full ones are in `segments_` only.
    struct size_class {
        std::size_t buffer_size = 0;
        segment_list partial;  ///< some buffers free
        segment_list vacant;   ///< all buffers free
        std::size_t segments = 0;
    };

    [[nodiscard]] size_class* find_class(std::size_t buffer_size) noexcept;
    [[nodiscard]] segment* find_segment(const std::byte* memory) const noexcept;
    [[nodiscard]] std::size_t buffers_in_segment(std::size_t buffer_size) const noexcept;
    void make_room(std::size_t bytes) noexcept;
    [[nodiscard]] segment* add_segment(std::size_t buffer_size);
    [[nodiscard]] bool map(segment& s) noexcept;
    void drop_segment(size_class& of, segment& s) noexcept;
    void enroll(segment& s) noexcept;
    [[nodiscard]] std::uint64_t& segments_of(kind pages) noexcept;
    [[nodiscard]] const char* fault_of_segments() const noexcept;
    [[nodiscard]] const char* fault_of_classes() const noexcept;
    [[nodiscard]] const char* fault_of_indices() const noexcept;

    arena_options options_;
    backend* backend_ = nullptr;
    std::vector<std::unique_ptr<segment>> segments_;  ///< sorted by base
    std::vector<std::unique_ptr<size_class>> classes_;
    std::vector<int> free_indices_;  ///< indices given back
    int next_index_ = 0;
    bool hugetlb_works_ = true;
    bool registration_works_ = true;
    arena_statistics statistics_;
};

}  // namespace leat::io
