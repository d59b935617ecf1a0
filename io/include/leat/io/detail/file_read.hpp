// The state machine that reads from an open file.
#pragma once

#include <leat/io/backend.hpp>
#include <leat/io/detail/operation.hpp>
#include <leat/io/file.hpp>

#include <boost/system/error_code.hpp>

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace leat::io {

/// Buffers that a range of a file is read into, one after the other.
using buffer_list = std::span<const std::span<std::byte>>;

/// Reads a range of a file to its end, by as many operations as it takes.
///
/// Its user keeps it, the backend, the file and the memory in place from start() until the
/// completion runs; the completion runs exactly once, on the thread that runs the backend, from
/// inside backend::run, and may start the same object again or free it. All members are for that
/// thread only. May be derived from, to carry what the completion needs.
class file_read : private operation {
public:
    using completion = void (*)(file_read&) noexcept;

    file_read() noexcept;
    ~file_read();

    /// Reads [offset, offset + data.size()) into `data`, which lies in registered buffer `buffer`
    /// unless that is -1. `data` may reach beyond the end of the file: so may a caller round the
    /// size up to the file's alignment. What is not aligned on a direct file goes through a
    /// temporary of at most 128 KiB and two alignments; if nothing is unaligned, nothing is
    /// allocated. Where the file system refuses a direct read, or gives less than a block of it,
    /// the file is read through the page cache from then on.
    ///
    /// When the bytes are there the file's version is compared (file::check). Where that asks the
    /// system, by the name or because the file is remote, it goes through the backend.
    ///
    /// Errors: errc::file_changed if the version changed before the last byte had landed,
    /// errc::short_read if the file stopped before its size though its version is unchanged,
    /// errc::cancelled, ENOMEM, or the device's error. Precondition: idle, data.size() < 2^48.
    void start(backend& through,
               const file& from,
               std::uint64_t offset,
               std::span<std::byte> data,
               int buffer,
               completion done) noexcept;

    /// As above, into several buffers one after the other, `data` being all of them; their list
    /// must stay in place, too. Where they are aligned as the file is, that is one operation: one
    /// that allocates nothing if there are at most 16 of them.
    ///
    /// Precondition, besides: there are at most operation::most_vectors; if there are two or more,
    /// each but the last is not empty, as long as a multiple of list_alignment and begins at one,
    /// and so does the range itself if the file is direct.
    void start(backend& through,
               const file& from,
               std::uint64_t offset,
               buffer_list buffers,
               int buffer,
               completion done) noexcept;

    static constexpr std::size_t list_alignment = 4096;

    /// Asks that it end soon, with errc::cancelled unless it was completing anyway. No effect when
    /// idle.
    void cancel() noexcept;

    /// Bytes at the start of what is read into that landed: all there are up to the end of the file
    /// if error() is clear, else those before the failure, whose version was not checked.
    [[nodiscard]] std::size_t count() const noexcept { return count_; }
    [[nodiscard]] boost::system::error_code error() const noexcept { return error_; }
    [[nodiscard]] bool idle() const noexcept { return done_ == nullptr; }

private:
    /// What the operation in flight does.
    enum class step : std::uint8_t {
        read,    ///< bytes
        update,  ///< has the attributes brought up to date
        name     ///< finds out what the file's name gives now
    };
    /// What asking for attributes needs; allocated for the few reads that do.
    struct inquiry;
    /// A piece that may be read as it is: some bytes of so many buffers.
    struct stretch {
        std::size_t size = 0;
        std::size_t buffers = 0;
    };

    static void completed(operation& op) noexcept;
    void read_landed() noexcept;
    void proceed() noexcept;
    [[nodiscard]] stretch find_stretch() const noexcept;
    void submit_straight(std::uint64_t position, const stretch& piece) noexcept;
    void submit_nothing() noexcept;
    [[nodiscard]] std::span<const iovec> fill_vectors(const stretch& piece) noexcept;
    void submit_bounced(std::uint64_t position, std::size_t size) noexcept;
    void submit() noexcept;
    [[nodiscard]] bool take(std::size_t got) noexcept;
    void advance(std::size_t gained, const std::byte* copied_from) noexcept;
    [[nodiscard]] bool go_on_buffered() noexcept;
    void set_extent() noexcept;
    void verify(boost::system::error_code if_same) noexcept;
    void compare() noexcept;
    void update() noexcept;
    [[nodiscard]] bool make_inquiry() noexcept;
    void name_answered(int answer) noexcept;
    void finish(boost::system::error_code error) noexcept;

    backend* backend_ = nullptr;
    const file* file_ = nullptr;
    completion done_ = nullptr;
    std::span<std::byte> one_;  ///< the list of a single buffer
    buffer_list buffers_;
    std::size_t index_ = 0;        ///< of the buffer in which the next byte is wanted
    std::size_t inside_ = 0;       ///< bytes of it that landed
    std::byte* bounce_ = nullptr;  ///< the temporary, while it is needed
    std::uint64_t offset_ = 0;
    std::size_t size_ = 0;      ///< bytes of them that may be written
    std::size_t expected_ = 0;  ///< bytes that the version's size promises
    std::size_t count_ = 0;
    std::size_t skip_ = 0;    ///< bytes of the temporary before those wanted
    std::size_t piece_ = 0;   ///< bytes wanted of the operation in flight
    std::size_t length_ = 0;  ///< of all buffers
    std::unique_ptr<inquiry> inquiry_;
    unsigned alignment_ = 1;
    int buffer_ = -1;
    bool straight_ = false;  ///< the operation in flight reads into the buffers themselves
    bool cancelled_ = false;
    step step_ = step::read;
    boost::system::error_code error_;
    std::array<iovec, 16> few_;  ///< what the operation in flight reads into, if it fits
    std::unique_ptr<iovec[]> many_;
};

}  // namespace leat::io
