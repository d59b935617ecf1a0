// Reads blocks by liburing alone, several at once, into buffers in turn.
#include "common/raw_ring.hpp"

#include "common/sink.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace leat::perf {

namespace {
// The kernel's limit for one registered buffer.
constexpr std::size_t largest_iovec = 1 << 30;

void check(int result, const char* what) {
    if (result < 0) throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(-result)));
}

std::shared_ptr<mapped_memory> memory_for(const raw_ring_options& options) {
    if (options.memory) return options.memory;
    return std::make_shared<mapped_memory>(
        mapped_memory::anonymous((options.depth + 1) * options.block, options.huge));
}
}  // namespace

raw_ring::raw_ring(const target_file& target, raw_ring_options options)
    : options_(std::move(options)),
      file_(open_file(target.path, true)),
      blocks_an_iovec_(largest_iovec / options_.block) {
    options_.memory = memory_for(options_);
    buffers_ = options_.memory->size() / options_.block - 1;
    if (buffers_ < options_.depth)
        throw std::invalid_argument("a raw ring has fewer buffers than reads in flight");
    begun_.resize(buffers_ + 1);
    for (std::size_t number = 0; number < buffers_; ++number) free_.push_back(number);
    io_uring_params parameters{};
    parameters.flags =
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
    const unsigned entries = options_.depth + 1;
    int result = io_uring_queue_init_params(entries, &ring_, &parameters);
    if (result == -EINVAL) result = io_uring_queue_init(entries, &ring_, 0);
    check(result, "io_uring_queue_init");
    if (options_.fixed) register_memory();
}

void raw_ring::register_memory() {
    const std::size_t bytes = blocks_an_iovec_ * options_.block;
    const mapped_memory& all = *options_.memory;
    std::vector<iovec> pieces;
    for (std::size_t at = 0; at < all.size(); at += bytes)
        pieces.push_back({all.data() + at, std::min(bytes, all.size() - at)});
    registered_ =
        io_uring_register_buffers(&ring_, pieces.data(), static_cast<unsigned>(pieces.size())) == 0;
}

raw_ring::~raw_ring() {
    io_uring_queue_exit(&ring_);
}

void raw_ring::submit(std::size_t number, std::size_t size, std::uint64_t offset) {
    io_uring_sqe* const sqe = io_uring_get_sqe(&ring_);
    const auto bytes = static_cast<unsigned>(size);
    if (registered_) {
        io_uring_prep_read_fixed(sqe, file_.get(), buffer(number), bytes, offset,
                                 static_cast<int>(number / blocks_an_iovec_));
    } else {
        io_uring_prep_read(sqe, file_.get(), buffer(number), bytes, offset);
    }
    io_uring_sqe_set_data64(sqe, number);
    begun_[number] = clock::now();
    if (options_.submit_each) check(io_uring_submit(&ring_), "io_uring_submit");
}

void raw_ring::submit_next(progress& of) {
    std::uint64_t offset = 0;
    of.more = of.more && of.next(offset);
    if (!of.more) return;
    submit(free_.front(), options_.block, offset);
    free_.pop_front();
    ++of.in_flight;
}

void raw_ring::submit_demand(progress& of) {
    std::uint64_t offset = 0;
    if (!of.demands->next(offset)) {
        of.more = false;
        return;
    }
    submit(buffers_, page_bytes, offset);
    ++of.in_flight;
}

// Submits what is prepared, and returns with a completion.
void raw_ring::wait() {
    if (options_.spin.count() == 0) {
        int result = 0;
        do {
            result = io_uring_submit_and_wait(&ring_, 1);
        } while (result == -EINTR);
        check(result, "io_uring_submit_and_wait");
        return;
    }
    check(io_uring_submit(&ring_), "io_uring_submit");
    const auto end = clock::now() + options_.spin;
    while (clock::now() < end) {
        if (io_uring_cq_ready(&ring_) != 0) return;
        if ((__atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED) & IORING_SQ_TASKRUN) != 0)
            io_uring_get_events(&ring_);
        __builtin_ia32_pause();
    }
    io_uring_cqe* cqe = nullptr;
    int result = 0;
    do {
        result = io_uring_wait_cqe(&ring_, &cqe);
    } while (result == -EINTR);
    check(result, "io_uring_wait_cqe");
}

void raw_ring::landed(progress& of, std::size_t number, int bytes) {
    check(bytes, "read");
    const bool demand = number == buffers_;
    if (static_cast<std::size_t>(bytes) != (demand ? page_bytes : options_.block))
        throw std::runtime_error("a raw read was short");
    --of.in_flight;
    histogram* const latencies = demand ? of.demands->latencies : of.latencies;
    if (latencies != nullptr) latencies->add(ns_between(begun_[number], clock::now()));
    keep(first_word(buffer(number)));
    if (demand) {
        ++of.demands->reads;
        submit_demand(of);
    } else {
        ++of.result.reads;
        free_.push_back(number);
        submit_next(of);
    }
}

void raw_ring::reap(progress& of) {
    std::array<io_uring_cqe*, 64> done{};
    const unsigned count = io_uring_peek_batch_cqe(&ring_, done.data(), done.size());
    for (unsigned i = 0; i < count; ++i)
        landed(of, static_cast<std::size_t>(done[i]->user_data), done[i]->res);
    io_uring_cq_advance(&ring_, count);
}

read_run raw_ring::run(const next_offset& next, histogram* latencies, raw_demands* demands) {
    progress of{next, latencies, demands};
    const double cpu = process_cpu_seconds();
    const auto begin = clock::now();
    for (unsigned i = 0; i < options_.depth; ++i) submit_next(of);
    if (demands != nullptr) submit_demand(of);
    while (of.in_flight != 0) {
        wait();
        reap(of);
    }
    of.result.seconds = seconds_between(begin, clock::now());
    of.result.cpu_seconds = process_cpu_seconds() - cpu;
    return of.result;
}

}  // namespace leat::perf
