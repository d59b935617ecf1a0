// What only the backend of io_uring does.
#include "uring_backend.hpp"

#include "io_support.hpp"
#include "refusal.hpp"

#include <leat/io/file.hpp>

#include <sys/mman.h>

namespace leat::io {

struct tampering {
    static bool has_fixed_vectors(const uring_backend& of) { return of.given_.fixed_vectors; }
    /// Has it be a ring of Linux 6.14.
    static void take_fixed_vectors(uring_backend& of) { of.given_.fixed_vectors = false; }
    static bool ends(operation& op, int& result) { return uring_backend::is_final(op, result); }
};

}  // namespace leat::io

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

/// What a ring of its own says to a read of 6000 bytes of a file by IORING_OP_READV_FIXED.
int answer_to_fixed_vectors(int file, std::span<std::byte> memory, std::span<const iovec> vectors) {
    io_uring ring{};
    if (io_uring_queue_init(4, &ring, 0) != 0) {
        return 0;
    }
    const iovec whole{memory.data(), memory.size()};
    int result = io_uring_register_buffers(&ring, &whole, 1);
    if (result == 0) {
        io_uring_sqe* const entry = io_uring_get_sqe(&ring);
        io_uring_prep_readv(entry, file, vectors.data(), static_cast<unsigned>(vectors.size()), 7);
        entry->opcode = 60;
        io_uring_cqe* answer = nullptr;
        if (io_uring_submit_and_wait(&ring, 1) == 1 && io_uring_peek_cqe(&ring, &answer) == 0) {
            result = answer->res;
        }
    }
    io_uring_queue_exit(&ring);
    return result;
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

BOOST_AUTO_TEST_CASE(what_a_few_reads_bring_about_is_submitted_before_others_complete) {
    const auto through = make<uring_kind>();
    if (!through) {
        return;
    }
    const scratch_directory scratch;
    const descriptor in(::open(scratch.patterned("f", 4096).c_str(), O_RDONLY | O_CLOEXEC));
    constexpr std::size_t reads = 50;
    std::array<std::byte, 4096> memory{};
    std::array<counted, reads> ops;
    for (counted& op : ops) {
        op.prepare_read(in, memory, 0, -1);
        through->submit(op);
    }
    std::size_t completed = 0;
    std::size_t largest = 0;
    while (completed < reads) {
        const std::size_t most = std::clamp<std::size_t>((reads - completed) / 3, 4, 12);
        const std::size_t now = through->run(time_point::max());
        BOOST_TEST(now <= most);
        completed += now;
        largest = std::max(largest, now);
    }
    // The file is in the page cache, so that all are ready at once.
    BOOST_TEST(largest == 12U);
    BOOST_TEST(completed == reads);
    for (const counted& op : ops) {
        BOOST_TEST(op.completions == 1);
        BOOST_TEST(op.result == 4096);
    }
    BOOST_TEST(through->run(time_point::min()) == 0U);
}

BOOST_AUTO_TEST_CASE(reads_into_pieces_of_a_registered_buffer_where_the_kernel_has_them) {
    const auto made = make<uring_kind>();
    if (!made) {
        return;
    }
    auto& through = static_cast<uring_backend&>(*made);
    BOOST_TEST(through.statistics().enters == 0U);
    const scratch_directory scratch;
    const descriptor in(::open(scratch.patterned("f", 8192).c_str(), O_RDONLY | O_CLOEXEC));
    std::vector<std::byte> memory(65536);
    if (through.register_buffer(3, memory)) {
        BOOST_TEST_MESSAGE("skipped: no buffer can be registered");
        return;
    }
    const std::array<iovec, 3> vectors{
        {{memory.data() + 5000, 1000}, {memory.data(), 2000}, {memory.data() + 9000, 3000}}};
    counted op;
    const auto fills = [&] {
        std::fill(memory.begin(), memory.end(), std::byte{0});
        op.prepare_read_vector(in, vectors, 7, 3);
        return perform(through, op) == 6000 && patterned(memory.data() + 5000, 7, 1000) &&
               patterned(memory.data(), 1007, 2000) && patterned(memory.data() + 9000, 3007, 3000);
    };
    BOOST_TEST(fills());
    const int answer = answer_to_fixed_vectors(in, memory, vectors);
    BOOST_TEST((answer == 6000 || answer == -EINVAL));
    BOOST_TEST(tampering::has_fixed_vectors(through) == (answer == 6000));
    if (answer == 6000) {
        // Who reads into a registered buffer looks whether there is one.
        op.prepare_read_vector(in, vectors, 7, 4);
        BOOST_TEST(perform(through, op) == -EFAULT);
        // What is wrong with a file says nothing of the kernel.
        op.prepare_read_vector(in, vectors, ~std::uint64_t{0} - 6000, 3);
        BOOST_TEST(perform(through, op) == -EINVAL);
        BOOST_TEST(tampering::has_fixed_vectors(through));
        BOOST_TEST(fills());
    } else {
        BOOST_TEST_MESSAGE("the kernel has no vectored reads into registered buffers");
    }
    tampering::take_fixed_vectors(through);
    BOOST_TEST(fills());
    op.prepare_read_vector(in, vectors, 7, 4);
    BOOST_TEST(perform(through, op) == 6000);
    BOOST_TEST(!through.register_buffer(3, {}));
}

BOOST_AUTO_TEST_CASE(what_nobody_cancelled_is_submitted_again_but_not_for_ever) {
    counted op;
    std::array<std::byte, 4> memory{};
    op.prepare_read(0, memory, 0, -1);
    int result = -ECANCELED;
    int tries = 0;
    while (!tampering::ends(op, result) && tries < 1000) {
        BOOST_TEST(result == -ECANCELED);
        ++tries;
    }
    BOOST_TEST(tries >= 8);
    BOOST_TEST(tries <= 100);
    BOOST_TEST(result == -EAGAIN);  // it was no cancellation

    op.tries = 0;
    op.cancel_requested = true;
    result = -ECANCELED;
    BOOST_TEST(tampering::ends(op, result));
    BOOST_TEST(result == -ECANCELED);
    BOOST_TEST(op.tries == 0U);
}

BOOST_AUTO_TEST_CASE(each_submission_has_its_tries) {
    const auto through = make<uring_kind>();
    if (!through) {
        return;
    }
    counted op;
    op.tries = 1000;
    std::array<std::byte, 4> memory{};
    op.prepare_read(-1, memory, 0, -1);
    BOOST_TEST(perform(*through, op) == -EBADF);
    BOOST_TEST(op.tries == 0U);
}
