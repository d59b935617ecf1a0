// A file_source in which reads fail, come late, stop short, and files change.
#pragma once

#include <leat/leat.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace leat::perf {

/// Which faults there have been, and whether there are to be more. Shared by all shards.
class fault_dice {
public:
    /// Copies of the file, each under a name of its own: "0" to "7".
    static constexpr std::uint64_t copies = 8;

    /// Any thread.
    void strike(bool wanted) noexcept { striking_.store(wanted); }
    [[nodiscard]] bool striking() const noexcept { return striking_.load(); }
    [[nodiscard]] std::uint64_t throw_one() noexcept;
    void count() noexcept { faults_.fetch_add(1, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t faults() const noexcept { return faults_.load(); }

    /// The version of a copy: who has opened an earlier one is told that the file has changed.
    [[nodiscard]] std::uint64_t version(std::uint64_t copy) const noexcept {
        return versions_[copy].load();
    }
    void change(std::uint64_t copy) noexcept { versions_[copy].fetch_add(1); }

private:
    std::atomic<bool> striking_{false};
    std::atomic<std::uint64_t> thrown_{0};
    std::atomic<std::uint64_t> faults_{0};
    std::array<std::atomic<std::uint64_t>, copies> versions_{};
};

/// One version of one copy.
class faulty_file {
public:
    faulty_file(io::file opened, std::uint64_t copy, std::uint64_t version) noexcept
        : file_(std::move(opened)), copy_(copy), version_(version) {}
    [[nodiscard]] std::uint64_t size() const noexcept { return file_.size(); }
    [[nodiscard]] file_version version() const noexcept;
    [[nodiscard]] const io::file& opened() const noexcept { return file_; }
    [[nodiscard]] std::uint64_t copy() const noexcept { return copy_; }
    [[nodiscard]] std::uint64_t number() const noexcept { return version_; }

private:
    io::file file_;
    std::uint64_t copy_;
    std::uint64_t version_;
};

/// Serves one file under several names; all versions of all copies have its bytes.
class faulty_source {
public:
    using file_type = faulty_file;
    static constexpr bool version_identifies = true;
    /// `dice` must outlive it.
    faulty_source(fault_dice& dice, std::string path) : dice_(&dice), path_(std::move(path)) {}

    [[nodiscard]] task<faulty_file> open(std::string name);
    [[nodiscard]] task<std::size_t> read(const faulty_file& from,
                                         std::uint64_t offset,
                                         std::span<std::byte> buffer,
                                         priority urgency);

private:
    fault_dice* dice_;
    std::string path_;
    file_source files_;
};

}  // namespace leat::perf
