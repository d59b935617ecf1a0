// Ends operations when and how the simulation says.
#include "simulated_backend.hpp"

#include "allocations.hpp"
#include "verdict.hpp"

#include <leat/io/error.hpp>

#include <linux/magic.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace leat::sim {

namespace {
constexpr std::uint64_t longest_lateness_ns = 40'000'000;

bool is_of_socket(const io::operation& op) noexcept {
    return op.code >= io::opcode::accept;  // as opcode says
}
}  // namespace

simulated_backend::simulated_backend(world& all, scheduler& by, unsigned shard)
    : all_(all), by_(by), shard_(shard), waiting_(all.planned.credit) {
    statistics_.name = "simulated";
    statistics_.mode = "virtual time";
}

simulated_backend::~simulated_backend() {
    require(in_flight() == 0, "a backend was destroyed with operations in flight");
}

void simulated_backend::submit(io::operation& op) noexcept {
    const allocations_succeed here;
    require(op.state == io::operation::phase::idle, "an operation was submitted twice");
    require(op.on_complete != nullptr, "an operation has no completion");
    require(all_.running == static_cast<int>(shard_), "another shard's backend was used");
    op.state = io::operation::phase::pending;
    op.cancel_requested = false;
    ++statistics_.submitted;
    if (is_of_socket(op)) all_.sockets.begin(op.descriptor, *this);
    all_.note(io::to_string(op.code), static_cast<std::uint64_t>(op.descriptor),
              op.reads() ? simulated_read{op}.offset : 0, op.reads() ? simulated_read{op}.size : 0);
    waiting_.push_back(op);
    waiting_files_ += is_of_socket(op) ? 0 : 1;
    ++accepted_;
}

