// Writes a record as a line: combined, as most programs read it, or JSON.
#include "access_log.hpp"
#include "common/utf8.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <spdlog/fmt/fmt.h>

#include <array>
#include <ctime>

namespace leat::serve {

namespace {

std::string time_text(std::chrono::system_clock::time_point at, const char* format) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    std::array<char, 64> text{};
    return {text.data(), std::strftime(text.data(), text.size(), format, &parts)};
}

/// Quotes, backslashes and what is no letter as \xNN, so that no request can end its field.
void append_escaped(std::string& line, std::string_view text) {
    if (text.empty()) line += '-';
    for (const char one : text) {
        const auto byte = static_cast<unsigned char>(one);
        if (byte < 0x20 || byte >= 0x7f || one == '"' || one == '\\') {
            fmt::format_to(std::back_inserter(line), "\\x{:02X}", byte);
        } else {
            line += one;
        }
    }
}

std::string combined(const request_record& of) {
    std::string line = of.peer.text() + " - ";
    append_escaped(line, of.user);
    line += ' ' + time_text(of.began, "[%d/%b/%Y:%H:%M:%S %z]") + " \"";
    if (!of.method.empty()) {
        append_escaped(line, of.method);
        line += ' ';
        append_escaped(line, of.target);
        line += of.minor_version == 0 ? " HTTP/1.0" : " HTTP/1.1";
    }
    fmt::format_to(std::back_inserter(line), "\" {} {} \"", of.status, of.bytes);
    append_escaped(line, of.referer);
    line += "\" \"";
    append_escaped(line, of.user_agent);
    return line += '"';
}

std::string json(const request_record& of) {
    boost::json::object line;
    line["time"] = time_text(of.began, "%Y-%m-%dT%H:%M:%S%z");
    line["peer"] = of.peer.text();
    if (!of.user.empty()) line["user"] = apps::utf8(of.user);
    line["method"] = apps::utf8(of.method);
    line["target"] = apps::utf8(of.target);
    line["protocol"] = of.minor_version == 0 ? "HTTP/1.0" : "HTTP/1.1";
    line["status"] = of.status;
    line["bytes"] = of.bytes;
    line["duration_us"] = of.took / std::chrono::microseconds{1};
    if (!of.range.empty()) line["range"] = apps::utf8(of.range);
    if (!of.referer.empty()) line["referer"] = apps::utf8(of.referer);
    if (!of.user_agent.empty()) line["user_agent"] = apps::utf8(of.user_agent);
    return boost::json::serialize(line);
}

}  // namespace

std::string log_line(const request_record& record, log_format format) {
    return format == log_format::json ? json(record) : combined(record);
}

}  // namespace leat::serve
