// The main function of a test program whose source defines none.
#define BOOST_TEST_MODULE leat
#include <boost/test/unit_test.hpp>
