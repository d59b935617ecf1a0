// Answers requests.
#include "connection.hpp"
#include "http/http_date.hpp"
#include "http/short_answer.hpp"
#include "shard_server.hpp"

#include <leat/asio.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>
#include <vector>

namespace leat::serve {

namespace asio = boost::asio;

namespace {

/// Larger answers are sent piece by piece.
constexpr std::uint64_t most_at_once = 64 * KiB;

/// What a file that could not be read is answered with, before anything has gone out.
http::status status_of_read(const boost::system::error_code& failure) {
    const bool may_pass = failure == errc::all_pinned || failure == errc::no_buffer ||
                          failure == errc::file_changed || failure == errc::stopped ||
                          failure == system_error_code(ENOMEM);
    return may_pass ? http::status::service_unavailable : http::status::internal_server_error;
}

}  // namespace

bool connection::keeps(bool asked) const noexcept {
    return asked && !server_.draining() && requests_ < server_.shared().options.max_requests;
}

void connection::over(http::status status) {
    const http::request_head& head = parser_.head();
    request_record record{.began = began_,
                          .took = this_shard().now() - heard_,
                          .peer = peer_,
                          .status = http::code_of(status),
                          .bytes = std::max(sent_, gone_out_),
                          .minor_version = head.minor_version,
                          .method = head.method_text,
                          .target = head.target,
                          .user = {},
                          .range = head.range,
                          .referer = head.referer,
                          .user_agent = head.user_agent};
    if (server_.passwords() != nullptr && server_.shared().log)
        record.user = user_of(head.authorization, server_.scratch());
    server_.record(record);
}

void connection::begin_answer() {
    ++requests_;
    sent_ = 0;
    gone_out_ = 0;
    length_ = 0;
    begun_ = false;
    unacknowledged_ = 0;
    // A request that waited for others of its turn is as late as its client sees it.
    heard_ = this_shard().turn_time();
    if (server_.shared().log) began_ = std::chrono::system_clock::now();
}

std::optional<bool> connection::answer_at_once() {
    const site& shared = server_.shared();
    const http::request_head& asked = parser_.head();
    const bool reads =
        asked.method == http::request_method::get || asked.method == http::request_method::head;
    if (!reads || tls_ || shared.options.rate != 0 || server_.passwords() != nullptr)
        return std::nullopt;
    const auto target = http::read_target(asked.target, server_.scratch(), shared.options.dotfiles);
    if (target.refusal != http::status::ok || target.folder) return std::nullopt;
    const served_ref file = server_.files().fresh(target.path);
    if (!file || file->is != served_file::kind::file) return std::nullopt;

    std::array<char, answer_head_bytes> memory;
    const http::file_answer answer = compose(*file, memory);
    if (answer.head.empty() || answer.multipart()) return std::nullopt;
    const std::uint64_t length = answer.parts.empty() ? 0 : answer.parts[0].length;
    slice piece;
    if (length > most_at_once) return std::nullopt;
    if (length != 0) {
        piece = server_.manager().peek(
            {file->file, answer.parts[0].first, static_cast<std::uint32_t>(length)});
        if (!piece) return std::nullopt;
    }
    const std::array<asio::const_buffer, 2> buffers{
        asio::const_buffer{answer.head.data(), answer.head.size()}, piece.buffer()};
    const auto sent = socket_.try_send(buffers);
    if (sent && *sent == 0) return std::nullopt;  // there is no room
    ++file->requests;
    const bool whole = sent && *sent == asio::buffer_size(buffers);
    if (sent && !whole) {
        const std::size_t of_head = std::min(*sent, answer.head.size());
        const std::uint64_t of_file = *sent - of_head;
        rest_.emplace(unsent{file, std::string{answer.head.substr(of_head)},
                             answer.parts[0].first + of_file, length - of_file, answer.code,
                             answer.keep_alive});
        sent_ = gone_out_ = of_file;
        length_ = answer.content_length;
        return std::nullopt;
    }
    sent_ = whole ? length : 0;
    broken_ = !whole;
    if (!whole) ++server_.counters().cut_off;
    if (answer.code == http::status::partial_content) ++server_.counters().ranges;
    over(answer.code);
    return whole && answer.keep_alive;
}

task<bool> connection::send_rest() {
    const unsent rest = *std::exchange(rest_, std::nullopt);
    answering_ = true;
    try {
        co_await send({rest.head, &rest.file->file, rest.first, rest.length});
        sent_ += rest.length;
    } catch (const boost::system::system_error&) {
        broken_ = true;
    }
    if (broken_) ++server_.counters().cut_off;
    answering_ = false;
    over(rest.code);
    co_return !broken_ && rest.keep_alive;
}

task<bool> connection::answer() {
    answering_ = true;
    const http::request_head& head = parser_.head();
    const server_options& options = server_.shared().options;
    bool goes_on = false;
    http::status refusal = http::status::ok;
    if (head.method == http::request_method::unknown) refusal = http::status::not_implemented;
    if (head.method == http::request_method::other || head.method == http::request_method::post)
        refusal = http::status::method_not_allowed;
    if (refusal == http::status::ok && server_.passwords() != nullptr)
        refusal = co_await check_password(head.authorization);
    http::target_path asked;
    if (refusal == http::status::ok) {
        asked = http::read_target(head.target, server_.scratch(), options.dotfiles);
        refusal = asked.refusal;
    }
    if (refusal != http::status::ok) {
        goes_on = co_await refuse(refusal);
    } else {
        served_ref file;
        if (!asked.folder) file = server_.files().fresh(asked.path);
        if (file && file->is == served_file::kind::file) {
            goes_on = co_await answer_file(std::move(file), false);
        } else {
            const std::string path{asked.path};
            const resolved found = co_await resolve(asked);
            if (found.file) {
                goes_on = co_await answer_file(found.file, false);
            } else if (found.listing) {
                goes_on = co_await answer_folder(path);
            } else if (found.status == http::status::moved_permanently) {
                asked.path = path;
                std::vector<char> memory(3 * path.size() + asked.query.size() + 2);
                const std::string_view location = http::folder_location(asked, memory);
                goes_on = co_await refuse(found.status, location);
            } else {
                goes_on = co_await refuse(found.status);
            }
        }
    }
    answering_ = false;
    co_return goes_on;
}

task<http::status> connection::check_password(std::string_view authorization) {
    authenticator& passwords = *server_.passwords();
    if (authorization.empty()) co_return http::status::unauthorized;
    bool accepted = false;
    const auto known = passwords.remembered(authorization);
    if (known == authenticator::outcome::unknown) {
        boost::system::error_code failure;
        try {
            std::string kept{authorization};
            accepted = co_await passwords.accepts(std::move(kept));
        } catch (const boost::system::system_error& failed) {
            failure = failed.code();
        }
        if (failure) co_return http::status::service_unavailable;
    } else {
        accepted = known == authenticator::outcome::accepted;
    }
    co_return accepted ? http::status::ok : http::status::unauthorized;
}

task<connection::resolved> connection::resolve(const http::target_path& asked) {
    open_files& files = server_.files();
    const std::string path{asked.path};
    const bool folder = asked.folder;
    if (folder) {
        std::string index = path.empty() ? std::string{} : path + '/';
        index += server_.shared().options.index;
        const served_ref found = co_await files.find(std::move(index));
        if (found->is == served_file::kind::file) co_return resolved{found};
        if (found->is == served_file::kind::refused && found->refusal != http::status::not_found)
            co_return resolved{{}, found->refusal};
    }
    served_ref found;
    if (!path.empty()) found = co_await files.find(path);
    const auto is = found ? found->is : served_file::kind::folder;
    if (is == served_file::kind::refused) co_return resolved{{}, found->refusal};
    if (is == served_file::kind::file) {
        if (folder) co_return resolved{{}, http::status::not_found};
        co_return resolved{found};
    }
    if (!folder) co_return resolved{{}, http::status::moved_permanently};
    if (!server_.shared().options.list) co_return resolved{{}, http::status::forbidden};
    resolved result;
    result.listing = true;
    co_return result;
}

std::string_view connection::cache_status(const leat::file& file,
                                          const http::request_head& head) const {
    if (!server_.shared().options.cache_status || file.size() == 0) return {};
    const auto asked = http::parse_byte_ranges(head.range, file.size());
    const std::uint64_t first = asked.parts.empty() ? 0 : asked.parts.front().first;
    const slice present = server_.manager().peek({file, first, 1});
    return present ? "leat; hit" : "leat; fwd=miss";
}

http::file_answer connection::compose(const served_file& file, std::span<char> memory) const {
    const site& shared = server_.shared();
    const http::file_facts facts{.size = file.file.size(),
                                 .file = file.validators,
                                 .content_type = file.content_type,
                                 .cache_status = cache_status(file.file, parser_.head()),
                                 .prepared = file.prepared};
    const http::answer_options options{.extra_fields = shared.fields.text(),
                                       .most_ranges = shared.options.max_ranges,
                                       .keep_alive = keeps(true)};
    return http::answer_file(parser_.head(), facts, options, http::present(), memory);
}

task<bool> connection::answer_file(served_ref file, bool again) {
    if (!again) ++file->requests;
    std::array<char, answer_head_bytes> memory;
    http::file_answer answer = compose(*file, memory);
    std::vector<char> larger;  // for many fields of the administrator's
    std::span<char> used = memory;
    if (answer.head.empty()) {
        larger.resize(answer_head_bytes + server_.shared().fields.text().size() +
                      2 * file->content_type.size());
        used = larger;
        answer = compose(*file, used);
    }
    boost::system::error_code failure;
    bool goes_on = false;
    try {
        goes_on = co_await send_parts(answer, file->file, used);
    } catch (const boost::system::system_error& failed) {
        failure = failed.code();
    }
    if (!failure) {
        if (answer.code == http::status::partial_content) ++server_.counters().ranges;
        over(answer.code);
        co_return goes_on;
    }
    if (failure == errc::file_changed) server_.files().forget(*file);
    if (begun_ || !socket_.is_open()) {
        broken_ = true;
        ++server_.counters().cut_off;
        over(answer.code);
        co_return false;
    }
    if (failure == errc::file_changed && !again) {
        std::string path{file->file.name()};
        const served_ref present = co_await server_.files().find(std::move(path));
        if (present->is == served_file::kind::file) {
            goes_on = co_await answer_file(present, true);
            co_return goes_on;
        }
        goes_on = co_await refuse(present->refusal);
        co_return goes_on;
    }
    lingers_ = true;
    goes_on = co_await refuse(status_of_read(failure));
    co_return goes_on;
}

task<bool> connection::send_parts(const http::file_answer& answer,
                                  const leat::file& file,
                                  std::span<char> memory) {
    if (answer.parts.empty()) {
        co_await send({answer.head});
        co_return answer.keep_alive;
    }
    length_ = answer.content_length;
    co_await send({answer.head, &file, answer.parts[0].first, answer.parts[0].length});
    begun_ = true;
    sent_ += answer.parts[0].length;
    for (std::size_t at = 1; at < answer.parts.size(); ++at) {
        const std::string_view head = answer.part_head(at, memory);
        co_await send({head, &file, answer.parts[at].first, answer.parts[at].length});
        sent_ += answer.parts[at].length;
    }
    if (answer.multipart()) co_await send({answer.end(memory)});
    co_return answer.keep_alive;
}

task<bool> connection::answer_folder(std::string path) {
    const bool wanted = parser_.head().method == http::request_method::get;
    folder_pages::found found;
    try {
        found = co_await server_.page_of(std::move(path), wanted);
    } catch (const boost::system::system_error&) {
        found.status = http::status::service_unavailable;
    }
    if (found.status != http::status::ok) co_return co_await refuse(found.status);
    http::request_head head = parser_.head();
    head.keep_alive = keeps(head.keep_alive);
    std::vector<char> memory(http::least_buffer + server_.shared().fields.text().size());
    std::optional<std::uint64_t> length;
    if (found.page) length = found.page->html.size();
    const http::short_answer answer = http::answer_made(
        "text/html; charset=utf-8", length, head, {.extra_fields = server_.shared().fields.text()},
        http::present(), memory);
    co_await send({answer.bytes});
    if (wanted) {
        length_ = *length;
        broken_ = true;  // if it does not come to its end
        try {
            co_await send({found.page->html});
            sent_ = *length;
            broken_ = false;
        } catch (const boost::system::system_error&) {
            ++server_.counters().cut_off;
        }
    }
    over(http::status::ok);
    co_return answer.keep_alive && !broken_;
}

task<bool> connection::refuse(http::status status, std::string_view location) {
    http::request_head head = parser_.head();
    head.keep_alive = keeps(head.keep_alive);
    const bool redirects = status == http::status::moved_permanently;
    const http::refusal_facts facts{
        .location = location,
        .realm = server_.shared().options.realm,
        .file_size = {},
        .extra_fields = redirects ? server_.shared().fields.text() : std::string_view{},
        // What is malformed may have been meant to be something else for another server.
        .close = lingers_ || status == http::status::bad_request};
    std::vector<char> memory(http::least_buffer + location.size() + facts.extra_fields.size() +
                             facts.realm.size());
    const http::short_answer answer = http::refuse(status, head, facts, http::present(), memory);
    co_await send({answer.bytes});
    over(status);
    if (!answer.keep_alive) lingers_ = true;
    co_return answer.keep_alive;
}

}  // namespace leat::serve
