// Makes traces of recordings.
#include "replay/read_recording.hpp"

#include "record/recording_reader.hpp"
#include "replay/trace_bytes.hpp"

#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace leat::perf {

namespace {

/// Takes in what the reader tells.
class recorded_trace {
public:
    explicit recorded_trace(trace& into) : into_(into) { into_.recorded.emplace(); }

    void add(const detail::recorded_request& one, std::uint64_t count) {
        recorded_counts& counts = *into_.recorded;
        if (one.kind == detail::log_kind::refused) {
            counts.refused += count;
        } else if (one.kind == detail::log_kind::failed) {
            counts.failed += count;
        } else {
            add_served(one, count);
        }
    }
    /// When all have come.
    void finish(const detail::recording_reader& from) {
        const auto& files = from.files();
        into_.file_bytes.resize(files.size());
        for (std::size_t i = 0; i < files.size(); ++i)
            into_.file_bytes[i] = std::max(into_.file_bytes[i], files[i].size);
        into_.recorded->lost = from.lost();
        into_.recorded->whole = from.whole();
        sort_by_time();
    }

private:
    // By numbers, which makes those of one time stay in their order: what stable_sort() is made of
    // is deprecated, as Clang says.
    void sort_by_time() {
        const std::vector<trace_request>& all = into_.requests;
        std::vector<std::size_t> order(all.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::sort(order.begin(), order.end(), [&](std::size_t left, std::size_t right) {
            return std::pair{all[left].time, left} < std::pair{all[right].time, right};
        });
        std::vector<trace_request> sorted;
        sorted.reserve(all.size());
        for (const std::size_t number : order) sorted.push_back(all[number]);
        into_.requests.swap(sorted);
    }
    void add_served(const detail::recorded_request& one, std::uint64_t count) {
        trace_request wanted;
        wanted.time = static_cast<double>(one.time_ns) / 1e9;
        wanted.offset = one.offset;
        wanted.size = one.size;
        wanted.file = one.file;
        wanted.hint = one.given;
        wanted.outcome =
            one.kind == detail::log_kind::hit ? trace_outcome::hit : trace_outcome::miss;
        if (wanted.size == 0 || wanted.offset > ~wanted.size)
            throw std::runtime_error("a request that cannot have been served");
        if (wanted.file >= into_.file_bytes.size()) into_.file_bytes.resize(wanted.file + 1);
        std::uint64_t& bytes = into_.file_bytes[wanted.file];
        bytes = std::max(bytes, wanted.offset + wanted.size);
        into_.requests.insert(into_.requests.end(), count, wanted);
    }

    trace& into_;
};

}  // namespace

bool is_recording(const std::string& path) {
    trace_bytes bytes{path};
    std::array<char, detail::recording_magic.size()> begin{};
    std::size_t done = 0;
    while (done < begin.size()) {
        const std::size_t count = bytes.read(std::span{begin}.subspan(done));
        if (count == 0) return false;
        done += count;
    }
    return begin == detail::recording_magic;
}

void read_recording(const std::string& path, trace& into) {
    trace_bytes bytes{path};
    try {
        recorded_trace requests{into};
        detail::recording_reader from{[&](std::span<char> to) { return bytes.read(to); }};
        from.each([&](const detail::recorded_request& one, std::uint64_t count) {
            requests.add(one, count);
        });
        requests.finish(from);
    } catch (const boost::system::system_error&) {
        throw;
    } catch (const std::runtime_error& wrong) {
        const std::string said = wrong.what();
        throw std::runtime_error(said.starts_with(path) ? said : path + ": " + said);
    }
}

}  // namespace leat::perf
