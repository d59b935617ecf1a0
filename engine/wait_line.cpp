// Coroutines join the line, are served in order, and leave it.
#include <leat/engine/detail/wait_line.hpp>

#include <cassert>
#include <cstdio>

namespace leat::detail {

where line_wait::awaits() const noexcept {
    return {.doing = kind_};
}

void line_wait::throw_if_stopped() const {
    if (stopped_) throw system_error({stop_reason(), {.doing = kind_}});
}

void line_wait::stopped(suspension& self) noexcept {
    auto& one = static_cast<line_wait&>(self);
    wait_line& line = *one.line_;
    one.line_wait_hook::unlink();
    one.stopped_ = true;
    one.finish();
    line.left();
    assert(line.fault() == nullptr);
}

const char* wait_line::fault() const noexcept {
    for (const line_wait& one : members_) {
        if (one.line_ != this) return "a task waits in a line that it does not know";
        if (one.stopped_) return "a task waits in a line though it was stopped";
    }
    return nullptr;
}

void wait_line::fail(const char* sentence) const noexcept {
    char text[200];
    std::snprintf(text, sizeof text, "a leat::%s %s", to_string(kind_), sentence);
    misuse(text);
}

}  // namespace leat::detail
