#include "fiber.hpp"

#include "verdict.hpp"

#include <ucontext.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace leat::sim {

namespace {
constexpr std::size_t stack_bytes = 256 << 10;

// Kept from run to run: fresh stacks are fresh pages.
struct stack {
    stack* next = nullptr;
};
stack* spare = nullptr;

stack* take_stack() {
    if (spare != nullptr) return std::exchange(spare, spare->next);
    return new (std::malloc(stack_bytes)) stack;
}

void give_back(stack* used) noexcept {
    used = new (used) stack;
    used->next = std::exchange(spare, used);
}

fiber* entering = nullptr;
}  // namespace

struct fiber::contexts {
    ucontext_t own{};
    ucontext_t resumer{};
    stack* memory = take_stack();
};

fiber::fiber(std::function<void()> body)
    : body_(std::move(body)), contexts_(std::make_unique<contexts>()) {
    require(::getcontext(&contexts_->own) == 0, "getcontext failed");
    contexts_->own.uc_stack.ss_sp = contexts_->memory;
    contexts_->own.uc_stack.ss_size = stack_bytes;
    contexts_->own.uc_link = &contexts_->resumer;
    ::makecontext(&contexts_->own, &fiber::enter, 0);
}

fiber::~fiber() {
    give_back(contexts_->memory);
}

void fiber::enter() {
    fiber& self = *entering;
    self.body_();
    self.ended_ = true;
}

void fiber::resume() {
    entering = this;
    require(::swapcontext(&contexts_->resumer, &contexts_->own) == 0, "swapcontext failed");
}

void fiber::suspend() {
    require(::swapcontext(&contexts_->own, &contexts_->resumer) == 0, "swapcontext failed");
}

}  // namespace leat::sim
