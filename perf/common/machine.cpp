// Asks for the CPU, the kernel and the disk.
#include "common/machine.hpp"

#include <spdlog/fmt/chrono.h>
#include <spdlog/fmt/fmt.h>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace leat::perf {

namespace {

std::string first_line(const std::filesystem::path& path) {
    std::ifstream file{path};
    std::string line;
    std::getline(file, line);
    while (!line.empty() && line.back() == ' ') line.pop_back();
    return line;
}

std::string cpu_model() {
    std::ifstream file{"/proc/cpuinfo"};
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    }
    return "unknown";
}

// The folder of a block device in /sys; of the whole device for a partition.
std::filesystem::path device_folder(dev_t device) {
    std::error_code error;
    const std::filesystem::path link =
        fmt::format("/sys/dev/block/{}:{}", ::major(device), ::minor(device));
    std::filesystem::path folder = std::filesystem::canonical(link, error);
    if (error) return {};
    return std::filesystem::exists(folder / "queue") ? folder : folder.parent_path();
}

std::string device_model(const std::filesystem::path& folder) {
    const std::string model = first_line(folder / "device/model");
    if (!model.empty()) return model;
    std::error_code error;
    const auto driver = std::filesystem::read_symlink(folder / "device/driver", error);
    return error ? "unknown" : driver.filename().string();
}

// "[none] mq-deadline": the one in brackets is in use.
std::string scheduler(const std::filesystem::path& folder) {
    const std::string all = first_line(folder / "queue/scheduler");
    const std::size_t begin = all.find('[');
    const std::size_t end = all.find(']');
    return begin < end && end != std::string::npos ? all.substr(begin + 1, end - begin - 1) : all;
}

// The line of mountinfo with this device: "36 35 98:0 / /mnt rw - ext4 /dev/vda rw".
std::string file_system(dev_t device) {
    const std::string wanted = fmt::format("{}:{}", ::major(device), ::minor(device));
    std::ifstream file{"/proc/self/mountinfo"};
    for (std::string line; std::getline(file, line);) {
        std::istringstream words{line};
        std::string id;
        std::string parent;
        std::string number;
        words >> id >> parent >> number;
        const std::size_t dash = line.find(" - ");
        if (number != wanted || dash == std::string::npos) continue;
        return line.substr(dash + 3, line.find(' ', dash + 3) - dash - 3);
    }
    return "unknown";
}

}  // namespace

machine_description describe_machine(const std::string& path) {
    utsname system{};
    ::uname(&system);
    struct stat attributes{};
    const bool known = ::stat(path.c_str(), &attributes) == 0;
    const bool is_device = known && S_ISBLK(attributes.st_mode);
    const dev_t device = is_device ? attributes.st_rdev : attributes.st_dev;
    const std::filesystem::path folder = known ? device_folder(device) : std::filesystem::path{};
    const long memory = ::sysconf(_SC_PHYS_PAGES) * ::sysconf(_SC_PAGESIZE);
    return {
        {"date", fmt::format("{:%Y-%m-%d %H:%M} UTC", fmt::gmtime(std::time(nullptr)))},
        {"cpu", cpu_model()},
        {"cpus", std::to_string(::sysconf(_SC_NPROCESSORS_ONLN))},
        {"kernel", system.release},
        {"memory_bytes", std::to_string(memory)},
        {"device", folder.empty() ? "unknown" : device_model(folder)},
        {"scheduler", folder.empty() ? "unknown" : scheduler(folder)},
        {"file_system", is_device ? "none, a device" : file_system(device)},
    };
}

}  // namespace leat::perf
