// Carries records from the shards to the file.
#include "access_log.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <exception>
#include <utility>

namespace leat::serve {

namespace {

constexpr std::size_t ring_bytes = 1 << 20;
// Behind so much the thread is woken before its time.
constexpr std::size_t half = ring_bytes / 2;
constexpr std::chrono::milliseconds flush_period{100};
constexpr std::size_t longest_text = 2048;

/// A record as it lies in a ring; its strings follow, in order.
struct packed {
    request_record record;
    std::array<std::uint16_t, 6> sizes{};
};

std::array<std::string_view*, 6> strings_of(request_record& of) {
    return {&of.method, &of.target, &of.user, &of.range, &of.referer, &of.user_agent};
}

}  // namespace

access_log::access_log(const std::string& path, log_format format, unsigned shards)
    : path_(path), format_(format), file_(std::make_unique<log_file>(path)) {
    for (unsigned shard = 0; shard < shards; ++shard)
        rings_.push_back(std::make_unique<ring>(ring_bytes));
    thread_ = std::thread{[this] { run(); }};
}

access_log::~access_log() {
    end(clock::now() + silence);
}

void access_log::end(clock::time_point until) noexcept {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock{mutex_};
        ending_ = true;
        give_up_ = until;
    }
    changed_.notify_one();
    thread_.join();
}

void access_log::write(unsigned shard, const request_record& record) noexcept {
    packed head{record, {}};
    const auto texts = strings_of(head.record);
    std::size_t size = sizeof head;
    for (std::size_t at = 0; at < texts.size(); ++at) {
        *texts[at] = texts[at]->substr(0, longest_text);
        head.sizes[at] = static_cast<std::uint16_t>(texts[at]->size());
        size += texts[at]->size();
    }
    ring& to = *rings_[shard];
    const std::size_t room = to.write_available();
    if (room < size) {
        dropped_.fetch_add(1, std::memory_order_relaxed);
        return;
    }
    // The reader takes nothing before it is whole: it asks for as much as the sizes say.
    std::array<char, sizeof(packed) + 6 * longest_text> bytes;
    std::memcpy(bytes.data(), &head, sizeof head);
    char* end = bytes.data() + sizeof head;
    for (const std::string_view* const text : texts) end = std::ranges::copy(*text, end).out;
    to.push(bytes.data(), size);
    // Without the mutex, which a shard is not to wait for: the thread may miss it, and then comes
    // at the end of its period.
    if (room >= half && room - size < half) changed_.notify_one();
}

std::string access_log::reopen() try {
    if (path_ == "-") return {};  // it is no file that could have been renamed
    auto file = std::make_unique<log_file>(path_);
    const std::lock_guard lock{mutex_};
    reopened_ = std::move(file);
    return {};
} catch (const std::exception& failure) {
    return failure.what();
}

void access_log::run() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    for (bool ends = false; !ends;) {
        {
            // Not held while lines are written, which lasts as long as a pipe's reader likes.
            std::unique_lock lock{mutex_};
            changed_.wait_for(lock, flush_period, [this] {
                return ending_ || std::ranges::any_of(rings_, [](const auto& one) {
                           return one->read_available() > half;
                       });
            });
            ends = ending_;
            if (reopened_) file_ = std::move(reopened_);
        }
        for (const auto& one : rings_) drain(*one);
        write_lines();
    }
}

void access_log::drain(ring& from) {
    packed head;
    std::array<char, 6 * longest_text> bytes;
    while (from.read_available() >= sizeof head) {
        from.pop(reinterpret_cast<char*>(&head), sizeof head);
        char* at = bytes.data();
        const auto texts = strings_of(head.record);
        for (std::size_t i = 0; i < texts.size(); ++i) {
            std::size_t got = 0;
            while (got < head.sizes[i]) got += from.pop(at + got, head.sizes[i] - got);
            *texts[i] = {at, got};
            at += got;
        }
        try {
            lines_.push_back({head.record.began, log_line(head.record, format_)});
        } catch (const std::exception&) {
            failed_.fetch_add(1, std::memory_order_relaxed);
        }
    }
}

void access_log::write_lines() {
    // Shards know nothing of each other's order.
    std::ranges::sort(lines_, {}, &line::began);
    constexpr std::size_t at_once = 1 << 16;
    std::string text;
    for (const line& one : lines_) {
        (text += one.text) += '\n';
        if (text.size() < at_once) continue;
        write_text(text);
        text.clear();
    }
    write_text(text);
    lines_.clear();
}

void access_log::write_text(const std::string& text) {
    const auto goes_on = [this](clock::duration full) {
        const std::lock_guard lock{mutex_};
        return !ending_ || (full < silence && clock::now() < give_up_);
    };
    failed_.fetch_add(file_->write(text, goes_on), std::memory_order_relaxed);
}

}  // namespace leat::serve
