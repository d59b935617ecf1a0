// The names of operations, for errors and lists of what is owed.
#include <leat/io/detail/operation.hpp>

namespace leat::io {

const char* to_string(opcode code) noexcept {
    switch (code) {
        case opcode::read:
            return "read";
        case opcode::read_vector:
            return "vectored read";
        case opcode::open:
            return "open";
        case opcode::stat:
            return "stat";
        case opcode::stat_file_system:
            return "stat of a file system";
        case opcode::close:
            return "close";
        case opcode::accept:
            return "accept";
        case opcode::connect:
            return "connect";
        case opcode::receive:
            return "receive";
        case opcode::send:
            return "send";
        case opcode::shutdown:
            return "shutdown";
        case opcode::poll:
            return "poll";
    }
    return "unknown operation";
}

}  // namespace leat::io
