#!/usr/bin/env python3
"""Shows that comment_examples.py finds the examples of a header, and hands the compiler all of them."""

import pathlib
import tempfile
import unittest

import comment_examples

HEADER = """\
/// Sums up.
///
///     int twice(int of) {
///         return 2 * of;
///     }
///
///     const int sum = twice(1);
///     if (sum > 1) {
///         use(sum);
///     }
///
/// - what is listed
///   is no example
int a;
    ///     struct point {
    ///         int x;
    ///     };
"""


class Examples(unittest.TestCase):
    def source(self) -> str:
        with tempfile.TemporaryDirectory() as folder:
            header = pathlib.Path(folder, "a.hpp")
            header.write_text(HEADER)
            return "\n".join(comment_examples.source_of(header))

    def test_lines(self):
        found = comment_examples.examples(HEADER)
        self.assertEqual([[line for line, _ in one] for one in found], [[3, 4, 5, 7, 8, 9, 10], [15, 16, 17]])

    def test_definitions_and_statements(self):
        code = [line for line in self.source().splitlines() if not line.startswith("#line")]
        start = code.index("int twice(int of) {")
        self.assertEqual(code[start - 2 : start + 3], [
            "namespace example_1 {", "using namespace example;", "int twice(int of) {", "    return 2 * of;", "}",
        ])
        self.assertEqual(code[start + 3 : start + 11], [
            "leat::task<> run() {", "const int sum = twice(1);", "if (sum > 1) {", "    use(sum);", "}", "co_return;",
            "}", "}",
        ])

    def test_places(self):
        self.assertRegex(self.source(), r'#line 7 ".*/a\.hpp"\nconst int sum')


if __name__ == "__main__":
    unittest.main()
