// The engine, managers and users of a run.
#include "workload.hpp"

#include "actor.hpp"
#include "allocations.hpp"
#include "guest.hpp"
#include "shard/chunk.hpp"
#include "verdict.hpp"

#include <algorithm>
#include <cerrno>

namespace leat::sim {

namespace {
// How much later than asked for something may end: shards freeze, and reads cannot be cancelled.
constexpr std::uint64_t patience_ns = 400'000'000;
// How long before an attempt the fault may have struck that ends it: a shard may freeze in between.
constexpr std::uint64_t aftermath_ns = 100'000'000;

std::chrono::milliseconds pin_deadline(const world& all) {
    return std::chrono::milliseconds{all.planned.pin_deadline_ms};
}
}  // namespace

void held_slice::verify() const {
    require(simulated_files::match(piece.bytes(), version, offset),
            "a slice has bytes of another place or version");
}

workload::workload(world& all_, scheduler& by_, engine& owner_)
    : all(all_),
      by(by_),
      owner(owner_),
      watch(all_.planned.upper_chunk_size != 0, all_.planned.chunk_size) {}

workload::~workload() = default;

void workload::begin() {
    const plan& wanted = all.planned;
    for (std::size_t i = 0; i < wanted.files.size(); ++i) {
        const file_plan& file = wanted.files[i];
        all.files.create(name_of_file(i, wanted.files.size()), file.size, file.alignment,
                         file.tells_alignment);
    }
    manager_options options;
    options.chunk_size = wanted.chunk_size;
    options.pin_deadline = pin_deadline(all);
    options.grain = wanted.grain;
    options.reads_at_once = wanted.reads_at_once;
    lower = std::make_unique<chunk_manager>(owner, checked_source{watch}, options);
    if (wanted.upper_chunk_size != 0) {
        options.chunk_size = wanted.upper_chunk_size;
        upper = std::make_unique<chunk_manager>(owner, *lower, options);
    }
    all.submitted = [this](unsigned shard) {
        const char* const fault = owner.at(shard).fault();
        require(fault == nullptr, fault);
        fills.look(*lower, shard);
        if (upper) fills.look(*upper, shard);
    };
    coming_ = static_cast<unsigned>(wanted.actors.size());
    for (const actor_plan& one : wanted.actors) {
        actors_.push_back(std::make_unique<actor>(*this, one));
        actor* const made = actors_.back().get();
        by.at(all.now_ns() + one.start_ns, [this, made, &one] {
            --coming_;
            spawn(one.shard, made->run());
        });
    }
    if (wanted.stop_at_ns != 0) {
        by.at(all.now_ns() + wanted.stop_at_ns, [this] {
            all.note("stop");
            owner.stop();
        });
    }
}

void workload::spawn(unsigned shard, task<> job) {
    try {
        static_cast<void>(owner.spawn_on(shard, std::move(job)));
    } catch (const system_error& refused) {
        require(refused.code() == errc::stopped && owner.stopping(), "a task was refused");
    }
}

bool workload::over() const {
    return coming_ == 0 &&
           std::none_of(actors_.begin(), actors_.end(),
                        [](const auto& one) { return one->active(); }) &&
           owner.roots() == 0 && outside_.empty() && invitations_.empty();
}

void workload::check_ended() const {
    for (const auto& one : actors_) {
        require(!one->active(), "an actor was never resumed");
        require(!one->waits(), "a handler was never called");
    }
    require(owner.roots() == 0, "tasks are left");
    for (const auto& [number, one] : invitations_)
        require(one.request == nullptr, "a guest's request has not ended");
}

std::string workload::name_of_file(std::uint64_t choice, std::size_t files) {
    return "file-" + std::to_string(choice % files);
}

std::size_t workload::held() const {
    std::size_t count = passed_on.size() + outside_.size();
    for (const auto& one : actors_) count += one->held();
    return count;
}

void workload::drop_slices() {
    for (const held_slice& one : passed_on) one.verify();
    passed_on.clear();
    for (const auto& [number, one] : outside_) one.verify();
    outside_.clear();
    for (const auto& one : actors_) one->drop_all();
}

void workload::drop_managers() {
    actors_.clear();
    invitations_.clear();
    all.submitted = nullptr;
    upper.reset();
    lower.reset();
}

simulated_sockets::connection workload::invite_peer(bool silent) {
    const allocations_succeed here;
    constexpr std::uint64_t most[] = {1, 10'000, 200'000};
    const std::uint64_t to_write = silent ? 0 : all.device.below(most[all.device.below(3)]);
    const bool stays = silent && all.device.chance(500);
    peers_.push_back(std::make_unique<peer>(all, by, to_write, stays));
    return peers_.back()->line();
}

void workload::let_peers_come(int descriptor, unsigned count, bool silent) {
    const allocations_succeed here;
    all.sockets.announce(descriptor, count);
    for (; count > 0; --count) {
        by.at(all.now_ns() + all.device.below(1'000'000),
              [this, at = all.sockets.listener_of(descriptor), line = invite_peer(silent)] {
                  all.note("peer comes", line->number);
                  all.sockets.arrive(at, line);
              });
    }
}

void workload::drop_outside(held_slice dropped, std::uint64_t delay_ns) {
    const std::uint64_t number = drops_++;
    outside_.emplace(number, std::move(dropped));
    by.at(all.now_ns() + delay_ns, [this, number] {
        const auto found = outside_.find(number);
        if (found == outside_.end()) return;
        found->second.verify();
        const unsigned home = found->second.shard;
        outside_.erase(found);
        require(by.awake(home), "a slice was dropped, and its home sleeps on");
    });
}

void workload::invite(chunk_manager& from,
                      const file& of,
                      const chunk_config& wanted,
                      const action& step) {
    const std::uint64_t number = drops_++;
    invitations_.emplace(number, invitation{&from, of, wanted, nullptr});
    by.at(all.now_ns() + step.a % 1'000'000, [this, number, step] { let_ask(number, step); });
}

void workload::let_ask(std::uint64_t number, const action& step) {
    invitation& one = invitations_.at(number);
    const bool cancels = all.planned.faults.has(fault::cancellation) && step.c % 3 == 0;
    one.request = std::make_unique<guest>(*this, *one.from, one.of, one.wanted, cancels);
    one.of = {};
    if (cancels) {
        one.request->made.cancelled_at = all.now_ns() + step.b % 1'000'000;
        by.at(one.request->made.cancelled_at, [this, number] {
            const auto found = invitations_.find(number);
            if (found != invitations_.end()) found->second.request->cancel();
        });
    }
    all.note("guest", number);
    one.request->start();
}

void workload::guest_ended(guest& gone) {
    const auto found = std::find_if(invitations_.begin(), invitations_.end(), [&](const auto& one) {
        return one.second.request.get() == &gone;
    });
    require(found != invitations_.end(), "a guest's request ended twice");
    boost::system::error_code code;
    held_slice got = gone.outcome(code);
    ++all.progress;
    all.note("guest ended", found->first, static_cast<std::uint64_t>(code.value()));
    judge(gone.made, code);
    if (!code) got.verify();
    if (!code && found->first % 4 == 0 && passed_on.size() < 2) passed_on.push_back(std::move(got));
    if (gone.must_stay()) static_cast<void>(found->second.request.release());
    invitations_.erase(found);
}

void workload::cancel_later(attempt& made, const std::stop_source& source, std::uint64_t choice) {
    const allocations_succeed here;
    const std::uint64_t delay = choice % 3 == 0 ? choice / 3 % 100'000 : choice / 3 % 5'000'000;
    made.cancelled_at = all.now_ns() + delay;
    const auto shard = static_cast<unsigned>(choice / 7 % owner.shards());
    const bool outside = choice % 2 == 0;
    by.at(made.cancelled_at, [this, source, shard, outside]() mutable {
        all.note("request stop");
        if (outside || owner.stopping()) {
            source.request_stop();
            return;
        }
        auto ask = [](std::stop_source of) -> task<> {
            of.request_stop();
            co_return;
        };
        spawn(shard, ask(std::move(source)));
    });
}

void workload::resize(const action& step) {
    const plan& planned = all.planned;
    if (planned.roomy) return;  // what can be pinned at once is to have room
    const allocations_succeed here;
    const std::uint64_t least = 2 * std::max(planned.chunk_size, planned.upper_chunk_size);
    const std::uint64_t part = least + step.a % (planned.memory - least + 1);
    owner.set_memory(owner.shards() * (step.b % 3 == 0 ? planned.memory : part));
}

void workload::disturb(const action& step) {
    const allocations_succeed here;
    if (!all.planned.faults.has(fault::mutation)) return;
    const std::size_t count = all.planned.files.size();
    const std::string name = name_of_file(step.a, count);
    const file_plan& like = all.planned.files[step.a % count];
    const std::uint64_t other_size = 1 + step.c % (6 * all.planned.chunk_size);
    simulated_file* const file = all.files.named(name);
    all.note("disturb", step.a % count, step.b % 6);
    if (file == nullptr || step.b % 6 == 0) {
        all.files.create(name, other_size, like.alignment, like.tells_alignment);
    } else if (step.b % 6 == 1) {
        all.files.unlink(name);
    } else if (step.b % 6 == 2) {
        if (step.c % 4 == 0) {
            simulated_files::touch(*file);
        } else {
            simulated_files::link(*file);
        }
    } else if (step.b % 6 == 3) {
        simulated_files::rewrite(*file, 1 + step.c % file->size);
    } else {
        simulated_files::rewrite(*file, step.b % 6 == 4 ? file->size : other_size);
    }
}

void workload::judge(const attempt& made, boost::system::error_code code) const {
    const allocations_succeed here;
    const std::uint64_t now = all.now_ns();
    if (made.expected) {
        if (code == errc::stopped && owner.stopping()) return;
        if (code == system_error_code(ENOMEM) && failed_allocations() != 0) return;
        if (code != made.expected) fail("a misuse ended by: " + code.message());
        return;
    }
    if (made.cancelled_at != attempt::never && now > made.cancelled_at + patience_ns)
        fail("a request that was cancelled did not end");
    if (made.limit != attempt::never && now - made.begun > made.limit + patience_ns)
        fail("a request did not end when its time was over");
    if (code) judge_failure(made, code);
}

bool workload::may_be_pinned(const attempt& made) const {
    const fault_set& faults = all.planned.faults;
    if (faults.has(fault::allocation) || faults.has(fault::mapping)) return true;
    if (all.planned.roomy && !faults.has(fault::stuck)) return false;
    return made.may_be_refused ||
           all.now_ns() - made.begun >= all.planned.pin_deadline_ms * 1'000'000;
}

void workload::judge_failure(const attempt& made, boost::system::error_code code) const {
    bool called_for = false;
    if (code == errc::cancelled) {
        called_for = made.cancelled_at <= all.now_ns();
    } else if (code == errc::timed_out) {
        called_for = made.limit != attempt::never && all.now_ns() - made.begun >= made.limit;
    } else if (code == errc::stopped || code == boost::asio::error::operation_aborted) {
        called_for = owner.stopping();
    } else if (code == errc::file_changed) {
        simulated_file* const file = all.files.numbered(made.version.inode);
        struct statx present{};
        if (file != nullptr) simulated_files::fill(present, *file);
        called_for =
            file != nullptr &&
            (present.stx_mtime.tv_nsec !=
                 static_cast<std::uint32_t>(made.version.modified_ns % 1'000'000'000) ||
             present.stx_size != made.version.size ||
             file->touched > static_cast<std::uint64_t>(made.version.changed_ns % 1'000'000'000));
    } else if (code == errc::all_pinned || code == errc::no_buffer) {
        called_for = may_be_pinned(made);
    } else if (code.category() == boost::system::system_category()) {
        const std::uint64_t since = made.begun - std::min(made.begun, aftermath_ns);
        called_for = all.blamed(code.value(), made.version.inode, since) ||
                     (code.value() == ENOMEM && failed_allocations() != 0);
    }
    if (!called_for) fail("an error that nothing called for: " + code.message());
}

task<> workload::look() {
    cache_statistics now = co_await lower->statistics();
    const allocations_succeed here;
    require(now.pins == held(), "the cache counts other pins than there are slices");
    require(now.waiting == 0, "the cache counts requests that wait");
    require(now.pins != 0 || now.pinned_bytes + now.referred_bytes == 0,
            "bytes are counted as pinned that no slice refers to");
    require(now.filling_chunks == 0 || all.stuck != 0, "the cache counts chunks that fill");
    check_budget(now);
    looked_ = true;
    ++all.progress;
}

// Entries are in it, but where two chunks a shard leave no room for them.
void workload::check_budget(const cache_statistics& now) const {
    const std::uint64_t entries = (now.chunks + now.leases) * sizeof(detail::chunk);
    require(now.entry_bytes >= entries, "entries are counted as less than they are");
    const std::uint64_t least = 2 * owner.options().chunk_size * owner.shards();
    if (now.memory_bytes < 4 * least || now.pins != 0) return;
    require(now.cached_bytes + now.entry_bytes <= now.memory_bytes,
            "buffers and entries are more than the memory");
}

void workload::begin_last_look() {
    spawn(0, look());
}

}  // namespace leat::sim
