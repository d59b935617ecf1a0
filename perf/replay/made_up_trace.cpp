// Draws the requests of each workload.
#include "replay/made_up_trace.hpp"

#include "common/pages.hpp"
#include "common/zipf.hpp"

#include <leat/engine/options.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

namespace leat::perf {

namespace {

constexpr std::uint64_t record_bytes = 4 * KiB;
constexpr std::uint64_t step_bytes = 16 * KiB;
constexpr std::uint64_t probe_bytes = 64 * KiB;
constexpr std::uint64_t scan_bytes = 64 * KiB;
constexpr std::uint64_t reader_bytes = 64 * KiB;
constexpr std::uint64_t reader_file_bytes = 256 * MiB;
constexpr std::uint64_t slow_file_bytes = MiB;
constexpr std::uint64_t slow_bytes = 10 * KiB;
constexpr std::uint64_t played_bytes = 30 * MiB;
constexpr std::uint64_t film_bytes = GiB;
constexpr std::uint64_t huge_bytes = 1024 * GiB;
constexpr std::uint64_t part_bytes = 10 * MiB;
constexpr std::size_t record_count = 100'000;
constexpr std::size_t small_files = 10'000;
constexpr std::size_t tensor_count = 200;
constexpr std::uint64_t smallest_tensor = 1'000;
constexpr std::uint64_t largest_tensor = 80'000'000;
constexpr std::uint64_t tensor_file_bytes = 16 * GiB;

trace_request request_for(std::uint32_t file, std::uint64_t offset, std::uint64_t size) {
    trace_request wanted;
    wanted.file = file;
    wanted.offset = offset;
    wanted.size = size;
    return wanted;
}

/// Adds files to a trace, and gives the first one's index.
std::uint32_t add_files(trace& to, std::size_t count, std::uint64_t bytes) {
    const auto first = static_cast<std::uint32_t>(to.file_bytes.size());
    to.file_bytes.insert(to.file_bytes.end(), count, bytes);
    return first;
}

class records {
public:
    records(trace& of, random_words& random, std::uint64_t over)
        : file_(add_files(of, 1, over)), random_(random), places_(record_count) {
        for (std::uint64_t& place : places_)
            place = random_.below(over / record_bytes) * record_bytes;
    }
    trace_request next() { return request_for(file_, places_[ranks_(random_)], record_bytes); }

private:
    std::uint32_t file_;
    random_words& random_;
    zipf ranks_{record_count, 0.99};
    std::vector<std::uint64_t> places_;
};

/// Those who play files: from end to end, or probing them first and then for a while.
class players {
public:
    players(trace& of, random_words& random, std::size_t count, std::size_t files, bool probing)
        : first_file_(add_files(of, files, film_bytes)),
          random_(random),
          films_(files, 0.8),
          probing_(probing),
          all_(count) {}
    trace_request next() {
        player& one = all_[random_.below(all_.size())];
        if (one.probes.empty() && one.left == 0) choose(one);
        if (!one.probes.empty()) {
            const trace_request probe = one.probes.front();
            one.probes.pop_front();
            return probe;
        }
        const std::uint64_t size = std::min(step_bytes, one.left);
        const trace_request step = request_for(one.file, one.at, size);
        one.at += size;
        one.left -= size;
        return step;
    }

private:
    struct player {
        std::uint32_t file = 0;
        std::uint64_t at = 0;
        std::uint64_t left = 0;
        std::deque<trace_request> probes;
    };

    void choose(player& one) {
        one.file = first_file_ + static_cast<std::uint32_t>(films_(random_));
        one.at = probing_ ? random_.below(film_bytes / step_bytes) * step_bytes : 0;
        one.left = std::min(probing_ ? played_bytes : film_bytes, film_bytes - one.at);
        if (!probing_) return;
        one.probes.push_back(request_for(one.file, 0, probe_bytes));
        one.probes.push_back(request_for(one.file, film_bytes - probe_bytes, probe_bytes));
    }

