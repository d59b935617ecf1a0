// Sequences of calls on the chunk tables and leases of two shards, which one thread steps, against
// a model of what each request may come to.
#include "manual_machine.hpp"

#include <optional>
#include <vector>

using namespace leat;
using leat::test::input;
using leat::test::manual_read;
using leat::test::require;

namespace {

constexpr unsigned shards = 2;
constexpr std::uint64_t chunk_bytes = 64 * KiB;
constexpr std::uint64_t file_bytes = 9 * chunk_bytes + 4321;
constexpr std::uint64_t room = 2;  // chunks a shard
constexpr std::size_t most_requests = 64;

bool overlap(std::span<const std::byte> one, std::span<const std::byte> other) {
    return one.data() < other.data() + other.size() && other.data() < one.data() + one.size();
}

/// What was asked, and what has come of it.
struct asked {
    std::uint64_t offset = 0;
    std::uint32_t size = 0;
    bool cancelled = false;
    int ends = 0;
    boost::system::error_code code;
    slice got;
    std::stop_source source;
    std::stop_token token = source.get_token();
};

class table {
public:
    table() {
        reads_.size = file_bytes;
        reads_.on_begin = [this](const manual_read& begun) { check_target(begun); };
        engine_options options;
        options.shards = shards;
        options.hosted = true;
        options.memory = shards * room * chunk_bytes;
        options.chunk_size = chunk_bytes;
        options.huge_pages = options.register_buffers = false;
        options.stall = std::chrono::hours{1};
        options.make_backend = [this](unsigned) {
            return std::make_unique<test::idle_backend>(clock_);
        };
        owner_.emplace(options);
        for (unsigned index = 0; index < shards; ++index) owner_->at(index).open();
        manager_.emplace(*owner_, test::manual_source{reads_},
                         manager_options{.pin_deadline = std::chrono::seconds{1}});
        auto opening = owner_->spawn_on(0, manager_->open("any"));
        step_all(50);
        file_ = opening.get();
    }

    /// Does what the next bytes say.
    void act(input& from) {
        switch (from.byte() % 12) {
            case 0:
            case 1:
            case 2:
                request(from);
                break;
            case 3:
            case 4:
            case 5:
                owner_->at(from.below(shards)).turn();
                break;
            case 6:
            case 7:
                end_read(from);
                break;
            case 8:
                cancel(from);
                break;
            case 9:
                drop(from);
                break;
            case 10:
                clock_ += std::chrono::milliseconds{from.byte() * 8};
                break;
            default:
                step_all(1 + from.below(8));
        }
    }

    /// Lets everything end, and looks for what is left.
    void finish(bool stop_first) {
        if (stop_first) {
            stopped_ = true;
            owner_->stop();
        }
        // What ends makes room for others, which read: it is over when for a while nobody has.
        for (int round = 0, quiet = 0; round < 400 && quiet < 10; ++round) {
            quiet = reads_.waiting.empty() && all_ended() ? quiet + 1 : 0;
            while (!reads_.waiting.empty()) reads_.end(0, {}, 0);
            step_all(2);
            clock_ += std::chrono::milliseconds{10};
            for (const auto& one : requests_) {
                check(*one, false);
                one->got = slice{};
            }
        }
        for (const auto& one : requests_) {
            check(*one, true);
            one->got = slice{};
        }
        if (!stopped_) check_rest();
        file_ = file{};
        owner_->stop();
        for (int turn = 0; turn < 1000 && owner_->roots() != 0; ++turn) {
            while (!reads_.waiting.empty()) reads_.end(0, {}, 0);
            step_all(1);
        }
        const stop_report report = owner_->join();
        require(!report.code, report.owed.c_str());
        require(report.held == 0, "slices are held at the end");
        manager_.reset();
        owner_.reset();
        require(detail::frame_pool::live() == 0, "coroutine frames are left");
    }

private:
    static task<> ask(chunk_manager& manager, file from, asked& wanted) {
        const chunk_config config{from, wanted.offset, wanted.size};
        as_result asking{manager.get_chunk(config)};
        result<slice> got = co_await asking;
        ++wanted.ends;
        if (got) {
            wanted.got = std::move(*got);
        } else {
            wanted.code = got.error().code;
        }
    }
    static task<> drop_here(slice last) {
        last = slice{};
        co_return;
    }

