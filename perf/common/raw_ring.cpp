#include "common/raw_ring.hpp"

#include "common/sink.hpp"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <cstring>
#include <stdexcept>

namespace leat::perf {

namespace {
void check(int result, const char* what) {
    if (result < 0) throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(-result)));
}
}  // namespace

raw_ring::raw_ring(const target_file& target, const raw_ring_options& options)
    : options_(options),
      file_(open_file(target.path, true)),
      memory_(mapped_memory::anonymous(options.depth * options.block, options.huge)),
      begun_(options.depth) {
    io_uring_params parameters{};
    parameters.flags =
        IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
    int result = io_uring_queue_init_params(options_.depth, &ring_, &parameters);
    if (result == -EINVAL) result = io_uring_queue_init(options_.depth, &ring_, 0);
    check(result, "io_uring_queue_init");
    if (!options_.fixed) return;
    // One iovec may be 1 GiB; every buffer gets its own.
    std::vector<iovec> buffers(options_.depth);
    for (unsigned slot = 0; slot < options_.depth; ++slot)
        buffers[slot] = {memory_.data() + slot * options_.block, options_.block};
    registered_ = io_uring_register_buffers(&ring_, buffers.data(), options_.depth) == 0;
}

raw_ring::~raw_ring() {
    io_uring_queue_exit(&ring_);
}

void raw_ring::submit(unsigned slot, std::uint64_t offset) {
    io_uring_sqe* const sqe = io_uring_get_sqe(&ring_);
    std::byte* const into = memory_.data() + slot * options_.block;
    const auto size = static_cast<unsigned>(options_.block);
    if (registered_) {
        io_uring_prep_read_fixed(sqe, file_.get(), into, size, offset, static_cast<int>(slot));
    } else {
        io_uring_prep_read(sqe, file_.get(), into, size, offset);
    }
    io_uring_sqe_set_data64(sqe, slot);
    begun_[slot] = clock::now();
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

unsigned raw_ring::reap(const next_offset& next,
                        histogram* latencies,
                        read_run& result,
                        bool& more) {
    std::array<io_uring_cqe*, 64> done{};
    const unsigned count = io_uring_peek_batch_cqe(&ring_, done.data(), done.size());
    unsigned ended = 0;
    for (unsigned i = 0; i < count; ++i) {
        check(done[i]->res, "read");
        if (static_cast<std::size_t>(done[i]->res) != options_.block)
            throw std::runtime_error("a raw read was short");
        const auto slot = static_cast<unsigned>(done[i]->user_data);
        if (latencies != nullptr) latencies->add(ns_between(begun_[slot], clock::now()));
        keep(first_word(buffer(slot)));
        ++result.reads;
        std::uint64_t offset = 0;
        more = more && next(offset);
        if (more) {
            submit(slot, offset);
            if (options_.submit_each) check(io_uring_submit(&ring_), "io_uring_submit");
        } else {
            ++ended;
        }
    }
    io_uring_cq_advance(&ring_, count);
    return ended;
}

read_run raw_ring::run(const next_offset& next, histogram* latencies) {
    read_run result;
    const double cpu = process_cpu_seconds();
    const auto begin = clock::now();
    bool more = true;
    unsigned in_flight = 0;
    for (std::uint64_t offset = 0; in_flight < options_.depth && (more = next(offset)); ++in_flight)
        submit(in_flight, offset);
    while (in_flight != 0) {
        wait();
        in_flight -= reap(next, latencies, result, more);
    }
    result.seconds = seconds_between(begin, clock::now());
    result.cpu_seconds = process_cpu_seconds() - cpu;
    return result;
}

}  // namespace leat::perf
