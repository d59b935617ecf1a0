// The pages: what they hold, and that they ask nothing of anybody.
#include "common/page.hpp"

#include "common/svg_element.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

BOOST_AUTO_TEST_SUITE(page_test)

using namespace leat::perf;

namespace {

run_record some_run() {
    run_record run;
    run.version = "0.1.0";
    run.machine = {{"cpu", "<script>x</script>"}, {"buffers", "4 KiB pages, plain"}};
    run.options = {{"rounds", "5"}};
    run.figures = {{"hit.hot.ns", 25}, {"hit.uniform.ns", 100}, {"other.ns", 3}};
    run.spreads = {{"hit.hot.ns", 0.02}};
    run.rounds = {{"hit.hot.ns", 5}};
    run.faults = {{"scan/fio", "the rounds of fio.gbps lie 40 % apart: repeat `leat-bench scan`"}};
    run.notes = {"fio is not installed"};
    return run;
}

bool holds(const std::string& page, const std::string& text) {
    return page.find(text) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_run_has_its_verdict_goals_and_meanings) {
    const std::string page = page_of(some_run());
    BOOST_TEST(holds(page, "hands over a random page in memory in 100 ns"));
    BOOST_TEST(holds(page, "2.5 times the limit"));
    BOOST_TEST(holds(page, "the least that a request can cost"));
    BOOST_TEST(holds(page, "figures that this version does not know"));
    BOOST_TEST(holds(page, "The rounds of fio.gbps lie 40 % apart"));
    BOOST_TEST(holds(page, "<code>leat-bench scan</code>"));
    BOOST_TEST(holds(page, "ulimit -l"));
    BOOST_TEST(holds(page, "fio is not installed."));
    BOOST_TEST(holds(page, "&lt;script&gt;"));
    for (const char* const id : {"goals", "next", "plots", "figures", "void", "circumstances"})
        BOOST_TEST(holds(page, std::string{"<li><a href=\"#"} + id), id);
}

BOOST_AUTO_TEST_CASE(a_page_asks_nothing_of_any_host) {
    const std::string page = page_of(some_run());
    for (const char* const asks : {"http:", "https:", "<script", "src=", "url(", "@import", "//"})
        BOOST_TEST(!holds(page, asks), asks);
    BOOST_TEST(holds(page, "default-src 'none'"));
}

BOOST_AUTO_TEST_CASE(tables_and_plots_are_told_to_those_who_do_not_see_them) {
    const std::string page = page_of(some_run());
    BOOST_TEST(holds(page, "<html lang=\"en\">"));
    for (std::size_t at = 0; (at = page.find("<th", at)) != std::string::npos; ++at) {
        const std::string cell = page.substr(at, page.find('>', at) - at);
        BOOST_TEST((holds(cell, "scope=") || cell == "<thead"), cell);
    }
    // Whether gnuplot is here or not.
    BOOST_TEST(holds(page, "<svg") == holds(page, "role=\"img\" aria-label=\"In memory"));
    BOOST_TEST(holds(page, "<svg") != holds(page, "gnuplot could not be run here"));
}

BOOST_AUTO_TEST_CASE(two_runs_show_what_has_changed_and_nothing_else) {
    run_record newer = some_run();
    run_record older = newer;
    newer.figures[0].second = 20;
    newer.spreads["hit.uniform.ns"] = older.spreads["hit.uniform.ns"] = 0.02;
    const std::string page = page_of(newer, older);
    BOOST_TEST(holds(page, "<code>hit.<wbr>hot.<wbr>ns</code>"));
    BOOST_TEST(holds(page, "-20.0 %"));
    BOOST_TEST(!holds(page, "uniform"));
    BOOST_TEST(!holds(page, "<svg"));
    BOOST_TEST(!holds(page, "What else differs"));
    older.machine[0].second = "another";
    BOOST_TEST(holds(page_of(newer, older), "What else differs"));
}

BOOST_AUTO_TEST_CASE(a_drawing_takes_the_pages_colours) {
    const std::string drawn = svg_element(
        "<svg xmlns=\"x\" xmlns:xlink=\"y\"><title>t</title><desc>d</desc>"
        "<g color=\"black\" fill=\"black\" stroke='gray'><use xlink:href='#gpPt4' "
        "color='rgb(  0,   1,   3)'/></g></svg>",
        "p1");
    BOOST_TEST(drawn ==
               "<svg  ><g fill=\"currentColor\" stroke=\"var(--line)\"><use href='#p1-mark4' "
               "color='var(--plot-3)'/></g></svg>");
}

BOOST_AUTO_TEST_SUITE_END()
