// What the device makes of reads: some bytes, late or early, or an error.
#include "simulated_read.hpp"

#include "allocations.hpp"
#include "simulated_backend.hpp"
#include "verdict.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace leat::sim {

namespace {

std::span<const iovec> vectors_of(const io::operation& op, iovec& one) noexcept {
    if (op.code == io::opcode::read_vector) return {op.read_vector.vectors, op.read_vector.count};
    one = {op.read.data, op.read.size};
    return {&one, 1};
}

std::uint64_t size_of(std::span<const iovec> vectors) noexcept {
    std::uint64_t size = 0;
    for (const iovec& one : vectors) size += one.iov_len;
    return size;
}

}  // namespace

simulated_read::simulated_read(const io::operation& op) noexcept
    : vectors(vectors_of(op, one_)),
      offset(op.code == io::opcode::read_vector ? op.read_vector.offset : op.read.offset),
      size(size_of(vectors)),
      buffer(op.code == io::opcode::read_vector ? op.read_vector.buffer : op.read.buffer) {}

void simulated_backend::check_read(const simulated_read& read, std::uint64_t alignment) noexcept {
    require(read.vectors.size() <= io::operation::most_vectors, "a read of too many vectors");
    read.each_part(0, read.size, [&](std::span<std::byte> part, std::uint64_t before) {
        const auto address = reinterpret_cast<std::uintptr_t>(part.data());
        require(((address | (read.offset + before) | part.size()) & (alignment - 1)) == 0,
                "a direct read is not aligned");
        if (read.buffer >= 0) require_registered(read.buffer, part);
    });
}

void simulated_backend::require_registered(int index, std::span<const std::byte> memory) noexcept {
    const auto at = static_cast<std::size_t>(index);
    require(at < registered_.size() && !registered_[at].empty(), "no such registered buffer");
    const std::span<const std::byte> whole = registered_[at];
    require(memory.data() >= whole.data() &&
                memory.data() + memory.size() <= whole.data() + whole.size(),
            "memory lies outside of its registered buffer");
}

void simulated_backend::decide_read(flight& begun) noexcept {
    const simulated_read read{*begun.op};
    const int descriptor = begun.op->descriptor;
    const simulated_file* const file = all_.files.at(descriptor);
    // A direct read gives a block at least, if there is one.
    const std::uint64_t least = all_.files.direct(descriptor) ? file->alignment : 1;
    check_read(read, least);
    begun.count = read.size;
    if (read.size > least && all_.strikes(fault::short_reads)) {
        const std::uint64_t step = all_.device.chance(700) ? least : 1;
        begun.count = all_.device.between(least, read.size) / step * step;
    }
    if (all_.strikes(fault::failed_reads)) begun.error = all_.device.chance(700) ? EIO : ENOMEM;
    if (read.size > 0 && all_.strikes(fault::stuck)) {
        begun.stuck = true;
        begun.due = never;
        ++all_.stuck;
    }
    if (begun.stuck && all_.planned.faults.has(fault::dead_device)) {
        begun.deaf = true;
        all_.device_died = true;
    }
    begun.deaf = begun.deaf || (!begun.stuck && all_.device.chance(300));
    // Some bytes come early: from before a change of the file that may follow.
    if (read.offset < file->size && all_.device.chance(500)) {
        const std::uint64_t there = std::min<std::uint64_t>(begun.count, file->size - read.offset);
        begun.early = all_.device.below(there + 1);
        copy(*file, read, 0, begun.early);
    }
}

int simulated_backend::read_outcome(const flight& ended) noexcept {
    const simulated_read read{*ended.op};
    const simulated_file* const file = all_.files.at(ended.op->descriptor);
    require(file != nullptr, "a descriptor was closed while a read of it was in flight");
    all_.files.read_ends(ended.op->descriptor);
    if (ended.error != 0) {
        scribble(read, 0);
        if (!ended.cancelled) all_.blame(ended.error, file->number);
        return -ended.error;
    }
    std::uint64_t count = 0;
    if (read.offset < file->size) {
        count = std::min(ended.count, file->size - read.offset);
        copy(*file, read, std::min(ended.early, count), count);
    }
    if (count < read.size && all_.device.chance(500)) scribble(read, count);
    ++statistics_.reads;
    statistics_.bytes_read += count;
    return static_cast<int>(count);
}

void simulated_backend::copy(const simulated_file& file,
                             const simulated_read& read,
                             std::uint64_t from,
                             std::uint64_t to) noexcept {
    read.each_part(from, to, [&](std::span<std::byte> part, std::uint64_t before) {
        simulated_files::copy(file, read.offset + before, part);
    });
}

// Bytes that no file has.
void simulated_backend::scribble(const simulated_read& read, std::uint64_t from) noexcept {
    const auto value = static_cast<int>(all_.device.below(256));
    read.each_part(from, read.size, [&](std::span<std::byte> part, std::uint64_t) {
        std::memset(part.data(), value, part.size());
    });
}

}  // namespace leat::sim
