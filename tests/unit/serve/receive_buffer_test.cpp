// What a connection has received: room that grows and goes away.
#include "receive_buffer.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

BOOST_AUTO_TEST_SUITE(receive_buffer_test)

using leat::serve::receive_buffer;

namespace {

// Receives `bytes`, in as many pieces as the room asks for; gives how many there was room for.
std::size_t receive(receive_buffer& into, const std::string& bytes, std::size_t most) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const auto room = into.room(most);
        const std::size_t count = std::min(room.size(), bytes.size() - done);
        if (count == 0) break;
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(done), count, room.begin());
        into.received(count);
        done += count;
    }
    return done;
}

std::string letters(std::size_t size) {
    std::string made(size, '\0');
    for (std::size_t at = 0; at < size; ++at) made[at] = static_cast<char>('a' + at % 23);
    return made;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(receive_buffer_suite)

BOOST_AUTO_TEST_CASE(gives_back_what_was_received) {
    for (const std::size_t size : {std::size_t{1}, receive_buffer::least - 1, receive_buffer::least,
                                   receive_buffer::least + 1, std::size_t{16386}}) {
        receive_buffer buffer;
        const std::string all = letters(size);
        BOOST_TEST(receive(buffer, all, 16386) == size);
        BOOST_TEST(buffer.bytes() == all);
    }
}

BOOST_AUTO_TEST_CASE(has_no_more_room_than_it_may_have) {
    receive_buffer buffer;
    BOOST_TEST(receive(buffer, letters(10'000), 5000) == 5000);
    BOOST_TEST(buffer.room(5000).empty());
}

BOOST_AUTO_TEST_CASE(what_was_used_makes_room_and_the_rest_stays) {
    receive_buffer buffer;
    const std::string all = letters(receive_buffer::least);
    receive(buffer, all, receive_buffer::least);
    buffer.consume(2000);
    BOOST_TEST(buffer.bytes() == all.substr(2000));
    BOOST_TEST(receive(buffer, letters(2000), receive_buffer::least) == 2000);
    BOOST_TEST(buffer.bytes() == all.substr(2000) + letters(2000));
    buffer.consume(buffer.bytes().size());
    BOOST_TEST(buffer.empty());
    BOOST_TEST(buffer.room(1 << 20).size() == receive_buffer::least);  // what was large has gone
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE_END()
