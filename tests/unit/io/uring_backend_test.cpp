// What only the backend of io_uring does.
#include "io_support.hpp"
#include "refusal.hpp"

#include <leat/io/file.hpp>

#include <sys/mman.h>

using namespace leat::io;
using namespace leat::io::test;

namespace {

struct outcome {
    std::string demanded;  ///< what() of a demanded io_uring
    bool no_backend = false;
    std::string fallback;  ///< the name of what automatic gives
    std::string note;
    bool serves = false;
};

outcome refused(int error, int call = SYS_io_uring_setup) {
    outcome out;
    with_refusal(static_cast<unsigned>(call), error, [&] {
        try {
            std::string note;
            static_cast<void>(make_backend({backend_kind::uring}, note));
        } catch (const boost::system::system_error& refusal) {
            out.demanded = refusal.what();
            out.no_backend = refusal.code() == leat::errc::no_backend;
        }
        const auto through = make_backend({}, out.note);
        out.fallback = through->statistics().name;
        counted op;
        op.prepare_open(AT_FDCWD, "/", file::how_to_open(false));
        through->submit(op);
        out.serves = finish(*through) && op.result >= 0;
        ::close(op.result);
    });
    return out;
}

bool says(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_refusal_names_its_likely_cause) {
    for (const int call : {SYS_io_uring_setup, SYS_io_uring_enter}) {
        for (const int error : {EPERM, ENOSYS, EACCES}) {
            const outcome out = refused(error, call);
            BOOST_TEST(out.no_backend);
            BOOST_TEST(says(out.demanded, "seccomp"), out.demanded);
            BOOST_TEST(says(out.demanded, "kernel.io_uring_disabled"), out.demanded);
            BOOST_TEST(out.fallback == "thread");
            BOOST_TEST(says(out.note, "seccomp"), out.note);
            BOOST_TEST(out.serves);
        }
    }
    if (make<uring_kind>()) {
        BOOST_TEST(says(refused(ENOMEM).demanded, "memlock"));
        BOOST_TEST(says(refused(EINVAL).demanded, "too old"));
    }
    BOOST_TEST(refused(EMFILE).serves);
}

BOOST_AUTO_TEST_CASE(automatic_takes_io_uring_where_it_can) {
    if (!make<uring_kind>()) {
        return;
    }
    std::string note = "old";
    const auto through = make_backend({}, note);
    BOOST_TEST(note.empty());
    BOOST_TEST(through->statistics().name == "uring");
    BOOST_TEST(!through->statistics().mode.empty());
    BOOST_TEST_MESSAGE("mode: " << through->statistics().mode);
    BOOST_TEST(make<thread_kind>()->statistics().name == "thread");
}

BOOST_AUTO_TEST_CASE(registered_buffers) {
    const auto through = make<uring_kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const descriptor in(::open(scratch.patterned("f", 8192).c_str(), O_RDONLY | O_CLOEXEC));
    constexpr std::size_t size = 65536;
    void* const mapped =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const std::span memory(static_cast<std::byte*>(mapped), size);
    BOOST_TEST(!through->register_buffer(3, {}));
    BOOST_TEST_REQUIRE(!through->register_buffer(3, memory));
    BOOST_TEST(through->statistics().registered == size);
    counted op;
    op.prepare_read(in, memory.subspan(100, 5000), 7, 3);
    BOOST_TEST(perform(*through, op) == 5000);
    BOOST_TEST(patterned(memory.data() + 100, 7, 5000));

    // Outside of the buffer, or by an index that holds none.
    std::array<std::byte, 16> elsewhere{};
    op.prepare_read(in, elsewhere, 0, 3);
    BOOST_TEST(perform(*through, op) == -EFAULT);
    BOOST_TEST(!through->register_buffer(3, {}));
    BOOST_TEST(through->statistics().registered == 0U);
    op.prepare_read(in, memory.first(10), 0, 3);
    BOOST_TEST(perform(*through, op) == -EFAULT);

    BOOST_TEST(through->statistics().registration_failures == 0U);
    BOOST_TEST(through->register_buffer(backend::maximum_buffers, memory).failed());
    const std::span absurd(memory.data(), (std::size_t{1} << 30) + 1);
    BOOST_TEST(through->register_buffer(0, absurd).failed());
    BOOST_TEST(through->statistics().registration_failures == 2U);
    ::munmap(mapped, size);
}