void simulated_backend::cancel(io::operation& op) noexcept {
    if (op.state == io::operation::phase::idle || op.cancel_requested) return;
    op.cancel_requested = true;
    all_.note("cancel", static_cast<std::uint64_t>(op.descriptor));
    if (op.state == io::operation::phase::pending) {  // it needs no credit any more
        const allocations_succeed here;
        waiting_.withdraw(op);
        take_off(op);
        return;
    }
    const auto found = std::find_if(flights_.begin(), flights_.end(),
                                    [&](const flight& one) { return one.op == &op; });
    const bool completing = found == flights_.end();
    if (completing || found->deaf || found->cancelled) return;
    const bool waits = found->due == never;
    if (waits || all_.device.chance(500)) {
        if (found->stuck) --all_.stuck;
        found->stuck = false;
        found->cancelled = true;
        found->error = ECANCELED;
        found->due = all_.now_ns() + all_.device.below(20'000);
    }
}

std::uint64_t simulated_backend::delay() noexcept {
    std::uint64_t time = 20'000 + all_.device.below(100'000);
    if (all_.device.chance(20)) {  // EINTR or EAGAIN: the kernel is asked again
        ++statistics_.retries;
        time += all_.device.below(500'000);
    }
    if (all_.strikes(fault::late)) time += all_.device.below(longest_lateness_ns);
    return time;
}

// Hands what has been submitted to the device, as far as there is credit.
void simulated_backend::take_off() noexcept {
    const allocations_succeed here;
    const auto cost = [](const io::operation& op) { return op.zero_copy ? 2U : 1U; };
    while (io::operation* const next = waiting_.next(cost)) {
        waiting_.take(*next, cost(*next));
        take_off(*next);
    }
    statistics_.deferred += waiting_.count_deferred();
    const bool reads = std::any_of(flights_.begin(), flights_.end(),
                                   [](const flight& one) { return !is_of_socket(*one.op); });
    require(reads || waiting_files_ == 0, "files wait though sockets alone have all there is");
}

void simulated_backend::take_off(io::operation& op) noexcept {
    flight begun;
    begun.op = &op;
    waiting_files_ -= is_of_socket(op) ? 0 : 1;
    begun.number = numbers_++;
    begun.due = all_.now_ns() + delay();
    op.state = io::operation::phase::submitted;
    if (op.reads()) {
        require(all_.files.at(op.descriptor) != nullptr, "a read of a descriptor that is closed");
        all_.files.read_begins(op.descriptor);
    }
    if (op.cancel_requested) {
        begun.cancelled = true;
        begun.error = ECANCELED;
        begun.due = all_.now_ns();
    } else if (op.reads()) {
        decide_read(begun);
    } else if (!is_of_socket(op) && op.code != io::opcode::close &&
               all_.strikes(fault::failed_opens)) {
        constexpr int errors[] = {EIO, ENOMEM, EMFILE};
        begun.error = errors[all_.device.below(op.code == io::opcode::open ? 3 : 2)];
    }
    flights_.push_back(begun);
}

std::size_t simulated_backend::run(io::time_point deadline) {
    require(all_.running == static_cast<int>(shard_), "another shard's backend was run");
    if (all_.submitted) all_.submitted(shard_);
    take_off();
    if (deadline == io::time_point::min()) {
        by_.give_way();
    } else if (!woken_ && next_due() > all_.now_ns()) {
        const std::uint64_t until = deadline == io::time_point::max() ? never : world::ns(deadline);
        by_.sleep(std::min(until, next_due()));
        woken_ = false;
    } else {
        woken_ = false;
    }
    return land();
}

void simulated_backend::wake() noexcept {
    woken_ = true;
    ++statistics_.wakes;
    all_.note("wake", shard_);
    by_.wake(shard_);
}

std::uint64_t simulated_backend::next_due() const noexcept {
    std::uint64_t next = never;
    for (const flight& one : flights_) next = std::min(next, one.due);
    return next;
}

// Completes what is due, in any order.
std::size_t simulated_backend::land() noexcept {
    std::size_t completed = 0;
    std::vector<flight> ready;
    {
        const allocations_succeed here;
        for (std::size_t i = 0; i < flights_.size();) {
            if (flights_[i].due > all_.now_ns()) {
                ++i;
                continue;
            }
            ready.push_back(flights_[i]);
            flights_[i] = flights_.back();
            flights_.pop_back();
        }
    }
    while (!ready.empty()) {
        std::swap(ready[all_.device.below(ready.size())], ready.back());
        flight ended = ready.back();
        ready.pop_back();
        if (!lands(ended)) continue;
        io::operation& op = *ended.op;
        ++completed;
        all_.note("completed", ended.number, static_cast<std::uint64_t>(op.result));
        op.on_complete(op);
    }
    return completed;
}

// Gives the operation its result; false: it has to wait.
bool simulated_backend::lands(flight& ended) noexcept {
    const allocations_succeed here;
    io::operation& op = *ended.op;
    if (is_of_socket(op)) {
        if (!socket_lands(ended)) return false;
        if (op.more) return true;
        all_.sockets.end(op.descriptor);
    } else {
        op.result = outcome(ended);
    }
    waiting_.give_back(op);
    op.state = io::operation::phase::idle;
    --accepted_;
    ++statistics_.completed;
    return true;
}

bool simulated_backend::socket_lands(flight& ended) noexcept {
    io::operation& op = *ended.op;
    op.more = false;
    if (ended.held) {
        op.result = static_cast<int>(ended.count);
        check_held(ended);
        return true;
    }
    op.result = ended.cancelled ? -ECANCELED : all_.sockets.attempt(op);
    if (op.result == -EAGAIN && op.cancel_requested) op.result = -ECANCELED;
    if (op.result == -EAGAIN) {
        ended.due = never;
        flights_.push_back(ended);
        return false;
    }
    if (op.zero_copy && op.result > 0) return !hold(ended);
    op.more = op.multishot && op.result >= 0;
    if (op.more) {
        ended.due = all_.now_ns() + all_.device.below(20'000);
        flights_.push_back(ended);
    }
    return true;
}

// Of a send without a copy: the bytes are on their way, and are read until they are acknowledged.
bool simulated_backend::hold(flight& ended) noexcept {
    io::operation& op = *ended.op;
    if (op.message.buffer >= 0) {
        require(op.message.message->msg_iovlen == 1, "a registered buffer holds one vector");
        const iovec& vector = *op.message.message->msg_iov;
        require_registered(op.message.buffer,
                           {static_cast<std::byte*>(vector.iov_base), vector.iov_len});
    }
    if (all_.device.chance(200)) {
        ++statistics_.zero_copy_refused;
        op.zero_copy = false;
        return false;
    }
    ++statistics_.zero_copy_sends;
    ended.held = ended.deaf = true;
    ended.count = static_cast<std::uint64_t>(op.result);
    ended.early = all_.sockets.at(op.descriptor)->sent - ended.count;
    ended.due = all_.now_ns() + delay();
    flights_.push_back(ended);
    return true;
}

// They are, to their last moment, what they were when they were sent.
void simulated_backend::check_held(const flight& ended) noexcept {
    const simulated_connection& line = *all_.sockets.at(ended.op->descriptor);
    for_each_part(*ended.op->message.message, ended.count,
                  [&](std::span<const std::byte> part, std::size_t before) {
                      require(line.match(part, ended.early + before),
                              "bytes have changed that the device still reads");
                  });
}

void simulated_backend::socket_changed(int descriptor) noexcept {
    for (flight& one : flights_) {
        if (one.op->descriptor != descriptor || one.due != never) continue;
        one.due = all_.now_ns() + all_.device.below(20'000);
        by_.wake(shard_);
    }
}

int simulated_backend::outcome(const flight& ended) noexcept {
    const allocations_succeed here;
    const io::operation& op = *ended.op;
    switch (op.code) {
        case io::opcode::read:
        case io::opcode::read_vector:
            return read_outcome(ended);
        case io::opcode::open:
            return open_outcome(ended);
        case io::opcode::stat: {
            if (ended.error != 0) {
                all_.blame(ended.error, 0);
                return -ended.error;
            }
            const bool named = op.stat.path[0] != '\0';
            const simulated_file* const file =
                named ? all_.files.named(op.stat.path) : all_.files.at(op.descriptor);
            if (file == nullptr) return named ? -ENOENT : -EBADF;
            simulated_files::fill(*op.stat.out, *file);
            return 0;
        }
        case io::opcode::close:
            require(all_.files.close(op.descriptor) == 0, "a descriptor was closed twice");
            all_.note("closed", static_cast<std::uint64_t>(op.descriptor));
            return 0;
        case io::opcode::stat_file_system:
            if (ended.error != 0) return -ended.error;
            *op.stat_file_system.out = {};
            op.stat_file_system.out->f_type = EXT4_SUPER_MAGIC;
            return 0;
        case io::opcode::accept:
        case io::opcode::connect:
        case io::opcode::receive:
        case io::opcode::send:
        case io::opcode::shutdown:
        case io::opcode::poll:
            break;
    }
    fail("an operation that nobody has a use for");
}

int simulated_backend::open_outcome(const flight& ended) noexcept {
    if (ended.error != 0) {
        all_.blame(ended.error, 0);
        return -ended.error;
    }
    simulated_file* const file = all_.files.named(ended.op->open.path);
    if (file == nullptr) {
        all_.blame(ENOENT, 0);
        return -ENOENT;
    }
    return all_.files.open(*file);
}

int simulated_backend::stat_cached(int descriptor, unsigned, struct statx& out) noexcept {
    const simulated_file* const file = all_.files.at(descriptor);
    require(file != nullptr, "the attributes of a descriptor that is not open were asked for");
    if (all_.strikes(fault::failed_opens)) {
        const allocations_succeed here;
        all_.blame(EIO, file->number);
        return -EIO;
    }
    simulated_files::fill(out, *file);
    return 0;
}

boost::system::error_code simulated_backend::register_buffer(unsigned index,
                                                             std::span<std::byte> memory) noexcept {
    const allocations_succeed here;
    if (!memory.empty() && all_.planned.faults.has(fault::registration) &&
        all_.device.chance(300)) {
        ++statistics_.registration_failures;
        return system_error_code(ENOMEM);
    }
    if (registered_.size() <= index) registered_.resize(index + 1);
    registered_[index] = memory;
    return {};
}

std::string simulated_backend::owed() const {
    const allocations_succeed here;
    return std::to_string(in_flight()) + " operations";
}

}  // namespace leat::sim
