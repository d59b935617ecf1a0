// Makes as many hits on one hot chunk as it is told to.
#include "hot_hits.hpp"

int main(int count, char** values) {
    return leat::test::make_hits(count, values, nullptr);
}
