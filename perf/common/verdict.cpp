// Makes the sentence of clauses, one for each thing that was measured.
#include "common/verdict.hpp"

#include "common/figure.hpp"
#include "common/goals.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <vector>

namespace leat::perf {

namespace {

/// Goals that are named; of the others there is but the number.
constexpr std::size_t most_named = 3;

/// "106.2 ns", "about 106.2 ns", or nothing.
std::string quantity(const run_record& run, std::string_view name) {
    const auto value = run.find(name);
    if (!value) return {};
    return fmt::format("{}{} {}", run.fault_of(name).empty() ? "" : "about ", format_short(*value),
                       unit_of(name));
}

/// The words around a value, if there is one.
std::string beside(std::string_view before, const std::string& value, std::string_view after) {
    return value.empty() ? value : fmt::format("{}{}{}", before, value, after);
}

std::vector<std::string> clauses_of(const run_record& run) {
    std::vector<std::string> all;
    if (const std::string hit = quantity(run, "hit.uniform.ns"); !hit.empty()) {
        const std::string pread = quantity(run, "pread.uniform.ns");
        all.push_back("hands over a random page in memory in " + hit +
                      beside(" where pread, which copies it, takes ", pread, ""));
    }
    if (const std::string miss = quantity(run, "miss.first_byte.p50_us"); !miss.empty()) {
        const std::string raw = quantity(run, "raw4k.p50_us");
        all.push_back("has one that is not in memory after " + miss +
                      beside(" (the bare device: ", raw, ")"));
    }
    if (const std::string scan = quantity(run, "scan.gbps"); !scan.empty()) {
        const std::string fio = quantity(run, "fio.gbps");
        const std::string raw = quantity(run, "raw.gbps");
        all.push_back(
            "streams a cold file at " + scan +
            (fio.empty() ? beside(" (the bare device: ", raw, ")") : beside(" (fio: ", fio, ")")));
    }
    return all;
}

std::string goals_clause(const run_record& run) {
    std::vector<judged_goal> missed;
    std::size_t met = 0;
    std::size_t unknown = 0;
    for (const judged_goal& one : judge(run)) {
        if (one.how == standing::missed) missed.push_back(one);
        met += one.how == standing::met ? 1 : 0;
        unknown += one.how == standing::void_result ? 1 : 0;
    }
    const std::size_t all = met + missed.size() + unknown;
    if (all == 0) return {};
    std::string text = fmt::format("meets {} of {} goal{}", met, all, all == 1 ? "" : "s");
    if (!missed.empty()) text += " and misses ";
    const std::size_t named = std::min(missed.size(), most_named);
    for (std::size_t i = 0; i < named; ++i) {
        text += fmt::format("{}{} ({}, {})", i == 0 ? "" : ", ", missed[i].limit->name,
                            format_short(missed[i].value), missed[i].limit->words());
    }
    if (missed.size() > named) text += fmt::format(" and {} more", missed.size() - named);
    if (unknown > 0)
        text += fmt::format("{} {} cannot be judged", missed.empty() ? ":" : ";", unknown);
    return text;
}

}  // namespace

std::string verdict_of(const run_record& run) {
    std::vector<std::string> clauses = clauses_of(run);
    if (std::string goals = goals_clause(run); !goals.empty()) clauses.push_back(std::move(goals));
    if (clauses.empty()) return "Nothing in this run tells how good leat is here: try `quick`.";
    std::string text = "On this machine leat ";
    for (std::size_t i = 0; i < clauses.size(); ++i) {
        const bool last = i + 1 == clauses.size();
        text += fmt::format("{}{}", i == 0 ? "" : last ? ", and " : ", ", clauses[i]);
    }
    return text + '.';
}

}  // namespace leat::perf