    std::uint32_t first_file_;
    random_words& random_;
    zipf films_;
    bool probing_;
    std::vector<player> all_;
};

/// What a workload needs; `count` is the N behind its name.
struct workload_parts {
    trace& into;
    random_words& random;
    std::uint64_t count;
    std::uint64_t requests;
};

template <class Next>
void fill(const workload_parts& with, Next next) {
    for (std::uint64_t i = 0; i < with.requests; ++i) with.into.requests.push_back(next(i));
}

void make_records(const workload_parts& with) {
    records all{with.into, with.random, with.count * GiB};
    fill(with, [&](std::uint64_t) { return all.next(); });
}

void make_streams(const workload_parts& with) {
    players all{with.into, with.random, with.count, std::max<std::size_t>(40, 2 * with.count),
                false};
    fill(with, [&](std::uint64_t) { return all.next(); });
}

void make_mix(const workload_parts& with) {
    players streams{with.into, with.random, 20, 40, false};
    records strewn{with.into, with.random, huge_bytes};
    fill(with, [&](std::uint64_t i) { return i % 2 == 0 ? streams.next() : strewn.next(); });
}

void make_players(const workload_parts& with) {
    players all{with.into, with.random, 20, 200, true};
    fill(with, [&](std::uint64_t) { return all.next(); });
}

void make_small_files(const workload_parts& with) {
    const zipf ranks{small_files, 0.9};
    const std::uint64_t bytes = with.count * KiB;
    add_files(with.into, small_files, bytes);
    fill(with, [&](std::uint64_t) {
        return request_for(static_cast<std::uint32_t>(ranks(with.random)), 0, bytes);
    });
}

/// One of those who read files of their own, from end to end.
struct reader {
    std::uint32_t file = 0;
    std::uint64_t at = 0;
};

void make_readers(const workload_parts& with) {
    std::vector<reader> all(with.count);
    for (reader& one : all) {
        one.file = add_files(with.into, 1, reader_file_bytes);
        // From the start of their files all would come to the ends of their chunks at once.
        one.at = with.random.below(reader_file_bytes / reader_bytes) * reader_bytes;
    }
    fill(with, [&](std::uint64_t i) {
        reader& one = all[i % all.size()];
        if (one.at == reader_file_bytes) one = {add_files(with.into, 1, reader_file_bytes), 0};
        one.at += reader_bytes;
        return request_for(one.file, one.at - reader_bytes, reader_bytes);
    });
}

/// Clients who are slow, each of a file of its own: little of it at a time, whenever there is room
/// at the client's.
void make_slow(const workload_parts& with) {
    const std::uint32_t first = add_files(with.into, with.count, slow_file_bytes);
    std::vector<std::uint64_t> at(with.count);
    for (std::uint64_t& one : at)
        one = with.random.below(slow_file_bytes / slow_bytes) * slow_bytes;
    fill(with, [&](std::uint64_t) {
        const auto client = static_cast<std::uint32_t>(with.random.below(with.count));
        const std::uint64_t begin = at[client];
        const std::uint64_t size = std::min(slow_bytes, slow_file_bytes - begin);
        at[client] = (begin + size) % slow_file_bytes;
        return request_for(first + client, begin, size);
    });
}

void make_tensors(const workload_parts& with) {
    const std::uint32_t file = add_files(with.into, 1, tensor_file_bytes);
    const std::uint64_t room = tensor_file_bytes / tensor_count;
    static_assert(tensor_file_bytes / tensor_count > largest_tensor);
    const double doublings = std::log2(static_cast<double>(largest_tensor / smallest_tensor));
    std::vector<std::uint32_t> order;
    fill(with, [&](std::uint64_t i) {
        if (i % tensor_count == 0) order = shuffled(tensor_count, with.random());
        const double share = static_cast<double>(with.random() >> 11) * 0x1p-53;
        const auto size = static_cast<std::uint64_t>(static_cast<double>(smallest_tensor) *
                                                     std::exp2(share * doublings));
        const std::uint64_t begin = order[i % tensor_count] * room;
        return request_for(file, begin + with.random.below(room - size), size);
    });
}

void make_scan(const workload_parts& with) {
    const zipf parts{with.count, 0.99};
    const std::uint32_t hot = add_files(with.into, 1, with.count * part_bytes);
    const std::uint32_t scanned = add_files(with.into, 1, huge_bytes);
    fill(with, [&](std::uint64_t i) {
        if (i % 2 == 0) return request_for(scanned, i / 2 * scan_bytes % huge_bytes, scan_bytes);
        const std::uint64_t page = with.random.below(part_bytes / record_bytes);
        return request_for(hot, parts(with.random) * part_bytes + page * record_bytes,
                           record_bytes);
    });
}

struct made_up_workload {
    std::string_view name;
    std::uint64_t count;  ///< the N behind the name if none is given; 0: it takes none
    std::uint64_t requests;
    void (*make)(const workload_parts& with);
};
constexpr made_up_workload workloads_made_up[]{
    {"records", huge_bytes / GiB, 1'000'000, &make_records},
    {"streams", 20, 3'000'000, &make_streams},
    {"mix", 0, 3'000'000, &make_mix},
    {"players", 0, 1'500'000, &make_players},
    {"smallfiles", record_bytes / KiB, 1'000'000, &make_small_files},
    {"readers", 32, 500'000, &make_readers},
    {"slow", 10'000, 2'000'000, &make_slow},
    {"tensors", 0, tensor_count, &make_tensors},
    {"scan", 200, 1'000'000, &make_scan},
};

/// The N of "NAME:N", if it is one.
std::optional<std::uint64_t> count_in(std::string_view text) {
    constexpr std::uint64_t most = 100'000;
    std::uint64_t count = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, failure] = std::from_chars(text.data(), end, count);
    if (failure != std::errc{} || stopped != end || count == 0 || count > most) return std::nullopt;
    return count;
}

}  // namespace

trace make_trace(const made_up_options& what) {
    const std::string_view name =
        std::string_view{what.workload}.substr(0, what.workload.find(':'));
    const bool counted = name.size() != what.workload.size();
    for (const made_up_workload& one : workloads_made_up) {
        if (one.name != name || (counted && one.count == 0)) continue;
        const auto count = counted
                               ? count_in(std::string_view{what.workload}.substr(name.size() + 1))
                               : std::optional{one.count};
        if (!count) break;
        trace result;
        result.name = what.workload;
        random_words random{what.seed};
        const std::uint64_t requests = what.requests != 0 ? what.requests : one.requests;
        result.requests.reserve(requests);
        one.make({result, random, *count, requests});
        return result;
    }
    throw CLI::ValidationError("--workload", '"' + what.workload + "\" is no workload: there are " +
                                                 std::string{made_up_names} +
                                                 ", with N from 1 to 100000");
}

}  // namespace leat::perf
