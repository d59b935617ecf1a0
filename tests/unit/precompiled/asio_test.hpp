// What most tests of Asio's part include, compiled once.
#include <leat/asio.hpp>
#include <leat/leat.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
