// A connection that is held and not used.
#include "idle_connection.hpp"

#include "verdict.hpp"

namespace leat::sim {

void idle_connection::wait() {
    stream_.expires_never();
    stream_.async_read_some(boost::asio::buffer(memory_),
                            [this](boost::system::error_code code, std::size_t) { ended(code); });
    waits_ = true;
}

void idle_connection::ended(boost::system::error_code code) {
    require(waits_, "a handler was called twice");
    waits_ = false;
    ++in_.all.progress;
    in_.all.note("idle no more", static_cast<std::uint64_t>(code.value()));
    require(code != boost::asio::error::operation_aborted || in_.owner.stopping(),
            "a read was cancelled that nobody cancelled");
    require(code != boost::asio::error::timed_out, "a read without a deadline came to it");
    stream_.close();  // which makes room for another
}

}  // namespace leat::sim
