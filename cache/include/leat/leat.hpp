// Everything of leat but its Asio guest.
#pragma once

#include <leat/cache/chunk_manager.hpp>
#include <leat/cache/recording.hpp>
#include <leat/engine/engine.hpp>
#include <leat/engine/for_each.hpp>
#include <leat/engine/host_loop.hpp>
#include <leat/engine/manual_reset_event.hpp>
#include <leat/engine/mutex.hpp>
#include <leat/engine/offload.hpp>
#include <leat/engine/per_shard.hpp>
#include <leat/engine/queue.hpp>
#include <leat/engine/resume_on.hpp>
#include <leat/engine/scope.hpp>
#include <leat/engine/semaphore.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/task.hpp>
#include <leat/engine/when_any.hpp>
#include <leat/engine/with_scope.hpp>
#include <leat/engine/with_timeout.hpp>
#include <leat/version.hpp>
