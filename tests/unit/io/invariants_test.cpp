// The invariants of backends, credit and arenas: each is noticed when it is broken.
#include "credit_queue.hpp"
#include "defect.hpp"
#include "io_support.hpp"
#include "thread_backend.hpp"
#include "uring_backend.hpp"

#include <leat/io/detail/buffer_arena.hpp>

#include <poll.h>
#include <sys/eventfd.h>

#include <optional>

using leat::test::check_defects;
using leat::test::defect;
using leat::test::undone;

namespace leat::io {

struct tampering {
    /// A read and a receive wait; all may hold 100, sockets 75, what waits for peers 66.
    struct credit {
        credit() {
            read.code = opcode::read;
            receive.code = opcode::receive;
            for (operation* const one : {&read, &receive}) {
                one->state = operation::phase::pending;
                of.push_back(*one);
            }
        }
        ~credit() {
            of.withdraw(read);
            of.withdraw(receive);
        }
        credit_queue of{100};
        operation read;
        operation receive;
    };
    /// One of two buffers of 1 MiB is used, and none of those of 64 KiB.
    struct arena {
        arena() {
            large = of.allocate(1 << 20);
            of.release(of.allocate(1 << 16), 1 << 16);
            for (const auto& one : of.segments_)
                (one->buffer_size == 1 << 20 ? half : free) = &*one;
            size = of.find_class(1 << 20);
        }
        ~arena() { of.release(large, 1 << 20); }
        void enroll(int index, undone& after) {
            after.set(half->index, index);
            after.set(of.statistics_.registered_bytes, half->bytes);
        }
        buffer_arena of{{.budget = 16 << 20, .huge_pages = false}};
        std::byte* large = nullptr;
        buffer_arena::segment* half = nullptr;
        buffer_arena::segment* free = nullptr;
        buffer_arena::size_class* size = nullptr;
    };
    /// A poll waits for what never comes.
    template <class Backend>
    struct polling {
        explicit polling(const backend_options& options)
            : descriptor(::eventfd(0, EFD_CLOEXEC)), of(options) {
            op.prepare_poll(descriptor, POLLIN);
            of.submit(op);
            of.run(time_point::min());
        }
        ~polling() {
            of.cancel(op);
            test::run_until(of, [this] { return op.completions == 1; });
            ::close(descriptor);
        }
        int descriptor;
        Backend of;
        test::counted op;
    };
    using ring = polling<uring_backend>;
    using threads = polling<thread_backend>;

