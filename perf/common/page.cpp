// Writes the HTML page.
#include "common/page.hpp"

#include "common/figure.hpp"
#include "common/goals.hpp"
#include "common/plots.hpp"

#include <boost/json.hpp>
#include <spdlog/fmt/fmt.h>

#include <stdexcept>

namespace leat::perf {

namespace {

constexpr const char* style = R"(
body { font: 15px/1.45 sans-serif; margin: 2em auto; max-width: 62em; padding: 0 1em; }
table { border-collapse: collapse; margin: 1em 0; }
td, th { padding: .15em .8em; text-align: left; }
tr:nth-child(even) { background: whitesmoke; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.missed { color: firebrick; font-weight: bold; }
.reached { color: seagreen; }
img { max-width: 100%; }
)";

std::string escaped(std::string_view text) {
    std::string result;
    for (const char one : text) {
        switch (one) {
            case '<':
                result += "&lt;";
                break;
            case '>':
                result += "&gt;";
                break;
            case '&':
                result += "&amp;";
                break;
            case '"':
                result += "&quot;";
                break;
            default:
                result += one;
        }
    }
    return result;
}

std::string base64(const std::string& text) {
    static constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string result;
    for (std::size_t at = 0; at < text.size(); at += 3) {
        unsigned bits = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            const bool there = at + i < text.size();
            bits = bits << 8 | (there ? static_cast<unsigned char>(text[at + i]) : 0U);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            const bool there = at + i < text.size() + 1;
            result += there ? digits[bits >> (18 - 6 * i) & 63] : '=';
        }
    }
    return result;
}

boost::json::object run_of(const std::string& json) {
    boost::json::value all = boost::json::parse(json);
    if (all.as_object().at("schema").to_number<int>() != 1)
        throw std::runtime_error("a schema that this leat-bench does not know");
    return std::move(all.as_object());
}

double number(const boost::json::object& in, std::string_view name) {
    const boost::json::value* const found = in.if_contains(name);
    return found != nullptr ? found->to_number<double>() : 0;
}

std::string change_cell(const boost::json::object* older, std::string_view name, double value) {
    if (older == nullptr) return {};
    const double before = number(*older, name);
    if (before == 0) return "<td class=n>-</td>";
    return fmt::format("<td class=n>{:+.1f} %</td>", 100 * (value / before - 1));
}

std::string goal_cell(std::string_view name, double value) {
    const goal* const limit = find_goal(name);
    if (limit == nullptr) return "<td></td>";
    return fmt::format("<td class={}>{}</td>", limit->reached(value) ? "reached" : "missed",
                       escaped(limit->verdict(value)));
}

std::string table(const boost::json::object& run,
                  const boost::json::object* older,
                  const char* part) {
    const boost::json::object& spreads = run.at("spread").as_object();
    const boost::json::object* const before =
        older != nullptr ? &older->at(part).as_object() : nullptr;
    std::string text = fmt::format(
        "<h2>{}</h2><table><tr><th>name<th class=n>median<th>unit"
        "<th class=n>spread{}<th>goal\n",
        part, older != nullptr ? "<th class=n>change" : "");
    for (const auto& [name, json] : run.at(part).as_object()) {
        const auto value = json.to_number<double>();
        const bool spread = spreads.contains(name);
        text +=
            fmt::format("<tr><td>{}</td><td class=n>{}</td><td>{}</td><td class=n>{}</td>{}{}\n",
                        escaped(name), format_value(value), unit_of(name),
                        spread ? fmt::format("{:.1f} %", 100 * number(spreads, name)) : "",
                        change_cell(before, name, value), goal_cell(name, value));
    }
    return text + "</table>\n";
}

std::string machine(const boost::json::object& run) {
    std::string text = "<table>\n";
    for (const auto& [name, value] : run.at("machine").as_object()) {
        std::string shown;
        if (value.is_array()) {  // what is void
            for (const boost::json::value& one : value.as_array()) {
                if (!shown.empty()) shown += ", ";
                shown += one.as_string();
            }
        } else {
            shown =
                value.is_string() ? std::string{value.as_string()} : boost::json::serialize(value);
        }
        text += fmt::format("<tr><td>{}</td><td>{}</td>\n", escaped(name), escaped(shown));
    }
    return text + "</table>\n";
}

}  // namespace

std::string page_of(const std::string& newer, const std::string& older) {
    const boost::json::object run = run_of(newer);
    const boost::json::object before = older.empty() ? boost::json::object{} : run_of(older);
    const boost::json::object* const compared = older.empty() ? nullptr : &before;
    // Whatever a file's name holds, the page may load nothing.
    std::string text = fmt::format(
        "<!DOCTYPE html>\n<html lang=en><meta charset=utf-8>"
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; "
        "style-src 'unsafe-inline'; img-src data:\">\n<title>leat-bench</title><style>{}</style>\n"
        "<h1>leat-bench, leat {}</h1>\n{}",
        style, escaped(run.at("leat").as_string()), machine(run));
    text += table(run, compared, "ratios") + table(run, compared, "figures");
    for (const plot& one : plots_of(run)) {
        text += fmt::format("<h2>{}</h2>\n", escaped(one.title));
        text += one.svg.empty()
                    ? "<p>gnuplot could not draw this: is it installed?</p>\n"
                    : fmt::format("<img alt=\"{}\" src=\"data:image/svg+xml;base64,{}\">\n",
                                  escaped(one.title), base64(one.svg));
    }
    return text + "</html>\n";
}

}  // namespace leat::perf
