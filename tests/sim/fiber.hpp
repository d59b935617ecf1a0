// A function with a stack of its own, that gives way and goes on.
#pragma once

#include <functional>
#include <memory>

namespace leat::sim {

class fiber {
public:
    explicit fiber(std::function<void()> body);
    fiber(const fiber&) = delete;
    fiber& operator=(const fiber&) = delete;
    /// Precondition: it has ended, or never began.
    ~fiber();

    /// Runs it until it ends or suspends. Not inside a fiber.
    void resume();
    /// Back to whoever resumed this one.
    void suspend();
    [[nodiscard]] bool ended() const noexcept { return ended_; }

private:
    struct contexts;
    static void enter();

    std::function<void()> body_;
    std::unique_ptr<contexts> contexts_;
    bool ended_ = false;
};

}  // namespace leat::sim
