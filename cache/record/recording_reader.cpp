// Checks and decodes the blocks of a recording.
#include "recording_reader.hpp"

#include <leat/engine/options.hpp>

#include <algorithm>
#include <utility>

namespace leat::detail {

namespace {
constexpr std::uint64_t most_shards = 1024;
constexpr std::uint64_t most_files = std::uint64_t{1} << 32;
constexpr std::uint64_t most_size = std::uint64_t{1} << 32;
constexpr std::uint64_t hints = static_cast<std::uint64_t>(hint::once) + 1;
constexpr unsigned outcomes = 3;
// A turn of a shard that computes long may fill some blocks.
constexpr std::size_t most_untimed = std::size_t{1} << 24;
}  // namespace

recording_reader::recording_reader(read_function read) : read_(std::move(read)) {
    std::array<unsigned char, recording_header_bytes> header{};
    const std::size_t got = fill(header);
    const std::size_t same = std::min(got, recording_magic.size());
    if (!std::equal(recording_magic.begin(), recording_magic.begin() + same, header.begin()))
        fail("this is no recording");
    if (got < header.size()) fail("the header ends too early");
    if (fixed_at(&header[8], 4) != recording_version) {
        fail("version " + std::to_string(fixed_at(&header[8], 4)) +
             " of recordings is not known here");
    }
    const std::uint64_t shards = fixed_at(&header[12], 4);
    if (shards == 0 || shards > most_shards) fail("the number of shards is wrong");
    lanes_.resize(shards);
    chunk_size_ = fixed_at(&header[16], 8);
    began_ns_ = fixed_at(&header[24], 8);
}

void recording_reader::fail(const std::string& what) const {
    throw std::runtime_error("byte " + std::to_string(position_) + ": " + what);
}

std::size_t recording_reader::fill(std::span<unsigned char> into) {
    std::size_t done = 0;
    while (done < into.size()) {
        const std::span<unsigned char> rest = into.subspan(done);
        const std::size_t count = read_({reinterpret_cast<char*>(rest.data()), rest.size()});
        if (count == 0) break;
        done += count;
    }
    return done;
}

void recording_reader::each(const run_function& told) {
    position_ = recording_header_bytes;
    while (next_block()) {
        if (whole_) fail("a block follows the end");
        const auto kind = static_cast<block_kind>(next_byte());
        if (kind == block_kind::requests) {
            read_requests(told);
        } else if (kind == block_kind::end) {
            read_end();
        } else {
            fail("a block of an unknown kind");
        }
        if (at_ != block_.size()) fail("a block is longer than what is in it");
        position_ += block_header_bytes + block_.size();
    }
    // Of a process that was killed in the middle of a turn.
    for (lane& one : lanes_) tell(one, told);
}

// Reads the next whole one into block_. What is missing of the last one was never written.
bool recording_reader::next_block() {
    std::array<unsigned char, block_header_bytes> header{};
    if (fill(header) < header.size()) return false;
    const std::uint64_t length = fixed_at(header.data(), 4);
    if (length == 0 || length > longest_block) fail("the length of a block is wrong");
    block_.resize(length);
    at_ = 0;
    if (fill(block_) < length) return false;
    if (checksum_of(block_) != fixed_at(&header[4], 4)) fail("a block is damaged");
    return true;
}

unsigned char recording_reader::next_byte() {
    if (at_ == block_.size()) fail("a block is shorter than what is in it");
    return block_[at_++];
}

std::uint64_t recording_reader::number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const std::uint64_t byte = next_byte();
        value |= (byte & 0x7f) << shift;
        if ((byte & 0x80) == 0) return value;
    }
    fail("a number is too long");
}

std::uint64_t recording_reader::number_below(std::uint64_t limit, const char* what) {
    const std::uint64_t value = number();
    if (value >= limit) fail(std::string{"the number of "} + what + " is wrong");
    return value;
}

