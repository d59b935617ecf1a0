// What a run prints and writes: widths, and why something is void.
#include "common/output.hpp"

#include "common/run_record.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <initializer_list>
#include <sstream>
#include <string>

BOOST_AUTO_TEST_SUITE(output_test)

using namespace leat::perf;

namespace {

void add_all(report& into, const char* figure, std::initializer_list<double> values) {
    for (const double value : values) into.add(figure, value);
}

/// fio's rounds lie far apart, and the machine was busy while a crowd was measured.
report some_report() {
    report found;
    add_all(found, "scan.gbps", {2, 2, 2});
    add_all(found, "fio.gbps", {1, 2, 3});
    add_all(found, "raw.gbps", {4, 4, 4});
    found.compare("scan/fio", "scan.gbps", "fio.gbps");
    found.compare("scan/raw", "scan.gbps", "raw.gbps");
    const auto mark = found.mark();
    add_all(found, "crowd.gbps", {1, 1, 1});
    add_all(found, "fanin.fills", {1, 1, 1});
    found.disturb_since(mark);
    found.note("a note");
    return found;
}

run_record written(const report& found) {
    return parse_run(boost::json::serialize(json_of(found, {}, {{"cpu", "a CPU"}})));
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_void_says_why_and_what_to_do) {
    const run_record run = written(some_report());
    BOOST_TEST(run.fault_of("scan/fio") ==
               "the rounds of fio.gbps lie 50 % apart: repeat `leat-bench scan --rounds 15` when "
               "nothing else uses the machine and its disk");
    BOOST_TEST(run.fault_of("crowd.gbps").find("repeat `leat-bench crowd --rounds 15`") !=
               std::string_view::npos);
    BOOST_TEST(run.fault_of("scan/raw") == "");
    BOOST_TEST(run.fault_of("fanin.fills") == "");  // counted
    BOOST_TEST(!run.find("scan/fio").has_value());
    BOOST_TEST(run.notes.at(0) == "a note");
}

BOOST_AUTO_TEST_CASE(a_ratio_has_the_spread_of_both_its_figures) {
    report found;
    add_all(found, "scan.gbps", {1.9, 2, 2.1});
    add_all(found, "raw.gbps", {3.8, 4, 4.2, 4});
    found.compare("scan/raw", "scan.gbps", "raw.gbps");
    const run_record run = written(found);
    BOOST_TEST(run.spreads.at("scan/raw") ==
               run.spreads.at("scan.gbps") + run.spreads.at("raw.gbps"));
    BOOST_TEST(run.rounds.at("scan/raw") == 3U);
}

BOOST_AUTO_TEST_CASE(a_table_fits_80_columns) {
    const std::string table = table_of(some_report());
    BOOST_TEST(table.find("`leat-bench scan crowd --rounds 15`") != std::string::npos, table);
    std::istringstream lines{table};
    bool explained = false;
    for (std::string line; std::getline(lines, line);) {
        BOOST_TEST(line.size() <= 80U, line);
        explained = explained || line.starts_with("scan/fio is void: the rounds of fio.gbps");
    }
    BOOST_TEST(explained);
}

BOOST_AUTO_TEST_SUITE_END()