    static std::vector<defect<credit>> of_credit() {
        return {
            {"more credit is held than there is",
             [](credit& it, undone& after) { after.set(it.of.lines_[0].held, 101); }},
            {"sockets hold credit that is for files",
             [](credit& it, undone& after) { after.set(it.of.lines_[1].held, 80); }},
            {"what waits for peers holds credit that is for answers",
             [](credit& it, undone& after) { after.set(it.of.lines_[2].held, 70); }},
            {"waiting operations are counted wrongly",
             [](credit& it, undone& after) { after.set(it.of.lines_[0].count, 2); }},
            {"an operation waits in another line than its own",
             [](credit& it, undone& after) { after.set(it.read.code, opcode::receive); }},
            {"an operation waits that has begun",
             [](credit& it, undone& after) {
                 after.set(it.read.state, operation::phase::submitted);
             }},
            {"an operation waits for credit that has some",
             [](credit& it, undone& after) { after.set(it.read.credit, 1); }},
        };
    }
    static std::vector<defect<arena>> of_segments() {
        return {
            {"segments overlap or lie in disorder",
             [](arena& it, undone& after) {
                 after.set(it.of.segments_[1]->base, it.of.segments_[0]->base);
             }},
            {"a segment has more free buffers than it has buffers",
             [](arena& it, undone& after) { after.set(it.half->count, 0); }},
            {"buffers reach beyond their segment",
             [](arena& it, undone& after) { after.set(it.half->bytes, 1); }},
            {"segments are counted wrongly",
             [](arena& it, undone& after) { after.set(it.of.statistics_.plain_segments, 7); }},
            {"mapped bytes are counted wrongly",
             [](arena& it, undone& after) { after.set(it.of.statistics_.mapped_bytes, 7); }},
            {"used bytes are counted wrongly",
             [](arena& it, undone& after) { after.set(it.of.statistics_.used_bytes, 7); }},
            {"registered bytes are counted wrongly",
             [](arena& it, undone& after) { after.set(it.of.statistics_.registered_bytes, 7); }},
            {"more is mapped than the budget allows",
             [](arena& it, undone& after) { after.set(it.of.options_.budget, 1); }},
        };
    }
    static std::vector<defect<arena>> of_classes() {
        return {
            {"more segments of a size have room than there are",
             [](arena& it, undone& after) { after.set(it.size->segments, 0); }},
            {"a segment counts as partly free that is not",
             [](arena& it, undone& after) {
                 after.set(it.half->count, 1);
                 after.set(it.of.statistics_.used_bytes, 0);
             }},
            {"a segment serves two sizes",
             [](arena& it, undone& after) { after.set(it.size->buffer_size, 1); }},
            {"a segment counts as free that is not",
             [](arena& it, undone& after) {
                 after.set(it.free->free, {0});
                 const std::uint64_t used = (it.free->count - 1) * it.free->buffer_size;
                 after.set(it.of.statistics_.used_bytes, (1 << 20) + used);
             }},
            {"segments of a size are counted wrongly",
             [](arena& it, undone& after) { after.set(it.size->segments, 2); }},
            {"a segment with room is not listed, or one without is",
             [](arena& it, undone& after) {
                 it.size->partial.clear();
                 after.then([&it] { it.size->partial.push_back(*it.half); });
             }},
        };
    }
    static std::vector<defect<arena>> of_indices() {
        return {
            {"a segment is registered under a number never given",
             [](arena& it, undone& after) { it.enroll(5, after); }},
            {"a segment is registered under a number given back",
             [](arena& it, undone& after) {
                 it.enroll(0, after);
                 after.set(it.of.next_index_, 2);
                 after.set(it.of.free_indices_, {0});
             }},
            {"more numbers of registered buffers are in use than were given",
             [](arena& it, undone& after) { after.set(it.of.free_indices_, {0}); }},
        };
    }
    static std::vector<defect<ring>> of_rings() {
        return {
            {"an operation in the kernel has not begun, or holds no credit",
             [](ring& it, undone& after) { after.set(it.op.state, operation::phase::pending); }},
            {"an operation is to be cancelled that is not to end",
             [](ring& it, undone& after) {
                 unlink(it.op);
                 it.of.cancels_.push_back(it.op);
                 after.then([&it] {
                     unlink(it.op);
                     it.of.submitted_.push_back(it.op);
                 });
             }},
            {"credit is counted wrongly",
             [](ring& it, undone& after) { after.set(it.op.credit, 2); }},
            {"operations with much credit are counted wrongly",
             [](ring& it, undone& after) { after.set(it.of.multishots_, 1); }},
            {"credit is asked back from none or from several",
             [](ring& it, undone& after) { after.set(it.of.shedding_, true); }},
            {"more cancellations are in the kernel than may be",
             [](ring& it, undone& after) {
                 after.set(it.of.cancels_used_, it.of.cancel_credit_ + 1);
             }},
            {"operations in flight are counted wrongly",
             [](ring& it, undone& after) { after.set(it.of.accepted_, 5); }},
        };
    }
    static std::vector<defect<threads>> of_threads() {
        return {
            {"a descriptor is watched for nobody",
             [](threads& it, undone& after) {
                 it.of.watches_.try_emplace(1000);
                 after.then([&it] { it.of.watches_.erase(1000); });
             }},
            {"somebody waits for a descriptor that is not watched",
             [](threads& it, undone& after) {
                 after.set(it.of.watches_.begin()->second.registered, false);
             }},
            {"somebody waits for another descriptor's sake",
             [](threads& it, undone& after) { after.set(it.op.descriptor, 1000); }},
            {"a descriptor is not watched for what somebody waits for",
             [](threads& it, undone& after) {
                 after.set(it.of.watches_.begin()->second.events, 0);
             }},
            {"operations in flight are counted wrongly",
             [](threads& it, undone& after) { after.set(it.of.accepted_, 5); }},
        };
    }
};

}  // namespace leat::io

using namespace leat::io;
using broken = tampering;

namespace {
const auto fault_of = [](const auto& it) { return it.of.fault(); };
}  // namespace

BOOST_AUTO_TEST_CASE(credit) {
    broken::credit it;
    check_defects(it, fault_of, broken::of_credit());
}

BOOST_AUTO_TEST_CASE(arenas) {
    broken::arena it;
    check_defects(it, fault_of, broken::of_segments());
    check_defects(it, fault_of, broken::of_classes());
    check_defects(it, fault_of, broken::of_indices());
}

BOOST_AUTO_TEST_CASE(rings) {
    std::optional<broken::ring> it;
    try {
        it.emplace(backend_options{.kind = backend_kind::uring});
    } catch (const boost::system::system_error& refusal) {
        BOOST_TEST_MESSAGE("skipped: " << refusal.what());
        return;
    }
    check_defects(*it, fault_of, broken::of_rings());
}

BOOST_AUTO_TEST_CASE(threads) {
    broken::threads it{backend_options{.kind = backend_kind::thread}};
    check_defects(it, fault_of, broken::of_threads());
}
