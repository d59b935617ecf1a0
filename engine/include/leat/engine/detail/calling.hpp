// A node that calls a member function of the object that it is a part of.
#pragma once

namespace leat::detail {

template <class Node, auto Member>
class calling;

/// A Node, such as work, a timer or a stop_listener, whose function is `Member` of `whole`:
///
///     calling<timer, &socket_state::deadline_reached> alarm_{*this};
template <class Node, class Whole, void (Whole::*Member)() noexcept>
class calling<Node, Member> final : public Node {
public:
    explicit calling(Whole& whole) noexcept : Node(&call), whole_(whole) {}

private:
    // Node's function takes a Node, or what that is derived from.
    template <class Base>
    static void call(Base& node) noexcept {
        (static_cast<calling&>(node).whole_.*Member)();
    }

    Whole& whole_;
};

}  // namespace leat::detail
