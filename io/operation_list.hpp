// Lists of operations as the backends keep them.
#pragma once

#include <leat/io/detail/operation.hpp>

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <utility>

namespace leat::io {

/// Without a count, so that an operation can be unlinked without knowing which list holds it.
using operation_list =
    boost::intrusive::list<operation, boost::intrusive::constant_time_size<false>>;

inline void unlink(operation& op) noexcept {
    operation_list::node_algorithms::unlink(operation_list::value_traits::to_node_ptr(op));
    operation_list::node_algorithms::init(operation_list::value_traits::to_node_ptr(op));
}

/// With more operations in flight debug builds do not look at each after every run.
inline constexpr std::size_t most_operations_checked = 1000;

/// Counts operations by kind and descriptor, for backend::owed.
class operation_summary {
public:
    void add(const operation& op) { ++counts_[{op.code, op.descriptor}]; }

    void add(const operation_list& list) {
        for (const operation& op : list) {
            add(op);
        }
    }

    /// "2 reads of descriptor 7, 1 open", or "nothing".
    [[nodiscard]] std::string text() const;

private:
    std::map<std::pair<opcode, int>, unsigned> counts_;
};

}  // namespace leat::io