void recording_reader::read_requests(const run_function& told) {
    lane& of = lanes_[number_below(lanes_.size(), "a shard")];
    of.last.shard = static_cast<unsigned>(&of - lanes_.data());
    const std::uint64_t expected = number();
    const std::uint64_t before = requests_;
    while (at_ != block_.size()) {
        const unsigned char tag = next_byte();
        if (tag < 0x80) {
            read_request(of, tag);
        } else if (tag == item_time) {
            of.time += static_cast<std::int64_t>(unfolded(number()));
            tell(of, told);
        } else if (tag == item_file) {
            read_file();
        } else if (tag == item_failure) {
            read_failure(of);
        } else {
            fail("an item of an unknown kind");
        }
    }
    if (requests_ - before != expected) fail("a block has not as many requests as it says");
}

void recording_reader::read_end() {
    if (number() != requests_) fail("the recording has not as many requests as it says");
    lost_ = number();
    whole_ = true;
}

void recording_reader::read_file() {
    recorded_file added;
    added.number = number();
    added.size = number();
    const std::size_t length = number_below(longest_file_name + 1, "bytes of a name");
    while (added.name.size() < length) added.name.push_back(static_cast<char>(next_byte()));
    files_.push_back(std::move(added));
}

void recording_reader::read_request(lane& of, unsigned tag) {
    recorded_request& last = of.last;
    if ((tag & item_new_file) != 0)
        last.file = static_cast<std::uint32_t>(number_below(most_files, "a file"));
    if (last.file >= files_.size()) fail("the number of a file is wrong");
    if (of.files.size() < files_.size()) of.files.resize(files_.size());
    if ((tag & item_new_size) != 0)
        last.size = static_cast<std::uint32_t>(number_below(most_size, "bytes"));
    if ((tag & item_new_use) != 0) {
        of.use = static_cast<unsigned>(number_below(outcomes << 4, "an outcome"));
        if ((of.use & 15) >= hints) fail("the number of a hint is wrong");
    }
    last.given = static_cast<hint>(of.use & 15);
    last.kind = static_cast<log_kind>(static_cast<unsigned>(log_kind::hit) + (of.use >> 4));
    const auto where = static_cast<item_place>(tag & 3);
    std::uint64_t distance = 0;
    if (where == item_place::pages) distance = unfolded(number()) * unit_size;
    if (where == item_place::bytes) distance = unfolded(number());
    std::uint64_t repeats = tag >> item_repeats_shift;
    if (repeats == item_many_repeats) repeats += number();
    // Each differs from the one before, unless it lies where that does.
    for (std::uint64_t left = repeats + 1; left != 0;) {
        const std::uint64_t count = where == item_place::same ? left : 1;
        place& known = of.files[last.file];
        last.offset = where == item_place::same ? known.begin : known.end + distance;
        known = {last.offset, last.offset + last.size};
        of.untimed.push_back({last, count});
        requests_ += count;
        left -= count;
        if (of.untimed.size() > most_untimed) fail("too many requests without a time");
    }
}

void recording_reader::read_failure(lane& of) {
    recorded_request failed;
    failed.kind = log_kind::failed;
    failed.shard = of.last.shard;
    failed.file = static_cast<std::uint32_t>(number_below(files_.size(), "a file"));
    failed.offset = number();
    failed.size = static_cast<std::uint32_t>(number_below(most_size, "bytes"));
    failed.given = static_cast<hint>(number_below(hints, "a hint"));
    failed.system_code = number_below(2, "a category") != 0;
    failed.code = static_cast<std::int32_t>(static_cast<std::int64_t>(unfolded(number())));
    of.untimed.push_back({failed, 1});
}

void recording_reader::tell(lane& of, const run_function& told) {
    for (run& one : of.untimed) {
        one.of.time_ns = of.time;
        told(one.of, one.count);
    }
    of.untimed.clear();
}

}  // namespace leat::detail
