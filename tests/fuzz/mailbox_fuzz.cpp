// The mailbox against a model of two queues: posted and visible.
#include "input.hpp"

#include <leat/engine/detail/mailbox.hpp>

#include <array>
#include <deque>

using leat::test::input;
using leat::test::require;

namespace {

constexpr std::uint32_t capacity = 4;

struct numbered : leat::detail::work {
    numbered() : work(nullptr) {}
    std::uint64_t number = 0;
};

class model {
public:
    void post(std::uint64_t number) { unpublished_.push_back(number); }
    bool flush() {
        bool any = false;
        while (!unpublished_.empty() && visible_.size() < capacity) {
            visible_.push_back(unpublished_.front());
            unpublished_.pop_front();
            any = true;
        }
        return any;
    }
    std::deque<std::uint64_t> take() { return std::move(visible_); }
    [[nodiscard]] std::size_t held() const { return unpublished_.size() + visible_.size(); }

private:
    std::deque<std::uint64_t> unpublished_;
    std::deque<std::uint64_t> visible_;
};

void consume(leat::detail::mailbox<std::atomic, capacity>& box, model& expected) {
    std::deque<std::uint64_t> wanted = expected.take();
    const std::uint32_t count = box.consume([&](leat::detail::work& message) {
        require(!wanted.empty(), "a message that is not visible was taken");
        require(static_cast<numbered&>(message).number == wanted.front(), "out of order");
        wanted.pop_front();
    });
    static_cast<void>(count);
    require(wanted.empty(), "a visible message was not taken");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static std::array<numbered, 64> messages;
    leat::detail::mailbox<std::atomic, capacity> box;
    model expected;
    std::uint64_t posted = 0;
    for (input from{data, size}; !from.empty();) {
        const std::uint8_t action = from.byte();
        if (action < 128 && expected.held() < messages.size()) {
            numbered& message = messages[posted % messages.size()];
            message.number = posted;
            box.post(message);
            expected.post(posted);
            ++posted;
        } else if (action < 192) {
            require(box.flush() == expected.flush(), "what flush() says");
        } else {
            consume(box, expected);
        }
        require(box.posted() == posted, "the count of messages");
    }
    while (expected.held() != 0) {
        require(box.flush() == expected.flush(), "what flush() says at the end");
        consume(box, expected);
    }
    require(!box.congested(), "a message was left");
    return 0;
}
