// Answers each path.
#include "admin_pages.hpp"

#include "common/page_style.hpp"
#include "metric_families.hpp"
#include "stats_json.hpp"
#include "status_icon_text.hpp"
#include "status_page_text.hpp"
#include "status_script_text.hpp"
#include "status_style_text.hpp"

#include <leat/engine/offload.hpp>

#include <boost/json/serialize.hpp>

#include <fcntl.h>
#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace leat::serve {

namespace {

using namespace std::chrono_literals;

constexpr time_span patience = 5s;
constexpr std::uint64_t most_listed = 1000;
constexpr std::uint64_t listed = 50;

admin_answer json(boost::json::value content, http::status code = http::status::ok) {
    return {code, "application/json", boost::json::serialize(content) + '\n'};
}

admin_answer sentence(http::status code, std::string text) {
    return {.code = code, .content = std::move(text) + '\n'};
}

admin_answer text(std::string_view type, std::string_view content) {
    return {http::status::ok, type, std::string{content}};
}

admin_answer no_path() {
    return sentence(http::status::bad_request,
                    "expected ?path=PATH, the path of a file as requests name it, percent-encoded");
}

admin_answer failed(const boost::system::error_code& why) {
    http::status code = http::status::service_unavailable;
    const bool absent = why == errc::not_regular || why == system_error_code(EISDIR) ||
                        why == system_error_code(ENOENT) || why == system_error_code(ENOTDIR) ||
                        why == system_error_code(ELOOP) || why == system_error_code(EXDEV) ||
                        why == system_error_code(ENAMETOOLONG);
    if (absent) code = http::status::not_found;
    if (why == system_error_code(EACCES)) code = http::status::forbidden;
    return sentence(code, why.message());
}

/// The outcome of a task on a shard, or what it failed with.
template <class Value>
boost::system::result<Value> ask(engine& cores, task<Value> job) try {
    return cores.spawn_on(0, std::move(job)).get(patience);
} catch (const boost::system::system_error& failure) {
    return {boost::system::in_place_error, failure.code()};
}

task<std::uint64_t> evict_path(chunk_manager& manager, std::string path) {
    file from = co_await manager.open(std::move(path));
    const std::uint64_t bytes = co_await manager.evict(std::move(from));
    co_return bytes;
}

task<bool> opens(offload_pool& helpers, const std::string& folder) {
    auto open_folder = [&folder] {
        const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (opened >= 0) ::close(opened);
        return opened >= 0;
    };
    const bool readable = co_await offload(helpers, open_folder);
    co_return readable;
}

}  // namespace

admin_pages::admin_pages(const running_server& of, std::function<void()> drain)
    : of_(of), drain_(std::move(drain)), warming_(of) {}

std::span<const admin_pages::route> admin_pages::routes() noexcept {
    static constexpr route all[] = {
        {"/", &admin_pages::page, false},
        {"/status.css", &admin_pages::style, false},
        {"/status.js", &admin_pages::script, false},
        {"/icon.svg", &admin_pages::icon, false},
        {"/metrics", &admin_pages::metrics, false},
        {"/stats.json", &admin_pages::stats, false},
        {"/chunks", &admin_pages::chunks, false},
        {"/inflight", &admin_pages::in_flight, false},
        {"/healthz", &admin_pages::health, false},
        {"/readyz", &admin_pages::readiness, false},
        {"/warm", &admin_pages::warm, true},
        {"/evict", &admin_pages::evict, true},
        {"/drain", &admin_pages::begin_drain, true},
    };
    return all;
}

admin_answer admin_pages::answer(const http::request_head& head) {
    const std::string_view path = head.target.substr(0, head.target.find('?'));
    for (const route& one : routes()) {
        if (one.path != path) continue;
        const bool posted = head.method == http::request_method::post;
        const bool got =
            head.method == http::request_method::get || head.method == http::request_method::head;
        if (one.changes ? !posted : !got) {
            admin_answer refused =
                sentence(http::status::method_not_allowed, "405 Method Not Allowed");
            refused.allow = one.changes ? "POST" : "GET, HEAD";
            return refused;
        }
        return (this->*one.answer)(admin_query{head.target.substr(path.size())});
    }
    return sentence(http::status::not_found, "404 Not Found");
}

