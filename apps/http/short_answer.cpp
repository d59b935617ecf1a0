// Heads of answers that are complete in one piece.
#include "http/short_answer.hpp"

#include "http/head_writer.hpp"

namespace leat::http {

namespace {

void describe(head_writer& to, status code, const refusal_facts& facts) {
    if (!facts.location.empty()) to.field("Location", facts.location);
    if (code == status::method_not_allowed) to.field("Allow", facts.allow);
    if (code == status::unauthorized)
        to.begin("WWW-Authenticate")
            .text("Basic realm=\"")
            .text(facts.realm)
            .text("\", charset=\"UTF-8\"")
            .end();
    if (code == status::range_not_satisfiable && facts.file_size)
        to.begin("Content-Range").text("bytes */").number(*facts.file_size).end();
    if (code == status::service_unavailable) to.field("Retry-After", facts.retry_after_s);
}

bool goes_on(const request_head& head, const refusal_facts& facts) {
    return head.keep_alive && head.content == content_kind::none && !facts.close;
}

}  // namespace

short_answer refuse(status code,
                    const request_head& head,
                    const refusal_facts& facts,
                    sys_seconds now,
                    std::span<char> buffer) {
    const std::string_view words = reason_of(code);
    const bool keep_alive = goes_on(head, facts);
    head_writer to{buffer};
    to.begin_answer(code, now);
    to.connection(head, keep_alive);
    describe(to, code, facts);
    to.field("Content-Type", "text/plain; charset=utf-8");
    to.field("Content-Length", words.size() + 5);  // "404 ", and a line's end
    if (facts.nosniff) to.field("X-Content-Type-Options", "nosniff");
    to.lines(facts.extra_fields);
    if (to.finish().empty()) return {};
    if (head.method != request_method::head) {
        to.number(code_of(code));
        to.append(" ");
        to.append(words);
        to.append("\n");
    }
    return {to.written(), keep_alive && !to.overflowed()};
}

short_answer answer_made(std::string_view content_type,
                         std::optional<std::uint64_t> content_length,
                         const request_head& head,
                         const refusal_facts& facts,
                         sys_seconds now,
                         std::span<char> buffer) {
    const bool keep_alive = goes_on(head, facts);
    head_writer to{buffer};
    to.begin_answer(status::ok, now);
    to.connection(head, keep_alive);
    to.field("Content-Type", content_type);
    if (content_length) to.field("Content-Length", *content_length);
    to.field("Cache-Control", "no-store");
    if (facts.nosniff) to.field("X-Content-Type-Options", "nosniff");
    to.lines(facts.extra_fields);
    const std::string_view bytes = to.finish();
    return {bytes, keep_alive && !bytes.empty()};
}

}  // namespace leat::http
