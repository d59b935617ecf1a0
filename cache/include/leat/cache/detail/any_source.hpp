// A source of which the cache does not know the type.
#pragma once

#include <leat/cache/chunk_config.hpp>
#include <leat/cache/chunk_source.hpp>
#include <leat/engine/task.hpp>
#include <leat/io/detail/misuse.hpp>
#include <leat/io/error.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace leat::detail {

/// What is wrong with a source that says it gave `given` bytes for a buffer of `asked` that begins
/// `left` bytes before the end of the file.
[[nodiscard]] inline boost::system::error_code judge_answer(std::uint64_t given,
                                                            std::uint64_t asked,
                                                            std::uint64_t left) noexcept {
    if (given > asked) return errc::bad_answer;
    if (given < std::min(asked, left)) return errc::short_read;
    return {};
}

/// Buffers that a range of a file is read into, one after the other.
using buffer_list = std::span<const std::span<std::byte>>;

/// A source that reads into a list of buffers, as chunk_source says.
template <class S>
concept list_source = requires(S& source,
                               typename S::file_type& opened,
                               std::uint64_t offset,
                               buffer_list buffers,
                               priority urgency) {
    { source.read(opened, offset, buffers, urgency) } -> std::same_as<task<std::size_t>>;
};

/// A chunk_source without its type.
class any_source {
public:
    /// How many of a list's buffers are read into at once where the source knows no lists.
    static constexpr std::size_t buffers_at_once = 16;
    static constexpr std::size_t longest_list = 1024;

    struct opened_file {
        virtual ~opened_file() = default;
    };
    struct opening {
        std::unique_ptr<opened_file> file;
        std::uint64_t size = 0;
        file_version version;
        std::string name;     ///< what tells it from others of this version, or empty
        bool settled = true;  ///< no later version compares equal
    };
    virtual ~any_source() = default;
    virtual task<opening> open(std::string name) = 0;
    virtual task<std::size_t> read(opened_file& file,
                                   std::uint64_t offset,
                                   std::span<std::byte> buffer,
                                   priority urgency) = 0;
    /// Reads on through at most longest_list buffers, each of which begins inside the file and all
    /// but the last of which end there; gives how many bytes there are, up to the first that is
    /// missing. Here by read(): an error stops the other reads and is thrown when they have ended,
    /// errc::bad_answer if one gave more than its buffer holds. The list must live until the end.
    virtual task<std::size_t> read_list(opened_file& file,
                                        std::uint64_t offset,
                                        buffer_list buffers,
                                        priority urgency);
    /// Whether that is one read of the source's own, not one of each buffer.
    [[nodiscard]] virtual bool reads_lists() const noexcept { return false; }
    /// The smallest read worth making: a power of two, at least unit_size.
    [[nodiscard]] virtual std::uint64_t grain() const noexcept { return unit_size; }
    /// How many reads a shard may give it at once, up to most_reads_at_once; 0: it does not say.
    [[nodiscard]] virtual unsigned reads_at_once() const noexcept { return 0; }
    static constexpr unsigned most_reads_at_once = 65'536;
};

template <chunk_source S>
class source_model final : public any_source {
public:
    explicit source_model(S source)
        : source_(std::move(source)),
          grain_(grain_of(source_)),
          reads_at_once_(reads_at_once_of(source_)) {
        if (!std::has_single_bit(grain_) || grain_ < unit_size)
            misuse("a source's grain is not a power of two of at least unit_size");
        if (reads_at_once_ > most_reads_at_once)
            misuse("a source's reads_at_once is more than 65536");
    }

    task<opening> open(std::string name) override {
        opening result;
        if constexpr (!identified_by_version) result.name = name;
        typename S::file_type opened = co_await source_.open(std::move(name));
        if constexpr (requires { opened.settled(); }) result.settled = opened.settled();
        result.size = std::as_const(opened).size();
        result.version = std::as_const(opened).version();
        result.file = std::make_unique<holder>(std::move(opened));
        co_return result;
    }
    task<std::size_t> read(opened_file& file,
                           std::uint64_t offset,
                           std::span<std::byte> buffer,
                           priority urgency) override {
        return source_.read(static_cast<holder&>(file).file, offset, buffer, urgency);
    }
    task<std::size_t> read_list(opened_file& file,
                                std::uint64_t offset,
                                buffer_list buffers,
                                priority urgency) override {
        if constexpr (list_source<S>) {
            return source_.read(static_cast<holder&>(file).file, offset, buffers, urgency);
        } else {
            return any_source::read_list(file, offset, buffers, urgency);
        }
    }
    [[nodiscard]] bool reads_lists() const noexcept override { return list_source<S>; }
    [[nodiscard]] std::uint64_t grain() const noexcept override { return grain_; }
    [[nodiscard]] unsigned reads_at_once() const noexcept override { return reads_at_once_; }

private:
    static constexpr bool identified_by_version = requires { requires S::version_identifies; };

    struct holder final : opened_file {
        explicit holder(typename S::file_type opened) : file(std::move(opened)) {}
        typename S::file_type file;
    };
    static std::uint64_t grain_of([[maybe_unused]] S& source) {
        if constexpr (requires { source.grain(); }) {
            return source.grain();
        } else if constexpr (requires { std::uint64_t{S::grain}; }) {
            return S::grain;
        } else {
            return unit_size;
        }
    }
    static unsigned reads_at_once_of([[maybe_unused]] S& source) {
        if constexpr (requires { source.reads_at_once(); }) {
            return source.reads_at_once();
        } else if constexpr (requires { unsigned{S::reads_at_once}; }) {
            return S::reads_at_once;
        } else {
            return 0;
        }
    }
    S source_;
    const std::uint64_t grain_;
    const unsigned reads_at_once_;
};

}  // namespace leat::detail
