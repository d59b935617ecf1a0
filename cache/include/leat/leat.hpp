// Everything of leat but its Asio guest.
#pragma once

#include <leat/cache/chunk_manager.hpp>
#include <leat/engine/engine.hpp>
#include <leat/engine/scope.hpp>
#include <leat/engine/sleep.hpp>
#include <leat/engine/task_name.hpp>
#include <leat/engine/with_timeout.hpp>
#include <leat/version.hpp>
