// Writes differences, and runs of equal ones once.
#include "recording_encoder.hpp"

#include <algorithm>
#include <utility>

namespace leat::detail {

void recording_encoder::begin(bytes& out,
                              std::uint64_t chunk_size,
                              std::uint64_t began_ns,
                              std::int64_t now_ns) {
    std::array<unsigned char, recording_header_bytes> header{};
    std::copy(recording_magic.begin(), recording_magic.end(), header.begin());
    put_fixed(&header[8], recording_version, 4);
    put_fixed(&header[12], lanes_.size(), 4);
    put_fixed(&header[16], chunk_size, 8);
    put_fixed(&header[24], began_ns, 8);
    out.insert(out.end(), header.begin(), header.end());
    for (lane& one : lanes_) one.time = now_ns;
}

void recording_encoder::know(recorded_file&& opened) {
    if (indices_.contains(opened.number)) return;
    const std::uint64_t number = opened.number;
    known_.insert_or_assign(number, std::move(opened));
}

void recording_encoder::add(bytes& out, unsigned shard, std::span<const log_slot> noted) {
    lane& of = lanes_[shard];
    items_.clear();
    block_requests_ = 0;
    const log_slot* at = noted.data();
    const log_slot* const end = at + noted.size();
    while (at != end) {
        log_note note;
        at += read_note(at, note);
        put(of, note);
    }
    write_item();
    if (items_.empty()) return;
    const std::size_t begin = out.size();
    out.resize(begin + block_header_bytes);
    out.push_back(static_cast<unsigned char>(block_kind::requests));
    put_number(out, shard);
    put_number(out, block_requests_);
    out.insert(out.end(), items_.begin(), items_.end());
    frame(out, begin);
    requests_ += block_requests_;
}

void recording_encoder::end(bytes& out, std::uint64_t lost) {
    const std::size_t begin = out.size();
    out.resize(begin + block_header_bytes);
    out.push_back(static_cast<unsigned char>(block_kind::end));
    put_number(out, requests_);
    put_number(out, lost);
    frame(out, begin);
}

void recording_encoder::frame(bytes& out, std::size_t begin) {
    const std::size_t length = out.size() - begin - block_header_bytes;
    put_fixed(&out[begin], length, 4);
    put_fixed(&out[begin + 4],
              checksum_of(std::span{out}.subspan(begin + block_header_bytes, length)), 4);
}

void recording_encoder::put(lane& of, const log_note& noted) {
    if (noted.kind == log_kind::lost) {
        lost_ += noted.offset;
    } else if (noted.kind == log_kind::time) {
        write_item();
        const auto time = static_cast<std::int64_t>(noted.offset);
        items_.push_back(item_time);
        put_number(items_, folded(static_cast<std::uint64_t>(time - of.time)));
        of.time = time;
    } else if (noted.kind == log_kind::repeats) {
        put_request(of, of.file, of.last);
        item_.repeats += noted.offset - 1;
        block_requests_ += noted.offset - 1;
    } else if (noted.kind == log_kind::failed) {
        write_item();
        put_failure(index_of(noted.file), noted);
    } else {
        put_request(of, index_of(noted.file), noted);
    }
}

void recording_encoder::put_request(lane& of, std::uint32_t file, const log_note& noted) {
    if (file >= of.files.size()) of.files.resize(indices_.size());
    place& last = of.files[file];
    const unsigned outcome =
        static_cast<unsigned>(noted.kind) - static_cast<unsigned>(log_kind::hit);
    item next;
    next.file = file;
    next.size = noted.size;
    next.use = outcome << 4 | static_cast<unsigned>(noted.given);
    const std::uint64_t distance = noted.offset - last.end;
    item_place where = item_place::bytes;
    if (distance == 0) {
        where = item_place::next;
    } else if (noted.offset == last.begin) {
        where = item_place::same;
    } else if (distance % unit_size == 0) {
        where = item_place::pages;
        next.distance = folded(static_cast<std::uint64_t>(static_cast<std::int64_t>(distance) /
                                                          std::int64_t{unit_size}));
    } else {
        next.distance = folded(distance);
    }
    next.tag = static_cast<unsigned>(where);
    if (file != of.file) next.tag |= item_new_file;
    if (noted.size != of.size) next.tag |= item_new_size;
    if (next.use != of.use) next.tag |= item_new_use;
    last = {noted.offset, noted.offset + noted.size};
    of.file = file;
    of.size = noted.size;
    of.last = noted;
    of.use = next.use;
    ++block_requests_;
    constexpr unsigned new_any = item_new_file | item_new_size | item_new_use;
    // Repeats change nothing of what the item itself may have changed.
    if (item_.pending && (next.tag & new_any) == 0 && (item_.tag & ~new_any) == next.tag &&
        item_.distance == next.distance) {
        ++item_.repeats;
        return;
    }
    write_item();
    item_ = next;
    item_.pending = true;
}

void recording_encoder::write_item() {
    if (!item_.pending) return;
    const std::uint64_t few = std::min<std::uint64_t>(item_.repeats, item_many_repeats);
    const unsigned tag = item_.tag;
    items_.push_back(static_cast<unsigned char>(tag | few << item_repeats_shift));
    if ((tag & item_new_file) != 0) put_number(items_, item_.file);
    if ((tag & item_new_size) != 0) put_number(items_, item_.size);
    if ((tag & item_new_use) != 0) put_number(items_, item_.use);
    if ((tag & 3) >= static_cast<unsigned>(item_place::pages)) put_number(items_, item_.distance);
    if (few == item_many_repeats) put_number(items_, item_.repeats - item_many_repeats);
    item_ = {};
}

void recording_encoder::put_failure(std::uint32_t file, const log_note& noted) {
    items_.push_back(item_failure);
    put_number(items_, file);
    put_number(items_, noted.offset);
    put_number(items_, noted.size);
    put_number(items_, static_cast<unsigned>(noted.given));
    put_number(items_, noted.system_code ? 1 : 0);
    put_number(items_, folded(static_cast<std::uint64_t>(std::int64_t{noted.code})));
}

std::uint32_t recording_encoder::index_of(std::uint64_t number) {
    if (number == last_number_ && !indices_.empty()) return last_index_;
    const auto [found, added] =
        indices_.try_emplace(number, static_cast<std::uint32_t>(indices_.size()));
    if (added) {
        write_item();
        recorded_file file{number, 0, {}};
        if (const auto opened = known_.find(number); opened != known_.end()) {
            file = std::move(opened->second);
            known_.erase(opened);
        }
        file.name.resize(std::min(file.name.size(), longest_file_name));
        items_.push_back(item_file);
        put_number(items_, number);
        put_number(items_, file.size);
        put_number(items_, file.name.size());
        items_.insert(items_.end(), file.name.begin(), file.name.end());
    }
    last_number_ = number;
    last_index_ = found->second;
    return last_index_;
}

}  // namespace leat::detail
