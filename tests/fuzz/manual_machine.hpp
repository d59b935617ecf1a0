// A backend without a kernel and a source whose reads end when a fuzzer says so.
#pragma once

#include "input.hpp"
#include "pattern.hpp"

#include <leat/leat.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

namespace leat::test {

/// A backend of which nothing is asked but the time, which stands still until it is moved.
class idle_backend : public io::backend {
public:
    explicit idle_backend(io::time_point& clock) : clock_(clock) {}
    void submit(io::operation&) noexcept override { std::abort(); }
    void cancel(io::operation&) noexcept override {}
    std::size_t run(io::time_point deadline) override {
        if (deadline != io::time_point::max()) clock_ = std::max(clock_, deadline);
        return 0;
    }
    void wake() noexcept override {}
    [[nodiscard]] io::time_point now() const noexcept override { return clock_; }
    [[nodiscard]] std::size_t in_flight() const noexcept override { return 0; }
    [[nodiscard]] std::string owed() const override { return ""; }
    [[nodiscard]] io::backend_statistics statistics() const override { return {}; }

private:
    io::time_point& clock_;
};

/// A read of a manual_source that has not ended; lives in its coroutine.
struct manual_read {
    manual_read(std::uint64_t offset_, std::span<std::byte> buffer_) noexcept
        : offset(offset_), buffer(buffer_) {}
    std::uint64_t offset;
    std::span<std::byte> buffer;
    boost::system::error_code code;
    std::size_t missing = 0;  ///< bytes it gives less
    resumption node;
    shard* home = nullptr;
};

/// Reads of one file of `size` bytes of the pattern that wait to be ended.
struct manual_reads {
    std::uint64_t size = 0;
    std::vector<manual_read*> waiting;
    /// Called with each read that begins.
    std::function<void(const manual_read&)> on_begin;

    /// Ends one, well or not.
    void end(std::size_t index, boost::system::error_code code, std::size_t missing) {
        manual_read& ended = *waiting[index];
        waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(index));
        ended.code = code;
        ended.missing = missing;
        ended.home->schedule(ended.node);
    }
};

class manual_source {
public:
    static constexpr bool version_identifies = true;

    class file_type {
    public:
        explicit file_type(std::uint64_t size) : size_(size) {}
        [[nodiscard]] std::uint64_t size() const { return size_; }
        [[nodiscard]] file_version version() const {
            file_version version;
            version.inode = 1;
            version.size = size_;
            return version;
        }

    private:
        std::uint64_t size_;
    };

    explicit manual_source(manual_reads& all) : all_(all) {}

    task<file_type> open(std::string) { co_return file_type{all_.size}; }
    task<std::size_t> read(file_type&,
                           std::uint64_t offset,
                           std::span<std::byte> buffer,
                           priority) {
        manual_read wanted{offset, buffer};
        all_.on_begin(wanted);
        waiter until_ended{all_, wanted};
        co_await until_ended;
        if (wanted.code) throw system_error({wanted.code, {}});
        const std::size_t there = std::min<std::uint64_t>(buffer.size(), all_.size - offset);
        const std::size_t count = there - std::min(there, wanted.missing);
        fill_pattern(buffer.first(count), 1, offset);
        co_return count;
    }

private:
    class waiter {
    public:
        waiter(manual_reads& all, manual_read& read) noexcept : all_(all), read_(read) {}
        [[nodiscard]] bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> coroutine) {
            read_.node.coroutine = coroutine;
            read_.home = &this_shard();
            all_.waiting.push_back(&read_);
        }
        void await_resume() const noexcept {}

    private:
        manual_reads& all_;
        manual_read& read_;
    };
    manual_reads& all_;
};

}  // namespace leat::test
