// Reads the traces that are files.
#pragma once

#include "replay/trace.hpp"

#include <string>

namespace leat::perf {

/// Reads a trace into memory. A recording of leat's is known by how it begins, whatever its name
/// is; see read_recording. Of others the kind is told by the end of its name, whether ".zst"
/// follows or not. Whether any is compressed is told by its first bytes:
///
/// - ".ids": the id of an object a line, a whole number below 2^64.
/// - ".io.csv": a header, then `time,object,offset,size,op` a line: seconds, the id of a file, and
///   bytes; more columns may follow, and what asks for no bytes is passed over. A file is as long
///   as its requests reach.
///
/// Throws CLI::ValidationError if the name tells no kind, boost::system::system_error if the file
/// cannot be read, and std::runtime_error, with file and line, for what is no trace.
[[nodiscard]] trace read_trace(const std::string& path);

}  // namespace leat::perf
