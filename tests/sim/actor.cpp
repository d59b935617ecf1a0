// Carries out the deeds of one simulated user, and checks what comes of each.
#include "actor.hpp"

#include "allocations.hpp"
#include "verdict.hpp"

#include <leat/cache/slice_stream.hpp>
#include <leat/engine/resume_on.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/with_timeout.hpp>

#include <algorithm>
#include <cerrno>
#include <memory>

namespace leat::sim {

namespace {
constexpr std::size_t most_held = 4;

// Memory that begins `skew` bytes behind a page, so that what a read does not depends on the heap.
struct page_memory {
    page_memory(std::size_t size, std::size_t skew_)
        : bytes(static_cast<std::byte*>(::operator new(size + skew_, std::align_val_t{4096}))),
          skew(skew_) {}
    page_memory(const page_memory&) = delete;
    page_memory& operator=(const page_memory&) = delete;
    ~page_memory() { ::operator delete(bytes, std::align_val_t{4096}); }
    std::byte* bytes;
    std::size_t skew;
};
}  // namespace

actor::actor(workload& in, const actor_plan& wanted) : in_(in), plan_(wanted) {
    held_.reserve(2 * most_held);
}

task<> actor::run() {
    active_ = true;
    for (const action& step : plan_.actions) {
        boost::system::error_code code;
        bool failed = false;
        begin(step);
        try {
            task<> doing = perform(step);
            co_await std::move(doing);
        } catch (const boost::system::system_error& failure) {
            code = failure.code();
            failed = true;
        } catch (const std::bad_alloc&) {
            code = system_error_code(ENOMEM);
            failed = true;
        }
        end(step, failed, code);
        if (code == errc::stopped) break;
    }
    // Some slices are held to the end of the run, and beyond the engine's.
    if (plan_.actions.back().b % 2 == 0) drop_all();
    file_ = {};
    active_ = false;
    ++in_.all.progress;
}

void actor::begin(const action& step) {
    require(!in_action_, "an actor was resumed twice");
    in_action_ = true;
    attempt_ = {};
    attempt_.begun = in_.all.now_ns();
    attempt_.version = file_.version();
    ++in_.all.progress;
    in_.all.note("begin", step.number, static_cast<std::uint64_t>(step.kind));
}

void actor::end(const action& step, bool failed, boost::system::error_code code) {
    require(in_action_, "an actor was resumed twice");
    in_action_ = false;
    ++in_.all.progress;
    in_.all.note("end", step.number, static_cast<std::uint64_t>(code.value()), failed ? 1 : 0);
    require(!failed || code, "an error without a code");
    in_.judge(attempt_, code);
}

task<> actor::perform(const action& step) {
    if (!file_ && step.kind <= deed::peek) return perform_open(step);
    switch (step.kind) {
        case deed::get:
            return get(step, false);
        case deed::get_limited:
            return get(step, true);
        case deed::get_many:
            return get_many(step);
        case deed::read:
            return read(step);
        case deed::walk:
            return walk(step);
        case deed::abandon:
            return abandon(step);
        case deed::send:
            return call(step, true);
        case deed::receive:
            return call(step, false);
        case deed::serve:
            return serve(step);
        case deed::reopen:
            return perform_open(step);
        case deed::hop:
            return hop(step);
        case deed::nap:
            return nap(step);
        case deed::misuse:
            return misuse(step);
        case deed::burst:
            return burst(step);
        case deed::flood:
            return flood(step);
        case deed::ask:
            return ask();
        default:
            return do_at_once(step);
    }
}

task<> actor::do_at_once(const action& step) {
    if (step.kind == deed::peek) peek(step);
    if (step.kind == deed::drop) drop(step);
    if (step.kind == deed::disturb) in_.disturb(step);
    if (step.kind == deed::resize) in_.resize(step);
    if (step.kind == deed::invite && file_) {
        const allocations_succeed here;
        in_.invite(*manager_, file_, any_request(step), step);
    }
    if (step.kind == deed::give_way) co_await yield{};
}

bool actor::cancels(const action& step) const {
    return in_.all.planned.faults.has(fault::cancellation) && step.c % 3 == 0;
}

namespace {
hint any_hint(std::uint64_t choice) {
    constexpr hint some[] = {hint::no_wait, hint::scan,   hint::no_retain, hint::keep,
                             hint::normal,  hint::normal, hint::normal,    hint::normal};
    return some[choice % 8];
}
}  // namespace

chunk_config actor::any_request(const action& step) const {
    chunk_config wanted;
    wanted.file = file_.id();
    const std::uint64_t chunk = manager_->chunk_size();
    const std::uint64_t chunks = (file_.size() + chunk - 1) / chunk;
    // Most go to the same few chunks.
    const std::uint64_t index = step.a % 3 == 0 ? step.a / 3 % chunks : step.a / 3 % chunks % 2;
    const std::uint64_t length = std::min(chunk, file_.size() - index * chunk);
    const std::uint64_t in = step.b % length;
    std::uint64_t size = 1 + (step.b >> 32) % (length - in);
    if (step.c % 2 == 0) size = std::min<std::uint64_t>(size, 1 + step.c / 2 % 8192);
    wanted.offset = index * chunk + in;
    wanted.size = static_cast<std::uint32_t>(size);
    wanted.hint = any_hint(step.c >> 20);
    return wanted;
}

void actor::keep(slice got, std::uint64_t offset) {
    require(static_cast<bool>(got), "an empty slice was given");
    const allocations_succeed here;
    held_slice taken{std::move(got), file_.version(), offset, this_shard().index()};
    taken.verify();
    ++in_.all.progress;
    if (held_.size() >= most_held) forget(0);
    held_.push_back(std::move(taken));
}

void actor::forget(std::size_t index) {
    held_[index].verify();
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
}

void actor::drop_all() {
    while (!held_.empty()) forget(held_.size() - 1);
}

task<> actor::perform_open(const action& step) {
    chunk_manager* const from =
        in_.upper != nullptr && step.b % 2 == 0 ? in_.upper.get() : in_.lower.get();
    std::string name;
    {
        const allocations_succeed here;
        name = workload::name_of_file(step.a, in_.all.planned.files.size());
    }
    attempt_.version = {};
    task<file> opening = from->open(std::move(name));
    std::stop_source source;
    const std::stop_token token = source.get_token();
    if (cancels(step)) {
        in_.cancel_later(attempt_, source, step.c);
        opening.set_stop(token);
    }
    file opened = co_await std::move(opening);
    require(static_cast<bool>(opened), "open gave no file");
    file_ = std::move(opened);
    manager_ = from;
    const allocations_succeed here;
    if (from == in_.lower.get()) in_.watch.learn(file_.version(), file_.id().number);
}

task<> actor::get_one(chunk_config config) {
    const unsigned here = this_shard().index();
    slice got = co_await manager_->get_chunk(config);
    require(this_shard().index() == here, "a request was resumed on another shard");
    require(got.size() == config.size, "a slice has another size than was asked for");
    keep(std::move(got), config.offset);
}

task<> actor::get(const action& step, bool limited) {
    const chunk_config config = any_request(step);
    attempt_.may_be_refused = config.hint == hint::no_wait;
    task<> getting = get_one(config);
    if (limited) {
        attempt_.limit = step.a % 2 == 0 ? step.a / 2 % 300'000 : step.a / 2 % 20'000'000;
    }
    task<> ending = see_through(std::move(getting), step, limited);
    co_await std::move(ending);
}

// Awaits `job` with attempt_.limit, or cancels it later if the step says so.
task<> actor::see_through(task<> job, const action& step, bool limited) {
    if (limited) {
        task<> ending = with_timeout(
            std::move(job), std::chrono::nanoseconds{static_cast<std::int64_t>(attempt_.limit)});
        co_await std::move(ending);
        co_return;
    }
    std::stop_source source;
    const std::stop_token token = source.get_token();
    if (cancels(step)) {
        in_.cancel_later(attempt_, source, step.c);
        job.set_stop(token);
    }
    co_await std::move(job);
}

task<> actor::get_many(const action& step) {
    scope all;
    attempt_.may_be_refused = true;
    const std::uint64_t count = 2 + step.a % 3;
    action each = step;
    for (std::uint64_t i = 0; i < count; ++i) {
        each.a += 0x9e3779b97f4a7c15u;
        each.b = each.b * 0xd1342543de82ef95u + 1;
        const chunk_config config = any_request(each);
        all.spawn_made([&] { return get_one(config); });
    }
    co_await all.join();
}

task<> actor::burst(const action& step) {
    if (!file_) co_return;
    chunk_config config = any_request(step);
    config.size = std::min<std::uint32_t>(config.size, 100);
    config.hint = hint::normal;
    for (int left = 1500; left > 0; --left) {
        const slice got = co_await manager_->get_chunk(config);
        require(simulated_files::match(got.bytes(), file_.version(), config.offset),
                "a slice has bytes of another place or version");
    }
}

task<> actor::flood(const action& step) {
    if (!file_) co_return;
    scope all;
    attempt_.may_be_refused = true;
    chunk_config config = any_request(step);
    config.size = 1;
    // As get_one(), but that none is held.
    const auto glance = [](actor& self, chunk_config wanted) -> task<> {
        const slice got = co_await self.manager_->get_chunk(wanted);
        require(simulated_files::match(got.bytes(), self.file_.version(), wanted.offset),
                "a slice has bytes of another place or version");
    };
    for (int left = 600; left > 0 && !all.failed(); --left)
        all.spawn_made([&] { return glance(*this, config); });
    co_await all.join();
}

task<> actor::read_into(std::uint64_t offset, std::span<std::byte> to) {
    const std::size_t count = co_await manager_->read(file_, offset, to, any_hint(offset));
    require(count == std::min<std::uint64_t>(to.size(), file_.size() - offset),
            "read gave another number of bytes than there are");
    require(simulated_files::match(to.first(count), file_.version(), offset),
            "read gave bytes of another place or version");
    ++in_.all.progress;
}

task<> actor::read(const action& step) {
    const std::uint64_t offset = step.a % (file_.size() + 1);
    const std::size_t size = 1 + step.b % (step.c % 2 == 0 ? 9000 : 3 * manager_->chunk_size());
    constexpr std::size_t skews[] = {0, 0, 512, 17};
    const page_memory memory{size, skews[(step.b >> 40) % 4]};
    task<> reading = read_into(offset, {memory.bytes + memory.skew, size});
    attempt_.may_be_refused = true;
    const bool limited = step.c % 5 == 0;
    if (limited) {
        attempt_.limit = (step.c >> 8) % 5'000'000;
    }
    task<> ending = see_through(std::move(reading), step, limited);
    co_await std::move(ending);
}

task<> actor::abandon(const action& step) {
    attempt_.may_be_refused = true;
    attempt_.limit = (step.c >> 8) % (step.b % 2 == 0 ? 100'000 : 3'000'000);
    task<> getting = get_whole(step);
    task<> ending = see_through(std::move(getting), step, true);
    co_await std::move(ending);
}

task<> actor::get_whole(const action& step) {
    scope all;
    const std::uint64_t chunk = manager_->chunk_size();
    const std::uint64_t chunks = (file_.size() + chunk - 1) / chunk;
    for (std::uint64_t i = 0; i < 2 + step.a % 3; ++i) {
        chunk_config whole{file_.id(), (step.b + i) % chunks * chunk};
        whole.size = static_cast<std::uint32_t>(std::min(chunk, file_.size() - whole.offset));
        all.spawn_made([&] { return get_one(whole); });
    }
    co_await all.join();
}

task<> actor::walk(const action& step) {
    const bool limited = (step.c >> 16) % 4 == 0;
    if (limited) attempt_.limit = (step.c >> 18) % 3'000'000;
    task<> walking = walk_over(step);
    task<> ending = see_through(std::move(walking), step, limited);
    co_await std::move(ending);
}

task<> actor::walk_over(const action& step) {
    const std::uint64_t offset = step.a % file_.size();
    slices_options options;
    options.depth = static_cast<unsigned>(step.c % 5);
    options.slice_size =
        step.c % 3 == 0 ? static_cast<std::uint32_t>(1 + (step.c >> 8) % 70'000) : 0;
    options.hint = any_hint(step.c >> 8);
    if (options.hint == hint::no_wait) options.hint = hint::normal;
    const unsigned here = this_shard().index();
    slice_stream pieces =
        manager_->slices(file_, offset, step.b % (4 * manager_->chunk_size()), options);
    for (std::uint64_t left = 1 + (step.c >> 40) % 6; left > 0; --left) {
        const std::uint64_t at = pieces.offset();
        task<slice> next = pieces.next();
        slice piece = co_await std::move(next);
        require(this_shard().index() == here, "a stream was resumed on another shard");
        if (!piece) break;
        keep(std::move(piece), at);
    }
}

task<> actor::call(const action& step, bool sends) {
    conversation talk{in_, sends ? manager_ : nullptr, file_, step};
    task<> talking = talk.call();
    const bool limited = step.c % 7 == 0;
    if (limited) attempt_.limit = (step.c >> 8) % 5'000'000;
    task<> ending = see_through(std::move(talking), step, limited);
    co_await std::move(ending);
    let_go(talk, step);
}

task<> actor::serve(const action& step) {
    task<> serving = serve_peers(step);
    const bool limited = step.c % 7 == 0;
    if (limited) attempt_.limit = (step.c >> 8) % 5'000'000;
    task<> ending = see_through(std::move(serving), step, limited);
    co_await std::move(ending);
}

task<> actor::serve_peers(const action& step) {
    tcp_acceptor acceptor{shard_executor::current()};
    acceptor.listen({boost::asio::ip::address_v4::loopback(), 0}, step.a % 2 == 0);
    const auto count = static_cast<unsigned>(1 + step.b % 3);
    in_.let_peers_come(acceptor.native_handle(), count, !conversation::has_receiver(step));
    for (unsigned left = count; left > 0; --left) {
        tcp_stream accepted = co_await acceptor.async_accept();
        // Where few operations may be in flight, accepting would leave none to the rest.
        if (left == 1 || in_.all.planned.faults.has(fault::tiny_credit)) acceptor.close();
        conversation talk{in_, manager_, file_, step};
        task<> talking = talk.answer(std::move(accepted));
        co_await std::move(talking);
        let_go(talk, step);
        if (!acceptor.is_open()) break;
    }
}

void actor::let_go(conversation& ended, const action& step) {
    std::optional<tcp_stream> left = ended.take();
    // Where few operations may be in flight, one that ends with the engine would leave none to
    // those that wait for their peers.
    if (in_.all.planned.faults.has(fault::tiny_credit)) return;
    if (!left || kept_ || step.a % 4 != 0) return;
    kept_.emplace(in_, std::move(*left));
    kept_->wait();
}

task<> actor::hop(const action& step) {
    auto target = static_cast<unsigned>(step.a % in_.owner.shards());
    if (file_ && step.b % 2 == 0) target = manager_->owner(any_request(step));
    co_await resume_on(target);
    require(this_shard().index() == target, "resume_on resumed on another shard");
}

task<> actor::nap(const action& step) {
    // Some so long that leases grow old.
    constexpr std::uint64_t most[] = {500'000, 500'000, 500'000, 30'000'000, 3'000'000'000};
    const std::uint64_t length = step.a % most[step.b % 5];
    co_await leat::sleep(std::chrono::nanoseconds{static_cast<std::int64_t>(length)});
    require(in_.all.now_ns() >= attempt_.begun + length, "a sleep ended early");
}

task<> actor::ask() {
    task<cache_statistics> asking = in_.lower->statistics();
    const cache_statistics now = co_await std::move(asking);
    require(now.pins < 10'000 && now.waiting < 10'000, "counters have gone below zero");
}

void actor::peek(const action& step) {
    const chunk_config config = any_request(step);
    slice found = manager_->peek(config);
    if (found) keep(std::move(found), config.offset);
}

void actor::drop(const action& step) {
    const allocations_succeed here;
    if (step.a % 6 == 0 && !in_.passed_on.empty()) {
        held_slice taken = std::move(in_.passed_on.front());
        in_.passed_on.pop_front();
        taken.verify();
        if (step.b % 2 == 0 && held_.size() < most_held) held_.push_back(std::move(taken));
        return;
    }
    if (held_.empty()) return;
    const std::size_t index = step.b % held_.size();
    held_slice& one = held_[index];
    one.verify();
    switch (step.a % 6) {
        case 1:
            if (one.shard == this_shard().index() && held_.size() < most_held) {
                held_.push_back({one.piece.share(), one.version, one.offset, one.shard});
                held_.back().verify();
                return;
            }
            break;
        case 2:
            if (in_.passed_on.size() < 2) in_.passed_on.push_back(std::move(one));
            break;
        case 3:
            in_.drop_outside(std::move(one), step.c % 2'000'000);
            break;
        case 4: {
            const std::size_t from = step.c % one.piece.size();
            one.piece = std::move(one.piece).subslice(from, one.piece.size() - from);
            one.offset += from;
            one.verify();
            return;
        }
        default:
            break;
    }
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
}

task<> actor::misuse(const action& step) {
    if (!file_) co_return;
    chunk_config wrong{file_.id(), step.b % file_.size(), 1};
    switch (step.a % 5) {
        case 0:
            wrong.offset = file_.size() - 1;
            wrong.size = 2;
            attempt_.expected = errc::out_of_range;
            break;
        case 1:
            wrong.size = 0;
            attempt_.expected = errc::out_of_range;
            break;
        case 2:
            wrong.offset = ~std::uint64_t{0} - step.b % 4;
            wrong.size = ~std::uint32_t{0};
            attempt_.expected = errc::out_of_range;
            break;
        case 3:
            if (file_.size() <= manager_->chunk_size()) co_return;
            wrong.offset = manager_->chunk_size() - 1;
            wrong.size = 2;
            attempt_.expected = errc::crosses_chunk;
            break;
        default:
            wrong.file.number = step.a % 2 == 0 ? 0 : step.b;
            attempt_.expected = errc::closed;
            break;
    }
    chunk_manager* asked = manager_;
    if (step.a % 5 == 4 && step.b % 2 == 0 && in_.upper != nullptr) {
        wrong.file = file_.id();
        asked = manager_ == in_.upper.get() ? in_.lower.get() : in_.upper.get();
    }
    const slice got = co_await asked->get_chunk(wrong);
    fail("a misuse was not refused");
}

}  // namespace leat::sim
