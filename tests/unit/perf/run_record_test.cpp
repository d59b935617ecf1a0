// A run read again from its JSON.
#include "common/run_record.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

BOOST_AUTO_TEST_SUITE(run_record_test)

using namespace leat::perf;

namespace {
// As a version wrote it that did not tell why something is void.
const std::string old_run = R"({"schema": 1, "leat": "0.1.0",
 "machine": {"cpu": "a CPU", "void": ["b"]}, "options": {"rounds": 5, "pinned": true},
 "figures": {"a.ns": 2, "b": 3}, "spread": {"a.ns": 0.1, "b": 0}, "ratios": {"a/b": 0.5},
 "series": {"s": [[1, 2], [3, 4]]}, "histograms": {"h": {"percentile": {"50.000000": 7}}}})";
}  // namespace

BOOST_AUTO_TEST_CASE(all_parts_are_read) {
    const run_record run = parse_run(old_run);
    BOOST_TEST(run.version == "0.1.0");
    BOOST_TEST(run.property("cpu") == "a CPU");
    BOOST_TEST(run.property("void") == "");
    BOOST_TEST(run.options.at(0).second == "5");
    BOOST_TEST(run.find("a.ns").value() == 2);
    BOOST_TEST(run.find("a/b").value() == 0.5);
    BOOST_TEST(!run.find("c").has_value());
    BOOST_TEST(run.spreads.at("a.ns") == 0.1);
    BOOST_TEST(run.series.at("s").at(1).second == 4);
    BOOST_TEST(run.histograms.at("h").at(0).first == 50);
    BOOST_TEST(!run.fault_of("b").empty());
    BOOST_TEST(run.fault_of("a.ns") == "");
}

BOOST_AUTO_TEST_CASE(what_is_void_says_why) {
    std::string text = old_run;
    text.insert(text.size() - 1,
                R"(, "void": {"c/d": "it rained"}, "rounds": {"a.ns": 5}, "notes": ["a note"])");
    const run_record run = parse_run(text);
    BOOST_TEST(run.fault_of("c/d") == "it rained");
    BOOST_TEST(run.rounds.at("a.ns") == 5U);
    BOOST_TEST(run.notes.at(0) == "a note");
}

BOOST_AUTO_TEST_CASE(anything_else_is_refused) {
    BOOST_CHECK_THROW(static_cast<void>(parse_run("")), std::exception);
    BOOST_CHECK_THROW(static_cast<void>(parse_run("{\"schema\": 2}")), std::exception);
    BOOST_CHECK_THROW(static_cast<void>(parse_run("{\"schema\": 1}")), std::exception);
}

BOOST_AUTO_TEST_SUITE_END()
