// Makes as many hits on one hot chunk as it is told to, while they are recorded: what the
// thread that encodes them takes counts, too.
#include "hot_hits.hpp"

int main(int count, char** values) {
    return leat::test::make_hits(count, values, "/dev/null");
}
