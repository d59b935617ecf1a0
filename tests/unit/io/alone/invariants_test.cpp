// The invariants of backends, credit and arenas: each is noticed when it is broken.
#include "arena_support.hpp"
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
    /// One of two buffers of 1 MiB is used, one of 2 MiB, and one of 3; a segment is free, and one
    /// has been given back.
    struct arena {
        arena() {
            small = of.allocate(1 << 20);
            of.release(of.allocate(1 << 20), 1 << 20);
            std::byte* const free_again = of.allocate(2 << 20);
            large = of.allocate(3 << 20);
            std::byte* const given_back = of.allocate(2 << 20);
            whole = of.allocate(2 << 20);
            of.release(given_back, 2 << 20);
            of.release(free_again, 2 << 20);
            of.set_budget(10 << 20);
        }
        ~arena() {
            of.release(small, 1 << 20);
            of.release(large, 3 << 20);
            of.release(whole, 2 << 20);
        }
        [[nodiscard]] buffer_arena::segment& half() { return of.segments_[0]; }
        [[nodiscard]] buffer_arena::segment& free() { return of.segments_[1]; }
        [[nodiscard]] buffer_arena::segment& first() { return of.segments_[2]; }
        [[nodiscard]] buffer_arena::segment& second() { return of.segments_[3]; }
        [[nodiscard]] buffer_arena::segment& unmapped() { return of.segments_[4]; }
        [[nodiscard]] buffer_arena::segment& full() { return of.segments_[5]; }
        [[nodiscard]] static void* nobody() { return buffer_part::nobody(); }

        void list_in(buffer_arena::segment_list& list,
                     buffer_arena::segment& wrong,
                     undone& after) {
            list.push_back(wrong);
            after.then([&] { list.erase(list.iterator_to(wrong)); });
        }
        void empty(buffer_arena::segment_list& list, undone& after) {
            buffer_arena::segment& only = list.front();
            list.clear();
            after.then([&] { list.push_back(only); });
        }
        buffer_arena of{{.budget = 12 << 20, .huge_pages = false}};
        test::recording_backend through;
        std::byte* small = nullptr;
        std::byte* large = nullptr;
        std::byte* whole = nullptr;
        char somebody = 0;
    };
    /// A buffer of 4 KiB lies in a small slab.
    struct slabs {
        slabs() { small = of.allocate(4096, &somebody); }
        ~slabs() { of.release(small, 4096); }
        [[nodiscard]] buffer_arena::segment& segment() { return of.segments_[0]; }
        [[nodiscard]] buffer_part& slab() { return of.slabs_[1].parts[0]; }
        [[nodiscard]] buffer_part& around() { return of.slabs_[0].parts[0]; }

        buffer_arena of{{.budget = 12 << 20,
                         .huge_pages = false,
                         .segment_bytes = 4 << 20,
                         .slab_bytes = 1 << 20,
                         .small_slab_bytes = 64 << 10}};
        std::byte* small = nullptr;
        char somebody = 0;
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
            {"a segment is longer than its place",
             [](arena& it, undone& after) { after.set(it.half().bytes, 3 << 20); }},
            {"a segment is divided that is not mapped",
             [](arena& it, undone& after) { after.set(it.unmapped().buffer_bytes, 1 << 20); }},
            {"a segment is registered that cannot be",
             [](arena& it, undone& after) { after.set(it.half().registered, true); }},
            {"more of a segment has been touched than there is",
             [](arena& it, undone& after) { after.set(it.half().touched, 3 << 20); }},
            {"a segment is registered that has not been touched",
             [](arena& it, undone& after) {
                 after.set(it.of.backend_, &it.through);
                 after.set(it.half().registered, true);
             }},
            {"a segment is closed in which nothing is used",
             [](arena& it, undone& after) { after.set(it.free().closed, true); }},
            {"closed segments are counted wrongly",
             [](arena& it, undone& after) { after.set(it.of.closed_bytes_, 1); }},
            {"segments that are to be touched are counted wrongly",
             [](arena& it, undone& after) { after.set(it.of.untouched_, 0); }},
            {"a segment that is to be touched is passed over",
             [](arena& it, undone& after) { after.set(it.of.next_untouched_, 7); }},
            {"segments that are shorter are counted wrongly",
             [](arena& it, undone& after) { after.set(it.of.shortened_, 1); }},
            {"the last segment is not mapped",
             [](arena& it, undone& after) {
                 it.of.segments_.emplace_back(it.of.segments_.size(), nullptr);
                 after.then([&it] { it.of.segments_.pop_back(); });
             }},
            {"a segment belongs to neighbours that it has not",
             [](arena& it, undone& after) { after.set(it.half().first, 1); }},
            {"a segment belongs to neighbours that it has not",
             [](arena& it, undone& after) { after.set(it.half().run, 2); }},
            {"a segment belongs to neighbours that it has not",
             [](arena& it, undone& after) { after.set(it.full().run, 0); }},
            {"a segment belongs to neighbours that it has not",
             [](arena& it, undone& after) { after.set(it.second().buffer_bytes, 1); }},
            {"a long buffer has lost one of its segments",
             [](arena& it, undone& after) { after.set(it.second().first, 3); }},
            {"buffers reach beyond their segment",
             [](arena& it, undone& after) { after.set(it.half().buffer_bytes, 2 << 20); }},
            {"a segment is divided and belongs to no class",
             [](arena& it, undone& after) { after.set(it.half().of, nullptr); }},
        };
    }
    static std::vector<defect<arena>> of_places() {
        return {
            {"a segment has more free places than places",
             [](arena& it, undone& after) { after.set(it.half().vacant, {0, 0, 0}); }},
            {"a place is free that has a user",
             [](arena& it, undone& after) {
                 after.set(it.half().users[it.half().vacant[0]], &it.somebody);
             }},
            {"a place is neither free nor used",
             [](arena& it, undone& after) { after.set(it.half().vacant, {}); }},
            {"a buffer is used in a segment that has none",
             [](arena& it, undone& after) {
                 after.set(it.free().users, {&it.somebody});
                 after.set(it.free().vacant, {});
             }},
            {"an empty segment is divided",
             [](arena& it, undone& after) {
                 after.set(it.half().users, {it.nobody(), it.nobody()});
                 after.set(it.half().vacant, {0, 1});
             }},
        };
    }
    static std::vector<defect<arena>> of_lists() {
        return {
            {"a list counts as empty that is not, or the other way round",
             [](arena& it, undone& after) { after.set(it.half().of->marks, 0); }},
            {"a list counts as empty that is not, or the other way round",
             [](arena& it, undone& after) { after.set(it.of.classes_[0].marks, 1); }},
            {"a segment is listed with another class than its own",
             [](arena& it, undone& after) { after.set(it.half().of, &it.of.classes_[0]); }},
            {"a segment is listed as fuller or emptier than it is",
             [](arena& it, undone& after) {
                 buffer_arena::segment& half = it.half();
                 half.of->remove(half);
                 half.of->lists[0].push_back(half);
                 half.of->marks = 1;
                 after.then([&half] {
                     half.of->lists[0].clear();
                     half.of->marks = 0;
                     half.of->add(half);
                 });
             }},
            {"a segment counts as free that is not",
             [](arena& it, undone& after) { it.list_in(it.of.free_, it.second(), after); }},
            {"a segment counts as unmapped that is not",
             [](arena& it, undone& after) { it.list_in(it.of.unmapped_, it.second(), after); }},
            {"a divided segment is not listed",
             [](arena& it, undone& after) {
                 size_class& of = *it.half().of;
                 of.remove(it.half());
                 after.then([&it, &of] { of.add(it.half()); });
             }},
            {"a class counts its places wrongly",
             [](arena& it, undone& after) { after.set(it.half().of->places, 7); }},
            {"a class counts its places wrongly",
             [](arena& it, undone& after) { after.set(it.half().of->used, 7); }},
            {"a free segment is not listed",
             [](arena& it, undone& after) { it.empty(it.of.free_, after); }},
            {"an unmapped segment is not listed",
             [](arena& it, undone& after) { it.empty(it.of.unmapped_, after); }},
        };
    }
    static std::vector<defect<slabs>> of_slabs() {
        return {
            {"a slab is divided where none is, or none is",
             [](slabs& it, undone& after) { after.set(it.segment().users[0], &it.somebody); }},
            {"a slab is divided where none is, or none is",
             [](slabs& it, undone& after) { after.set(it.slab().buffer_bytes, 0); }},
            {"a slab is divided where none is, or none is",
             [](slabs& it, undone& after) { after.set(it.around().buffer_bytes, 4096); }},
            {"an empty slab is divided",
             [](slabs& it, undone& after) {
                 after.set(it.slab().users, {buffer_part::nobody()});
                 after.set(it.slab().vacant, {0});
             }},
            {"a slab is closed and its segment is not, or the other way round",
             [](slabs& it, undone& after) { after.set(it.slab().closed, true); }},
            {"a slab is divided and belongs to no class",
             [](slabs& it, undone& after) { after.set(it.slab().of, nullptr); }},
            {"a place is neither free nor used",
             [](slabs& it, undone& after) {
                 after.set(it.slab().users, {&it.somebody, buffer_part::nobody()});
             }},
            {"buffers reach beyond their slab",
             [](slabs& it, undone& after) { after.set(it.slab().places, 1000); }},
            {"what is used of a slab is counted wrongly",
             [](slabs& it, undone& after) { after.set(it.around().used_bytes, 0); }},
            {"what is used of a segment is counted wrongly",
             [](slabs& it, undone& after) { after.set(it.segment().used_bytes, 7); }},
        };
    }
    static std::vector<defect<arena>> of_counts() {
        return {
            {"segments are counted wrongly",
             [](arena& it, undone& after) { after.set(it.of.statistics_.plain_segments, 7); }},
            {"segments are counted wrongly",
             [](arena& it, undone& after) { after.set(it.of.statistics_.segments, 7); }},
            {"mapped bytes are counted wrongly",
             [](arena& it, undone& after) { after.set(it.of.statistics_.mapped_bytes, 7); }},
            {"divided bytes are counted wrongly",
             [](arena& it, undone& after) { after.set(it.of.statistics_.divided_bytes, 7); }},
            {"used bytes are counted wrongly",
             [](arena& it, undone& after) { after.set(it.of.statistics_.used_bytes, 7); }},
            {"registered bytes are counted wrongly",
             [](arena& it, undone& after) { after.set(it.of.statistics_.registered_bytes, 7); }},
            {"more is mapped than the budget allows, and not all is used",
             [](arena& it, undone& after) { after.set(it.of.options_.budget, 1 << 20); }},
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
    broken::slabs with_slabs;
    check_defects(with_slabs, fault_of, broken::of_slabs());
    check_defects(it, fault_of, broken::of_places());
    check_defects(it, fault_of, broken::of_lists());
    check_defects(it, fault_of, broken::of_counts());
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