admin_answer admin_pages::page(const admin_query&) {
    return text("text/html; charset=utf-8", status_page_text);
}

admin_answer admin_pages::style(const admin_query&) {
    admin_answer all = text("text/css; charset=utf-8", apps::page_style());
    all.content += status_style_text;
    return all;
}

admin_answer admin_pages::script(const admin_query&) {
    return text("text/javascript; charset=utf-8", status_script_text);
}

admin_answer admin_pages::icon(const admin_query&) {
    return text("image/svg+xml", status_icon_text);
}

admin_answer admin_pages::metrics(const admin_query&) {
    const snapshot_collectable source{[this] { return take_snapshot(of_, start_, cache_, 0); }};
    return text("text/plain; version=0.0.4; charset=utf-8",
                prometheus::TextSerializer{}.Serialize(source.Collect()));
}

admin_answer admin_pages::stats(const admin_query&) {
    constexpr std::size_t most = 20;
    return json(stats_json(take_snapshot(of_, start_, cache_, most)));
}

admin_answer admin_pages::chunks(const admin_query& query) {
    const auto top = query.number("top", listed, most_listed);
    if (!top) return sentence(http::status::bad_request, "top is to be a number up to 1000");
    const auto found = ask(of_.cores, of_.shared.manager->hottest(*top));
    return found ? json(to_json(*found)) : failed(found.error());
}

admin_answer admin_pages::in_flight(const admin_query& query) {
    const auto top = query.number("top", listed, most_listed);
    if (!top) return sentence(http::status::bad_request, "top is to be a number up to 1000");
    return json(
        in_flight_json(take_snapshot(of_, start_, cache_, *top), of_.cores.waiting(*top), *top));
}

admin_answer admin_pages::health(const admin_query&) {
    return sentence(http::status::ok, "ok");
}

bool admin_pages::root_is_readable() {
    const auto found = ask(of_.cores, opens(of_.shared.helpers, of_.shared.options.root));
    return found && *found;
}

admin_answer admin_pages::readiness(const admin_query&) {
    if (of_.shared.draining || drain_asked_)
        return sentence(http::status::service_unavailable, "draining");
    if (!root_is_readable())
        return sentence(http::status::service_unavailable, "the root cannot be read");
    return sentence(http::status::ok, "ready");
}

admin_answer admin_pages::warm(const admin_query& query) {
    constexpr std::uint64_t any = std::numeric_limits<std::int64_t>::max();
    const auto asked = query.text("path");
    const auto offset = query.number("offset", 0, any);
    const auto length = query.number("length", any, any);
    if (!asked) return no_path();
    if (!offset || !length)
        return sentence(http::status::bad_request, "offset and length are to be numbers of bytes");
    auto path = served_path(*asked, of_.shared.options.dotfiles);
    if (!path) return sentence(http::status::not_found, "no such file");
    const warming::outcome end = warming_.start(std::move(*path), *offset, *length, patience);
    if (end.refused)
        return sentence(http::status::service_unavailable, "enough files are being read already");
    if (end.failure) return failed(end.failure);
    if (!end.done) return json(boost::json::object{{"done", false}}, http::status::accepted);
    return json(boost::json::object{{"done", true}, {"bytes", end.bytes}});
}

admin_answer admin_pages::evict(const admin_query& query) {
    const auto asked = query.text("path");
    if (!asked) return no_path();
    auto path = served_path(*asked, of_.shared.options.dotfiles);
    if (!path) return sentence(http::status::not_found, "no such file");
    const auto left = ask(of_.cores, evict_path(*of_.shared.manager, std::move(*path)));
    if (!left) return failed(left.error());
    return json(boost::json::object{{"bytes", *left}});
}

admin_answer admin_pages::begin_drain(const admin_query&) {
    if (!of_.shared.draining && !drain_asked_.exchange(true)) drain_();
    return json(boost::json::object{{"draining", true}}, http::status::accepted);
}

}  // namespace leat::serve
