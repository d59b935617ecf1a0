// Operations are filled in and used again.
#include "io_support.hpp"

#include <leat/io/detail/operation.hpp>

BOOST_AUTO_TEST_SUITE(operation_test)

using namespace leat::io;

BOOST_AUTO_TEST_CASE(names) {
    for (const opcode code :
         {opcode::read, opcode::read_vector, opcode::open, opcode::stat, opcode::stat_file_system,
          opcode::close, opcode::accept, opcode::connect, opcode::receive, opcode::send,
          opcode::shutdown, opcode::poll}) {
        BOOST_TEST(std::string(to_string(code)).find("unknown") == std::string::npos);
    }
    BOOST_TEST(std::string(to_string(opcode::connect)) == "connect");
}

BOOST_AUTO_TEST_CASE(preparing_clears_what_an_earlier_use_left) {
    std::array<std::byte, 16> memory{};
    operation op;
    op.punt = true;
    op.cancel_requested = true;
    op.result = -5;
    op.prepare_read(7, memory, 99, 3);
    BOOST_TEST(!op.punt);
    BOOST_TEST(!op.cancel_requested);
    BOOST_TEST(op.result == 0);
    BOOST_TEST(op.descriptor == 7);
    BOOST_TEST(op.read.size == 16U);
    BOOST_TEST(op.read.offset == 99U);
    BOOST_TEST(op.read.buffer == 3);
    BOOST_TEST((op.state == operation::phase::idle));

    const std::array<iovec, 2> vectors{{{memory.data(), 4}, {memory.data() + 8, 4}}};
    op.punt = true;
    op.prepare_read_vector(9, vectors, 98, -1);
    BOOST_TEST((op.code == opcode::read_vector));
    BOOST_TEST(op.reads());
    BOOST_TEST(!op.punt);
    BOOST_TEST(op.descriptor == 9);
    BOOST_TEST(op.read_vector.vectors == vectors.data());
    BOOST_TEST(op.read_vector.count == 2U);
    BOOST_TEST(op.read_vector.offset == 98U);
    BOOST_TEST(op.read_vector.buffer == -1);

    op.prepare_poll(8, 1);
    BOOST_TEST(!op.reads());
    BOOST_TEST((op.code == opcode::poll));
    BOOST_TEST(op.number == 1);
}

BOOST_AUTO_TEST_SUITE_END()
