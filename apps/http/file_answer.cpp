// Decides status and bytes, and writes the head.
#include "http/file_answer.hpp"

#include "http/head_writer.hpp"
#include "http/short_answer.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace leat::http {

namespace {

multipart_ranges parts_of(const file_answer& answer) {
    return {{answer.parts.data(), answer.parts.size()},
            answer.file_size,
            answer.content_type,
            answer.boundary};
}

/// What is asked for of the file. Ranges are GET's (14.2).
byte_ranges asked_of(const request_head& head,
                     const file_facts& facts,
                     const answer_options& options,
                     sys_seconds now) {
    const bool heeded = head.method == request_method::get && range_holds(head, facts.file, now);
    byte_ranges asked = parse_byte_ranges(heeded ? head.range : std::string_view{}, facts.size,
                                          options.most_ranges);
    coalesce(asked.parts);
    return asked;
}

/// An answer without the file's bytes.
void refuse_file(file_answer& answer,
                 const request_head& head,
                 const file_facts& facts,
                 const answer_options& options,
                 sys_seconds now,
                 std::span<char> buffer) {
    const refusal_facts of_file{
        .file_size = facts.size, .nosniff = options.nosniff, .close = !options.keep_alive};
    const short_answer made = refuse(answer.code, head, of_file, now, buffer);
    answer.head = made.bytes;
    answer.keep_alive = made.keep_alive;
}

void write_not_modified(head_writer& to, const file_facts& facts) {
    // Of the file only what caches are to take over (15.4.5).
    to.field("ETag", entity_tag::text{facts.file.tag}.view());
}

/// Fields of the file as it is.
void write_file(head_writer& to,
                const file_facts& facts,
                const answer_options& options,
                sys_seconds now) {
    // Never later than Date (8.8.2.1).
    const auto modified = format_date(std::min(facts.file.modified, now));
    to.field("Last-Modified", {modified.data(), modified.size()});
    to.field("ETag", entity_tag::text{facts.file.tag}.view());
    to.field("Accept-Ranges", "bytes");
    if (options.nosniff) to.field("X-Content-Type-Options", "nosniff");
}

void write_content(head_writer& to,
                   const file_answer& answer,
                   const file_facts& facts,
                   const answer_options& options,
                   sys_seconds now) {
    if (answer.multipart()) {
        to.begin("Content-Type")
            .text("multipart/byteranges; boundary=")
            .text(answer.boundary.view())
            .end();
    } else if (facts.prepared.empty() && !facts.content_type.empty()) {
        to.field("Content-Type", facts.content_type);
    }
    to.field("Content-Length", answer.content_length);
    if (answer.code == status::partial_content && !answer.multipart()) {
        const byte_range& part = answer.parts.front();
        to.begin("Content-Range").verbatim("bytes ").number(part.first).verbatim("-");
        to.number(part.first + part.length - 1).verbatim("/").number(facts.size).end();
    }
    if (facts.prepared.empty() || answer.multipart()) {
        write_file(to, facts, options, now);
    } else {
        to.lines(facts.prepared);
    }
}

/// Decides which bytes follow, and with that the status.
void choose(file_answer& answer,
            const request_head& head,
            const file_facts& facts,
            const answer_options& options,
            sys_seconds now) {
    if (head.method != request_method::get && head.method != request_method::head) {
        answer.code = head.method == request_method::unknown ? status::not_implemented
                                                             : status::method_not_allowed;
        return;
    }
    switch (evaluate(head, facts.file, now)) {
        case precondition::failed:
            answer.code = status::precondition_failed;
            return;
        case precondition::not_modified:
            answer.code = status::not_modified;
            return;
        case precondition::holds:
            break;
    }
    byte_ranges asked = asked_of(head, facts, options, now);
    switch (asked.verdict) {
        case byte_ranges::kind::unsatisfiable:
            answer.code = status::range_not_satisfiable;
            return;
        case byte_ranges::kind::whole:
            answer.content_length = facts.size;
            if (head.method == request_method::get && facts.size != 0)
                answer.parts.push_back({0, facts.size});
            return;
        case byte_ranges::kind::some:
            break;
    }
    answer.code = status::partial_content;
    answer.parts = std::move(asked.parts);
    if (answer.multipart()) answer.boundary = part_boundary::make();
    answer.content_length =
        answer.multipart() ? parts_of(answer).content_length() : answer.parts.front().length;
}

}  // namespace

std::string prepare_fields(const file_facts& facts,
                           const answer_options& options,
                           sys_seconds now) {
    if (facts.file.modified > now) return {};
    std::array<char, 512> buffer;
    head_writer to{buffer};
    if (!facts.content_type.empty()) to.field("Content-Type", facts.content_type);
    write_file(to, facts, options, now);
    return std::string{to.written()};
}

file_answer answer_file(const request_head& head,
                        const file_facts& facts,
                        const answer_options& options,
                        sys_seconds now,
                        std::span<char> buffer) {
    file_answer answer;
    answer.file_size = facts.size;
    answer.content_type = facts.content_type;
    choose(answer, head, facts, options, now);
    if (code_of(answer.code) >= 400) {
        refuse_file(answer, head, facts, options, now, buffer);
        return answer;
    }
    answer.keep_alive = options.keep_alive && head.keep_alive && head.content == content_kind::none;
    head_writer to{buffer};
    to.begin_answer(answer.code, now);
    to.connection(head, answer.keep_alive);
    if (answer.code == status::not_modified) {
        write_not_modified(to, facts);
    } else {
        write_content(to, answer, facts, options, now);
    }
    if (!facts.cache_status.empty()) to.field("Cache-Status", facts.cache_status);
    to.lines(options.extra_fields);
    answer.head = to.finish();
    if (answer.multipart() && !to.overflowed()) {
        const std::string_view first = parts_of(answer).head(0, to.rest());
        answer.head = first.empty()
                          ? std::string_view{}
                          : std::string_view{answer.head.data(), answer.head.size() + first.size()};
    }
    return answer;
}

std::string_view file_answer::part_head(std::size_t part, std::span<char> buffer) const {
    return parts_of(*this).head(part, buffer);
}

std::string_view file_answer::end(std::span<char> buffer) const {
    return parts_of(*this).end(buffer);
}

}  // namespace leat::http
