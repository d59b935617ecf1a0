// Reads the JSON of a run.
#include "common/run_record.hpp"

#include <boost/json.hpp>

#include <stdexcept>

namespace leat::perf {

namespace {

using boost::json::object;
using boost::json::value;

std::string text_of(const value& of) {
    return of.is_string() ? std::string{of.as_string()} : boost::json::serialize(of);
}

run_record::values values_of(const value& of) {
    run_record::values all;
    for (const auto& [name, one] : of.as_object())
        all.emplace_back(std::string{name}, one.to_number<double>());
    return all;
}

run_record::texts texts_of(const value& of) {
    run_record::texts all;
    for (const auto& [name, one] : of.as_object()) {
        if (name != "void") all.emplace_back(std::string{name}, text_of(one));
    }
    return all;
}

run_record::points points_of(const value& of) {
    run_record::points all;
    for (const value& one : of.as_array())
        all.emplace_back(one.at(0).to_number<double>(), one.at(1).to_number<double>());
    return all;
}

run_record::points percentiles_of(const value& of) {
    run_record::points all;
    for (const auto& [percent, ns] : of.at("percentile").as_object())
        all.emplace_back(std::stod(std::string{percent}), ns.to_number<double>());
    return all;
}

// What older versions have not written is empty.
void read_faults(const object& root, run_record& into) {
    for (const value& name : root.at("machine").at("void").as_array()) {
        into.faults[std::string{name.as_string()}] =
            "the machine was busy, or the rounds lie far apart: repeat it when nothing else runs";
    }
    if (const value* const found = root.if_contains("void")) {
        for (const auto& [name, why] : texts_of(*found)) into.faults[name] = why;
    }
    if (const value* const found = root.if_contains("rounds")) {
        for (const auto& [name, count] : found->as_object())
            into.rounds[std::string{name}] = count.to_number<unsigned>();
    }
    if (const value* const found = root.if_contains("notes")) {
        for (const value& one : found->as_array()) into.notes.push_back(text_of(one));
    }
}

}  // namespace

std::optional<double> run_record::find(std::string_view name) const {
    for (const values* const part : {&figures, &ratios}) {
        for (const auto& [known, value] : *part) {
            if (known == name) return value;
        }
    }
    return std::nullopt;
}

std::string_view run_record::fault_of(std::string_view name) const {
    const auto found = faults.find(name);
    return found != faults.end() ? std::string_view{found->second} : std::string_view{};
}

std::string_view run_record::property(std::string_view name) const {
    for (const auto& [known, text] : machine) {
        if (known == name) return text;
    }
    return {};
}

run_record parse_run(const std::string& json) {
    const value all = boost::json::parse(json);
    const object& root = all.as_object();
    if (root.at("schema").to_number<int>() != 1)
        throw std::runtime_error("a schema that this leat-bench does not know");
    run_record run;
    run.version = root.at("leat").as_string();
    run.machine = texts_of(root.at("machine"));
    run.options = texts_of(root.at("options"));
    run.figures = values_of(root.at("figures"));
    run.ratios = values_of(root.at("ratios"));
    for (const auto& [name, spread] : values_of(root.at("spread"))) run.spreads[name] = spread;
    for (const auto& [name, points] : root.at("series").as_object())
        run.series[std::string{name}] = points_of(points);
    for (const auto& [name, latencies] : root.at("histograms").as_object())
        run.histograms[std::string{name}] = percentiles_of(latencies);
    read_faults(root, run);
    return run;
}

}  // namespace leat::perf
