// How much the kernel keeps for a peer that is slow.
#pragma once

namespace leat::apps {

/// Bytes that the kernel keeps for a peer beyond what is on its way to it (TCP_NOTSENT_LOWAT): 64
/// KiB. Without a limit it takes megabytes for each that is slow, and tells that there is room
/// again only when a third of them has gone.
inline constexpr int most_unsent = 1 << 16;

}  // namespace leat::apps