    void request(input& from) {
        if (requests_.size() == most_requests) return;
        auto& added = *requests_.emplace_back(std::make_unique<asked>());
        const unsigned shard = from.below(shards);
        added.offset = from.below(11) * chunk_bytes + from.below(17) * 4096;
        added.offset += from.byte() % 3;
        added.size = from.byte() % 4 == 0 ? from.below(65536) + 1 : from.byte() * 67u;
        task<> job = ask(*manager_, file_, added);
        job.set_stop(added.token);
        static_cast<void>(owner_->spawn_on(shard, std::move(job)));
    }
    void end_read(input& from) {
        if (reads_.waiting.empty()) return;
        const std::size_t which = from.below(static_cast<std::uint32_t>(reads_.waiting.size()));
        const std::uint8_t how = from.byte();
        if (how < 200) {
            reads_.end(which, {}, 0);
        } else if (how < 225) {
            failed_ = true;
            reads_.end(which, system_error_code(EIO), 0);
        } else if (how < 240) {
            failed_ = true;
            reads_.end(which, {}, 1 + how % 100);
        } else {
            changed_ = true;
            reads_.end(which, errc::file_changed, 0);
        }
    }
    asked* chosen(input& from) {
        if (requests_.empty()) return nullptr;
        return requests_[from.below(static_cast<std::uint32_t>(requests_.size()))].get();
    }
    void cancel(input& from) {
        asked* const one = chosen(from);
        if (one == nullptr) return;
        one->cancelled = true;
        one->source.request_stop();
    }
    /// On a shard, which may be another than the slice's, or on none.
    void drop(input& from) {
        asked* const one = chosen(from);
        if (one == nullptr || !one->got) return;
        check(*one, false);
        const unsigned where = from.below(shards + 1);
        if (where == shards) {
            one->got = slice{};
        } else {
            static_cast<void>(owner_->spawn_on(where, drop_here(std::move(one->got))));
        }
    }
    void step_all(unsigned turns) {
        for (unsigned turn = 0; turn < turns; ++turn) {
            for (unsigned index = 0; index < shards; ++index) owner_->at(index).turn();
        }
    }
    [[nodiscard]] bool all_ended() const {
        return std::all_of(requests_.begin(), requests_.end(),
                           [](const auto& one) { return one->ends == 1; });
    }

    /// No read writes where a slice or another read is.
    void check_target(const manual_read& begun) const {
        for (const auto& one : requests_) {
            require(!one->got || !overlap(begun.buffer, one->got.bytes()), "a read below a slice");
        }
        for (const manual_read* const other : reads_.waiting) {
            require(!overlap(begun.buffer, other->buffer), "two reads into the same bytes");
        }
    }
    void check(const asked& one, bool at_end) const {
        require(one.ends == 1 || (one.ends == 0 && !at_end), "how often a request has ended");
        if (one.ends == 0) return;
        const std::uint64_t in = one.offset % chunk_bytes;
        const bool outside = one.size == 0 || one.offset + one.size > file_bytes;
        const bool crosses = !outside && in + one.size > chunk_bytes;
        if (one.got) {
            require(!outside && !crosses, "a slice of what cannot be");
            require(one.got.size() == one.size, "the size of a slice");
            require(test::is_pattern(one.got.bytes(), 1, one.offset), "the bytes of a slice");
        }
        if (!one.code) return;
        if (one.code == errc::stopped) {
            require(stopped_, "stopped, though nobody has");
        } else if (one.code == errc::cancelled) {
            require(one.cancelled, "cancelled, though nobody has");
        } else if (one.code == errc::out_of_range) {
            require(outside, "out of range, though it is inside");
        } else if (one.code == errc::crosses_chunk) {
            require(crosses, "crossing chunks, though it does not");
        } else if (one.code == errc::file_changed) {
            require(changed_, "changed, though it has not");
        } else if (one.code == system_error_code(EIO) || one.code == errc::short_read) {
            require(failed_, "failed, though no read has");
        } else {
            require(one.code == errc::all_pinned || one.code == errc::no_buffer,
                    "an error that nothing explains");
        }
    }
    void check_rest() {
        auto asking = owner_->spawn_on(0, manager_->statistics());
        step_all(20);
        const cache_statistics sum = asking.get();
        require(sum.pins == 0 && sum.referred_bytes == 0, "pins are left");
        require(sum.waiting == 0, "somebody waits");
        require(sum.filling_chunks == 0, "a read is left");
        require(sum.cached_bytes <= shards * room * chunk_bytes,
                "more chunks than there is memory for");
    }

    io::time_point clock_{std::chrono::hours{1}};
    test::manual_reads reads_;
    std::optional<engine> owner_;
    std::optional<chunk_manager> manager_;
    file file_;
    std::vector<std::unique_ptr<asked>> requests_;
    bool failed_ = false;
    bool changed_ = false;
    bool stopped_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    input from{data, size};
    const bool stop_first = from.byte() % 4 == 0;
    table all;
    while (!from.empty()) all.act(from);
    all.finish(stop_first);
    return 0;
}
