// Parses each kind of trace.
#include "replay/read_trace.hpp"

#include "replay/dense_numbers.hpp"
#include "replay/read_recording.hpp"
#include "replay/trace_lines.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <string_view>

namespace leat::perf {

namespace {

/// The pieces of a line between its commas.
class csv_fields {
public:
    csv_fields(const trace_lines& lines, std::string_view line) : lines_(lines), left_(line) {}
    [[nodiscard]] std::string_view next(std::string_view what) {
        if (ended_) lines_.fail("there is no " + std::string{what});
        const std::size_t comma = left_.find(',');
        ended_ = comma == std::string_view::npos;
        const std::string_view field = left_.substr(0, comma);
        left_.remove_prefix(ended_ ? left_.size() : comma + 1);
        return field;
    }
    [[nodiscard]] std::uint64_t number(std::string_view what) {
        return lines_.number(next(what), what);
    }
    [[nodiscard]] double time() {
        const std::string_view field = next("time");
        double seconds = 0;
        const char* const end = field.data() + field.size();
        const auto [stopped, failure] = std::from_chars(field.data(), end, seconds);
        if (failure != std::errc{} || stopped != end) lines_.fail_at(field, "time");
        return seconds;
    }

private:
    const trace_lines& lines_;
    std::string_view left_;
    bool ended_ = false;
};

void read_ids(const std::string& path, trace& into) {
    trace_lines lines{path};
    into.of_objects = true;
    dense_numbers objects;
    std::string_view line;
    while (lines.next(line)) {
        trace_request wanted;
        wanted.file = objects[lines.number(line, "object")];
        wanted.size = object_bytes;
        into.requests.push_back(wanted);
    }
    into.file_bytes.assign(objects.size(), object_bytes);
}

void read_io_csv(const std::string& path, trace& into) {
    trace_lines lines{path};
    constexpr std::string_view header = "time,object,offset,size,op";
    std::string_view line;
    if (!lines.next(line)) return;
    if (!line.starts_with(header)) lines.fail_at(line, "header: expected " + std::string{header});
    dense_numbers files;
    while (lines.next(line)) {
        csv_fields fields{lines, line};
        trace_request wanted;
        wanted.time = fields.time();
        const std::uint64_t object = fields.number("object");
        wanted.offset = fields.number("offset");
        wanted.size = fields.number("size");
        if (wanted.size == 0) continue;
        if (wanted.size > std::numeric_limits<std::uint64_t>::max() - wanted.offset)
            lines.fail("offset and size are 2^64 or more together");
        wanted.file = files[object];
        if (wanted.file == into.file_bytes.size()) into.file_bytes.push_back(0);
        std::uint64_t& bytes = into.file_bytes[wanted.file];
        bytes = std::max(bytes, wanted.offset + wanted.size);
        into.requests.push_back(wanted);
    }
}

struct trace_kind {
    std::string_view ending;
    void (*read)(const std::string& path, trace& into);
};
constexpr trace_kind kinds[]{{".ids", &read_ids}, {".io.csv", &read_io_csv}};

const trace_kind& kind_of(const std::string& path) {
    constexpr std::string_view compressed = ".zst";
    std::string_view name{path};
    if (name.ends_with(compressed)) name.remove_suffix(compressed.size());
    for (const trace_kind& kind : kinds) {
        if (name.ends_with(kind.ending)) return kind;
    }
    throw CLI::ValidationError("TRACE", '"' + path +
                                            "\" is no recording, and else a trace's name is to end "
                                            "in .ids or .io.csv, or in either with .zst behind it");
}

}  // namespace

trace read_trace(const std::string& path) {
    trace result;
    result.name = std::filesystem::path{path}.filename().string();
    const auto read = is_recording(path) ? &read_recording : kind_of(path).read;
    read(path, result);
    if (result.requests.empty()) throw std::runtime_error(path + ": there is no request in it");
    return result;
}

}  // namespace leat::perf
