#!/usr/bin/env python3
"""Shows that check.py finds what it is there to find, and nothing in code that keeps the rules."""

import unittest

import check

HEADER = "#pragma once\n"


def messages(path: str, text: str) -> list[str]:
    return [message for _, message in check.check_text(path, text)]


class Found(unittest.TestCase):
    def found(self, path: str, text: str, part: str) -> None:
        found = messages(path, text)
        self.assertTrue(any(part in message for message in found), (text, found))

    def test_lines(self):
        self.found("io/a.cpp", "x" * 101 + "\n", "101 columns")
        self.found("io/a.cpp", "\tint a;\n", "tab")
        self.found("io/a.cpp", "int a; \n", "white space")
        self.found("io/a.cpp", "int a;", "no newline")

    def test_unfinished(self):
        self.found("io/a.cpp", "// TODO: later\n", "unfinished")
        self.found("io/a.cpp", "// see issue 12\n", "number of an issue")
        self.found("tests/app/a.sh", "# as asked in #12\n", "number of an issue")

    def test_co_await_in_conditions(self):
        for code in (
            "if (co_await f()) {}\n",
            "while (n < 3 &&\n       co_await f(g(1))) {}\n",
            "switch (co_await f()) {}\n",
            "if (const auto n = co_await f(); n) {}\n",
        ):
            self.found("tests/unit/io/a_test.cpp", code, "condition")

    def test_conditionals_in_awaited_calls(self):
        for code in (
            'co_await f(a ? "b" : c);\n',
            'const auto n =\n    co_await m.open(name.empty() ? "b"\n                                : name);\n',
            'g(a ? "b" : c, co_await f());\n',
            "n = (co_await f()) + g(a ? b : c);\n",
            "co_await f(g(a ? b : c));\n",
            "co_await f({.path = a ? b : c});\n",
            "if (x) co_await f(a ? b : c);\n",
        ):
            self.found("apps/cat/a.cpp", code, "conditional operator")

    def test_co_await_bound(self):
        self.found("apps/cat/a.cpp", "const auto [a, b] = co_await f();\n", "structured binding")

    def test_other_words(self):
        self.found("engine/a.cpp", "here.set_guest(mine);\n", "the word is extension")

    def test_cases_outside_of_the_suite(self):
        case = "BOOST_AUTO_TEST_CASE(a) {}\n"
        begin, end = "// A.\nBOOST_AUTO_TEST_SUITE({})\n", "BOOST_AUTO_TEST_SUITE_END()\n"
        path = "tests/unit/io/a_test.cpp"
        self.found(path, "// A.\n" + case, "outside of the suite a_test")
        self.found(path, begin.format("a_test") + end + case, "outside of the suite a_test")
        self.found(path, begin.format("b_test") + case + end, "a suite that is not a_test")

    def test_include_direction(self):
        self.found("io/a.cpp", "#include <leat/engine/task.hpp>\n", "direction")
        self.found("engine/a.cpp", "#include <leat/cache/slice.hpp>\n", "direction")
        self.found("io/a.cpp", "#include <leat/leat.hpp>\n", "direction")
        self.found("cache/a.cpp", "#include <liburing.h>\n", "liburing")
        self.found("cache/a.cpp", "#include <boost/asio.hpp>\n", "Asio")
        self.found("cache/a.cpp", '#include "../io/ring.hpp"\n', "other folders")
        self.found("apps/cat/a.cpp", "#include <leat/engine/detail/work.hpp>\n", "leat's own")

    def test_purposes(self):
        self.found("io/a.cpp", "int a;\n", "first line")

    def test_headers(self):
        self.found("io/a.hpp", "int a;\n", "pragma once")
        self.found("io/a.cpp", "#include <expected>\n", "C++20")
        self.found("io/a.cpp", "using namespace std;\n", "using namespace")


class NotFound(unittest.TestCase):
    def clean(self, path: str, text: str) -> None:
        self.assertEqual(messages(path, "// What this is for.\n" + text), [])

    def test_comments_and_literals(self):
        self.clean("io/a.cpp", "// never if (co_await f())\n")
        self.clean("io/a.cpp", 'const char* a = "if (co_await f())";\n')
        self.clean("io/a.cpp", "/* using namespace std\n */\nconst long a = 5'000'000;\n")

    def test_cases_in_the_suite(self):
        case, end = "BOOST_AUTO_TEST_CASE(a) {}\n", "BOOST_AUTO_TEST_SUITE_END()\n"
        inner = "BOOST_AUTO_TEST_SUITE(b)\n" + case + end
        self.clean("tests/unit/io/a_test.cpp", "BOOST_AUTO_TEST_SUITE(a_test)\n" + inner + case + end)
        self.clean("tests/unit/io/alone/a_test.cpp", case)

    def test_co_await_in_bodies(self):
        self.clean("io/a.cpp", "if (a) co_await f();\nwhile (b) { co_await f(); }\n")
        self.clean("tests/unit/engine/compiler_test.cpp", "if (co_await f()) {}\n")

    def test_conditionals_beside_awaits(self):
        self.clean("io/a.cpp", "const auto n = a ? co_await f() : co_await g(b);\n")
        self.clean("io/a.cpp", "const auto n = a ? b : c;\nco_await f(n);\n")
        self.clean("io/a.cpp", "co_await f([&](int i) { return g({i, i > 0 ? a : b}); });\n")
        self.clean("io/a.cpp", "if (g(a ? b : c)) co_await f();\n")
        self.clean("io/a.cpp", "co_await f();\nreturn g(a ? b : c);\n")
        self.clean("io/a.cpp", 'co_await f("a ? b");  // co_await f(a ? b : c)\n')

    def test_includes(self):
        self.clean("io/a.cpp", "#include <liburing.h>\n")
        self.clean("engine/a.cpp", "#include <leat/io/file.hpp>\n")
        self.clean("cache/include/leat/asio.hpp", HEADER + "#include <boost/asio.hpp>\n")
        self.clean("tests/unit/io/a_test.cpp", "#include <leat/leat.hpp>\n")
        self.clean("apps/cat/a.cpp", "#include <boost/asio/detail/socket_option.hpp>\n")
        self.clean("tests/unit/io/a_test.cpp", "#include <leat/engine/detail/work.hpp>\n")


class Sentences(unittest.TestCase):
    def test_fault_sentences(self):
        text = (
            "const char* fault_of_bits(const chunk& of) noexcept {\n"
            '    if (of.a) return "a is set";\n'
            '    if (of.b)\n        return "b is "\n               "set";\n'
            "    return nullptr;\n}\n"
            'const char* name() {\n    return "no fault";\n}\n'
        )
        self.assertEqual(list(check.fault_sentences(text)), [(2, "a is set"), (4, "b is set")])


if __name__ == "__main__":
    unittest.main()
