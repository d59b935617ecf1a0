// Stacks of their own for shards and threads of the simulation.
#include "fiber.hpp"

#include "verdict.hpp"

#include <ucontext.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/common_interface_defs.h>
#define LEAT_TELLS_OF_STACKS
#endif
#endif

namespace leat::sim {

namespace {
constexpr std::size_t stack_bytes = 256 << 10;

// AddressSanitizer has to know on which stack the program is.
struct known_stack {
    const void* bottom = nullptr;
    std::size_t size = 0;
};

void leaves_for([[maybe_unused]] void** saved, [[maybe_unused]] known_stack next) noexcept {
#ifdef LEAT_TELLS_OF_STACKS
    __sanitizer_start_switch_fiber(saved, next.bottom, next.size);
#endif
}

void has_come([[maybe_unused]] void* saved, [[maybe_unused]] known_stack* from) noexcept {
#ifdef LEAT_TELLS_OF_STACKS
    __sanitizer_finish_switch_fiber(saved, from == nullptr ? nullptr : &from->bottom,
                                    from == nullptr ? nullptr : &from->size);
#endif
}

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
    known_stack resumers;
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
    has_come(nullptr, &self.contexts_->resumers);
    self.body_();
    self.ended_ = true;
    leaves_for(nullptr, self.contexts_->resumers);  // for good
}

void fiber::resume() {
    entering = this;
    void* saved = nullptr;
    leaves_for(&saved, {contexts_->memory, stack_bytes});
    require(::swapcontext(&contexts_->resumer, &contexts_->own) == 0, "swapcontext failed");
    has_come(saved, nullptr);
}

void fiber::suspend() {
    void* saved = nullptr;
    leaves_for(&saved, contexts_->resumers);
    require(::swapcontext(&contexts_->own, &contexts_->resumer) == 0, "swapcontext failed");
    has_come(saved, &contexts_->resumers);
}

}  // namespace leat::sim
