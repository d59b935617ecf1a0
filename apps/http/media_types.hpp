// Content types by the names of files.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace leat::http {

/// Which type the content of a file has, by its name's ending. Immutable: any thread.
class media_types {
public:
    /// The types of a file of Debian's media-types package, "TYPE ENDING..." a line, and those that
    /// browsers need, of a table in the program, where it names no other. One that cannot be read
    /// is as if it were empty; lines that are malformed are passed over.
    [[nodiscard]] static media_types read(const std::string& file);

    /// The same of such a file's text.
    explicit media_types(std::string_view text = {});

    /// The type of `name`, a name or a path, by what comes behind its last dot, in letters of any
    /// case; with a charset if it is text: "text/html; charset=utf-8". "application/octet-stream"
    /// if it is not known. Lives as long as this.
    [[nodiscard]] std::string_view of(std::string_view name) const noexcept;

private:
    void add(std::string_view text);

    std::map<std::string, std::string, std::less<>> types_;  // by endings in lower case
};

}  // namespace leat::http
