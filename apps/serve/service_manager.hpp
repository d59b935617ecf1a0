// What systemd, or another service manager, gives a program and is told by it.
#pragma once

#include <string_view>
#include <vector>

namespace leat::serve {

/// The sockets that were passed on (LISTEN_FDS), which are the caller's; none if the program was
/// started in another way. The variables are removed from the environment: call it once.
[[nodiscard]] std::vector<int> passed_sockets();

/// Tells the service manager, such as "READY=1" (NOTIFY_SOCKET); nothing without one.
void notify(std::string_view state) noexcept;

/// The same before a reload: "RELOADING=1" with the time, as Type=notify-reload wants it.
void notify_reloading() noexcept;

}  // namespace leat::serve
