// A table of defects: each breaks one invariant, which says so, and is undone again.
#pragma once

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <functional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace leat::test {

/// Changes that are taken back, the last first, when it is destroyed.
class undone {
public:
    undone() = default;
    undone(const undone&) = delete;
    undone& operator=(const undone&) = delete;
    ~undone() {
        while (!back_.empty()) {
            back_.back()();
            back_.pop_back();
        }
    }

    template <class T>
    void set(T& where, std::type_identity_t<T> value) {
        back_.push_back([&where, before = where] { where = before; });
        where = std::move(value);
    }
    template <class T>
    void set(std::atomic<T>& where, std::type_identity_t<T> value) {
        back_.push_back([&where, before = where.load()] { where = before; });
        where = value;
    }
    void then(std::function<void()> function) { back_.push_back(std::move(function)); }

private:
    std::vector<std::function<void()>> back_;
};

/// What fault() says when `break_it` has been called.
template <class State>
struct defect {
    const char* sentence;
    void (*break_it)(State&, undone&);
};

/// Checks that fault(of) is nullptr, each defect's sentence while it is there, and nullptr again.
template <class State, class Fault>
void check_defects(State& of, Fault fault, const std::vector<defect<State>>& all) {
    const auto said = [&] {
        const char* const sentence = fault(of);
        return std::string_view{sentence != nullptr ? sentence : ""};
    };
    BOOST_TEST(said() == "");
    for (const defect<State>& one : all) {
        {
            undone after;
            one.break_it(of, after);
            BOOST_TEST(said() == one.sentence);
        }
        BOOST_TEST(said() == "");
    }
}

}  // namespace leat::test
