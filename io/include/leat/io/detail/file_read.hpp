// The state machine that reads from an open file.
#pragma once

#include <leat/io/backend.hpp>
#include <leat/io/detail/operation.hpp>
#include <leat/io/file.hpp>

#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace leat::io {

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

    /// Asks that it end soon, with errc::cancelled unless it was completing anyway. No effect when
    /// idle.
    void cancel() noexcept;

    /// Bytes at the start of `data` that landed: all there are up to the end of the file if error()
    /// is clear, else those before the failure, whose version was not checked.
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

    static void completed(operation& op) noexcept;
    void read_landed() noexcept;
    void proceed() noexcept;
    void submit_straight(std::uint64_t position, std::size_t size) noexcept;
    void submit_bounced(std::uint64_t position, std::size_t size) noexcept;
    void submit() noexcept;
    [[nodiscard]] bool take(std::size_t got) noexcept;
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
    std::byte* data_ = nullptr;
    std::byte* bounce_ = nullptr;  ///< the temporary, while it is needed
    std::uint64_t offset_ = 0;
    std::size_t size_ = 0;      ///< bytes of `data` that may be written
    std::size_t expected_ = 0;  ///< bytes that the version's size promises
    std::size_t count_ = 0;
    std::size_t skip_ = 0;    ///< bytes of the temporary before those wanted
    std::size_t piece_ = 0;   ///< bytes wanted of the operation in flight
    std::size_t length_ = 0;  ///< of `data`
    std::unique_ptr<inquiry> inquiry_;
    unsigned alignment_ = 1;
    int buffer_ = -1;
    bool straight_ = false;  ///< the operation in flight reads into `data` itself
    bool cancelled_ = false;
    step step_ = step::read;
    boost::system::error_code error_;
};

}  // namespace leat::io
