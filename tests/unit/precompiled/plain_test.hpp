// What most tests include, compiled once.
#include <leat/leat.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
