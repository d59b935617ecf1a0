// The sentences of errors that say where.
#include <leat/engine/error.hpp>

#include <algorithm>
#include <cerrno>
#include <new>

namespace leat {

const char* to_string(activity what) noexcept {
    switch (what) {
        case activity::none:
            return "leat";
        case activity::open:
            return "open";
        case activity::get_chunk:
            return "get_chunk";
        case activity::read:
            return "read";
        case activity::send_range:
            return "send_range";
        case activity::sleep:
            return "sleep";
        case activity::socket:
            return "socket";
        case activity::task:
            return "task";
        case activity::start:
            return "start";
        case activity::stop:
            return "stop";
        case activity::join:
            return "join";
        case activity::operation:
            return "operation";
        case activity::asio:
            return "operation of Asio";
        case activity::semaphore:
            return "semaphore";
        case activity::mutex:
            return "mutex";
        case activity::event:
            return "manual_reset_event";
        case activity::queue:
            return "queue";
        case activity::offload:
            return "offload";
    }
    return "leat";
}

void where::set_name(std::string_view full) noexcept {
    name.fill('\0');
    const std::size_t room = name.size() - 1;
    if (full.size() <= room) {
        std::copy(full.begin(), full.end(), name.begin());
        return;
    }
    constexpr std::string_view cut = "...";
    const std::string_view tail = full.substr(full.size() - (room - cut.size()));
    std::copy(tail.begin(), tail.end(), std::copy(cut.begin(), cut.end(), name.begin()));
}

std::string to_string(const where& at) {
    std::string text = to_string(at.doing);
    if (at.name[0] != '\0') {
        text += std::string{" \""} + at.name.data() + '"';
    } else if (at.file != 0) {
        text += " file " + std::to_string(at.file);
    }
    if (at.size != 0 || at.offset != 0) {
        text += " offset " + std::to_string(at.offset) + " size " + std::to_string(at.size);
    }
    return text;
}

std::string to_string(const error& cause) {
    return to_string(cause.where) + ": " + cause.code.message();
}

// boost::system::system_error appends the message itself.
system_error::system_error(const error& cause)
    : boost::system::system_error(cause.code, to_string(cause.where)), where_(cause.where) {}

error error_of(const std::exception_ptr& thrown) noexcept {
    try {
        std::rethrow_exception(thrown);
    } catch (const system_error& known) {
        if (known.code()) return known.cause();
    } catch (const boost::system::system_error& known) {
        if (known.code()) return {known.code(), {}};
    } catch (const std::bad_alloc&) {
        return {system_error_code(ENOMEM), {}};
    } catch (...) {
    }
    return {make_error_code(errc::unhandled_exception), {}};
}

void throw_exception_from_error(const error& cause, const boost::source_location&) {
    throw system_error(cause);
}

}  // namespace leat
