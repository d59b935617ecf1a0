// A function on its way to a shard.
#pragma once

#include <leat/engine/detail/frame_allocator.hpp>
#include <leat/engine/shard.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace leat::detail {

/// Calls function() as a shard's guest: what it throws is told to options().on_event, as there is
/// nobody else to tell. On the shard.
template <class Function>
void call_guest(const shard& home, Function& function) noexcept {
    try {
        std::move(function)();
    } catch (...) {
        home.report_thrown();
    }
}

/// Whether `Allocator` is the one that nobody chose.
template <class Allocator>
inline constexpr bool is_default_allocator = false;
template <class T>
inline constexpr bool is_default_allocator<std::allocator<T>> = true;

/// Work that calls a function once, or only destroys it where the shard runs no more of them. Its
/// memory is of `Allocator`, and of the frame pool where that is the default; it is given back
/// before the function is called, so that the next can have it.
template <class Function, class Allocator>
class posted_function final : public work {
public:
    /// Throws std::bad_alloc, or what moving the function throws.
    template <class Source>
    [[nodiscard]] static posted_function& make(Source&& source, const Allocator& allocator) {
        auto memory = memory_of(allocator);
        using traits = std::allocator_traits<decltype(memory)>;
        posted_function* const place = traits::allocate(memory, 1);
        try {
            return *new (static_cast<void*>(place))
                posted_function(std::forward<Source>(source), allocator);
        } catch (...) {
            traits::deallocate(memory, place, 1);
            throw;
        }
    }
    /// Destroys it; the function is not called.
    void discard() noexcept { [[maybe_unused]] const Function uncalled = take(); }

private:
    template <class Source>
    posted_function(Source&& source, const Allocator& allocator)
        : work(&call), allocator_(allocator), function_(std::forward<Source>(source)) {}

    [[nodiscard]] static auto memory_of(const Allocator& allocator) noexcept {
        constexpr bool poolable = alignof(Function) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__;
        if constexpr (is_default_allocator<Allocator> && poolable) {
            return frame_allocator<posted_function>{};
        } else {
            return
                typename std::allocator_traits<Allocator>::template rebind_alloc<posted_function>(
                    allocator);
        }
    }

    [[nodiscard]] Function take() noexcept {
        auto memory = memory_of(allocator_);
        Function taken(std::move(function_));
        this->~posted_function();
        std::allocator_traits<decltype(memory)>::deallocate(memory, this, 1);
        return taken;
    }

    static void call(work& item) noexcept {
        Function taken = static_cast<posted_function&>(item).take();
        const shard& home = this_shard();
        if (home.runs_functions()) call_guest(home, taken);
    }

    [[no_unique_address]] Allocator allocator_;
    Function function_;
};

}  // namespace leat::detail
