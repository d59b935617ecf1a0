// Makes as many hits on one hot fragment as it is told to.
#include "hot_hits.hpp"

int main(int count, char** values) {
    using namespace leat::literals;
    return leat::test::make_hits(count, values, nullptr, 4_MiB);
}
