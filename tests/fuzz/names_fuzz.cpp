// Names: no name opens anything outside a root, and any name fits into an error's sentence.
#include "input.hpp"
#include "pattern.hpp"
#include "small_engine.hpp"

#include <leat/leat.hpp>

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <set>

using namespace leat;
using leat::test::require;

namespace {

/// A root with links that lead out of it, and a manager of what lies below.
class tree {
public:
    tree() {
        namespace fs = std::filesystem;
        folder_.make("outside", 10);
        const std::string root = folder_.path("root");
        fs::create_directories(root + "/a/b");
        for (const char* const name : {"root/f", "root/a/f", "root/a/b/f"}) {
            folder_.make(name, 10);
            struct stat status{};
            require(::stat(folder_.path(name).c_str(), &status) == 0, "a file of the tree");
            inside_.insert(status.st_ino);
        }
        fs::create_symlink("../outside", root + "/o");
        fs::create_symlink("..", root + "/u");
        fs::create_symlink("a/b", root + "/l");
        fs::create_symlink("/proc/self/root", root + "/m");
        fs::create_symlink("../../..", root + "/a/b/u");
        engine_.emplace(test::small_engine(1, 1 * MiB, 64 * KiB, io::backend_kind::thread));
        manager_.emplace(*engine_, file_source{root});
    }
    void open(const std::string& name) {
        try {
            const file opened = engine_->run(manager_->open(name));
            require(inside_.contains(opened.version().inode), "a name has led out of the root");
            require(name.find('\0') == std::string::npos, "a name with a NUL was opened");
        } catch (const system_error& failure) {
            require(failure.where().doing == activity::open, "where a name fails");
            require(std::string_view{failure.what()}.size() >= 10, "the sentence of a failure");
        }
    }

private:
    const test::temporary_folder folder_;
    std::set<ino_t> inside_;
    std::optional<engine> engine_;
    std::optional<chunk_manager> manager_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static tree all;
    const std::string name{test::input{data, size}.rest()};
    leat::where at{.doing = activity::open};
    at.set_name(name);
    require(at.name.back() == '\0', "the end of a name");
    all.open(name);
    return 0;
}
