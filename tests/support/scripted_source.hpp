// A source of made-up bytes that fails, waits or falls short as a test wishes, and counts what it
// was asked.
#pragma once

#include "pattern.hpp"

#include <leat/cache/chunk_source.hpp>
#include <leat/engine/error.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/spawned.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace leat::test {

/// What a scripted_source does; shared with the test, which may change it between and during reads.
struct script {
    std::uint64_t size = 0;
    std::uint64_t grain = std::uint64_t{1} << 30;  ///< as it is, each miss reads its whole chunk
    unsigned reads_at_once = 0;                    ///< it says nothing
    std::atomic<std::uint64_t> version{1};
    std::atomic<std::int64_t> delay_ms{0};             ///< before each read
    std::atomic<std::int64_t> background_delay_ms{0};  ///< besides, before a read that is no demand
    std::atomic<bool> hold_background{false};          ///< reads that are no demand wait meanwhile
    std::atomic<std::uint64_t> bad_from{
        ~std::uint64_t{0}};  ///< reads that touch [bad_from, bad_to) fail with EIO
    std::atomic<std::uint64_t> bad_to{0};
    std::atomic<std::uint64_t> held_at{
        ~std::uint64_t{0}};  ///< no read that has the byte at this offset ends
    std::atomic<std::uint64_t> held_from{
        ~std::uint64_t{0}};                      ///< nor one that begins there, or later
    std::atomic<bool> too_little{false};         ///< reads give one byte less
    std::atomic<bool> held{false};               ///< no read ends, unless a stop of it is requested
    std::atomic<bool> deaf{false};               ///< not even then, as a device that has begun
    std::atomic<std::uint64_t> failing_read{0};  ///< the number, from 1, of one that fails, or 0
    std::atomic<std::uint64_t> reads{0};
    std::atomic<std::uint64_t> bytes{0};
    std::atomic<int> in_flight{0};
    std::atomic<int> most_in_flight{0};  ///< exact if one shard reads
    std::atomic<int> open_files{0};

    struct range {
        std::uint64_t offset;
        std::uint64_t size;
        priority urgency = priority::demand;
    };
    std::mutex mutex;
    std::vector<range> log;  ///< every read
};

class scripted_source {
public:
    static constexpr bool version_identifies = true;

    class file_type {
    public:
        file_type(std::shared_ptr<script> wanted)
            : script_(std::move(wanted)), version_(script_->version) {
            ++script_->open_files;
        }
        file_type(file_type&& other) noexcept
            : script_(std::move(other.script_)), version_(other.version_) {}
        ~file_type() {
            if (script_) --script_->open_files;
        }
        [[nodiscard]] std::uint64_t size() const { return script_->size; }
        [[nodiscard]] file_version version() const {
            file_version version;
            version.inode = version_;
            version.size = script_->size;
            return version;
        }
        [[nodiscard]] std::uint64_t seed() const { return version_; }

    private:
        std::shared_ptr<script> script_;
        std::uint64_t version_;
    };

    explicit scripted_source(std::shared_ptr<script> wanted) : script_(std::move(wanted)) {}

    [[nodiscard]] std::uint64_t grain() const { return script_->grain; }
    [[nodiscard]] unsigned reads_at_once() const { return script_->reads_at_once; }
    task<file_type> open(std::string name) {
        if (name == "missing") throw system_error({system_error_code(ENOENT), {}});
        co_return file_type{script_};
    }

    task<std::size_t> read(file_type& file,
                           std::uint64_t offset,
                           std::span<std::byte> buffer,
                           priority urgency) {
        const std::uint64_t size = std::min<std::uint64_t>(buffer.size(), script_->size - offset);
        const bool fails = ++script_->reads == script_->failing_read;
        script_->bytes += size;
        {
            const std::lock_guard lock{script_->mutex};
            script_->log.push_back({offset, size, urgency});
        }
        const std::int64_t extra =
            urgency == priority::background ? script_->background_delay_ms.load() : 0;
        const std::chrono::milliseconds delay{script_->delay_ms + extra};
        const in_flight_count counted{*script_};
        if (delay.count() > 0) {
            co_await sleep(delay);
        }
        while (urgency == priority::background && script_->hold_background) {
            co_await sleep(std::chrono::milliseconds{1});
        }
        const auto is_held = [&] {
            return script_->held || script_->held_at - offset < size ||
                   offset >= script_->held_from;
        };
        while (is_held()) {
            if (script_->deaf) {
                co_await yield{};
            } else {
                co_await sleep(std::chrono::microseconds{100});
            }
        }
        if (fails || (offset < script_->bad_to && offset + size > script_->bad_from)) {
            throw system_error({system_error_code(EIO), {}});
        }
        if (script_->version != file.seed())
            throw system_error({make_error_code(errc::file_changed), {}});
        fill_pattern(buffer.first(size), file.seed(), offset);
        co_return script_->too_little ? size - 1 : size;
    }

private:
    class in_flight_count {
    public:
        explicit in_flight_count(script& of) : script_(of) {
            script_.most_in_flight = std::max<int>(script_.most_in_flight, ++script_.in_flight);
        }
        in_flight_count(const in_flight_count&) = delete;
        in_flight_count& operator=(const in_flight_count&) = delete;
        ~in_flight_count() { --script_.in_flight; }

    private:
        script& script_;
    };

    std::shared_ptr<script> script_;
};

}  // namespace leat::test
