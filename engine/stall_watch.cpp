// Times the parts of a turn, and names the code that took the longest.
#include <leat/engine/detail/stall_watch.hpp>

#include <cxxabi.h>
#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace leat::detail {

namespace {

std::string hexadecimal(std::uintptr_t number) {
    char text[2 * sizeof number + 3];
    std::snprintf(text, sizeof text, "%#zx", static_cast<std::size_t>(number));
    return text;
}

std::string demangled(const char* name) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> text{
        abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free};
    return text ? text.get() : name;
}

std::string name_of(void* code) {
    Dl_info found{};
    if (::dladdr(code, &found) == 0 || found.dli_fname == nullptr)
        return hexadecimal(reinterpret_cast<std::uintptr_t>(code));
    std::string file = found.dli_fname;
    file.erase(0, file.rfind('/') + 1);
    const std::uintptr_t offset =
        reinterpret_cast<std::uintptr_t>(code) - reinterpret_cast<std::uintptr_t>(found.dli_fbase);
    std::string text = file + "+" + hexadecimal(offset);
    if (found.dli_sname != nullptr) text += ", " + demangled(found.dli_sname);
    return text;
}

}  // namespace

std::string stall_watch::describe() const {
    const auto with_code = [this](std::string text, const char* joint) {
        if (longest_code_ != nullptr) text += joint + name_of(longest_code_);
        return text;
    };
    switch (what_) {
        case part::messages:
            return with_code("messages and timers", ", the last of them at ");
        case part::ready_work:
            return with_code("a coroutine or handler", " at ");
        case part::cache:
            return with_code("the cache's own work", ", the last read that it began at ");
        case part::kernel:
            return "calls of the kernel and their completions";
    }
    return {};
}

}  // namespace leat::detail
