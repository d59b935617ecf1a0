// The name of the code that took too long.
#include <leat/engine/detail/stall_watch.hpp>

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <string>

BOOST_AUTO_TEST_SUITE(stall_watch_test)

using leat::detail::stall_watch;

namespace {
bool has(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
}
void* const exported = reinterpret_cast<void*>(&::getpid);
void hidden() {}
}  // namespace

BOOST_AUTO_TEST_CASE(code_is_named_where_its_name_is_exported) {
    stall_watch watch;
    watch.begin();
    watch.running(exported);
    watch.ended(stall_watch::part::ready_work);
    const std::string text = watch.describe();
    BOOST_TEST(has(text, "a coroutine or handler at libc.so.6+0x"), text);
    BOOST_TEST(has(text, "getpid"), text);
}

BOOST_AUTO_TEST_CASE(other_code_is_told_by_program_and_address) {
    stall_watch watch;
    watch.begin();
    watch.running(reinterpret_cast<void*>(&hidden));
    watch.ended(stall_watch::part::messages);
    BOOST_TEST(has(watch.describe(), "engine_test+0x"), watch.describe());
}

BOOST_AUTO_TEST_CASE(a_coroutine_is_named_by_what_resumes_it) {
    struct {
        void* resume = exported;
        void* destroy = nullptr;
    } frame;
    stall_watch watch;
    watch.begin();
    watch.running(reinterpret_cast<void*>(&hidden));
    watch.resuming(std::coroutine_handle<>::from_address(&frame));
    watch.ended(stall_watch::part::ready_work);
    BOOST_TEST(has(watch.describe(), "getpid"), watch.describe());
}

BOOST_AUTO_TEST_CASE(parts_without_code_are_told_by_their_name) {
    stall_watch watch;
    watch.begin();
    watch.ended(stall_watch::part::kernel);
    BOOST_TEST(watch.describe() == "calls of the kernel and their completions");
    watch.begin();
    watch.ended(stall_watch::part::cache);
    BOOST_TEST(watch.describe() == "the cache's own work");
}

BOOST_AUTO_TEST_CASE(code_that_ran_before_a_stretch_is_not_blamed_for_it) {
    stall_watch watch;
    watch.running(exported);
    watch.begin();
    watch.ended(stall_watch::part::ready_work);
    BOOST_TEST(watch.describe() == "a coroutine or handler");
}

BOOST_AUTO_TEST_SUITE_END()
