// The version of the headers in use; the library's own is `leat --version` of the programs.
#pragma once

#define LEAT_VERSION_MAJOR 0
#define LEAT_VERSION_MINOR 1
#define LEAT_VERSION_PATCH 0
#define LEAT_VERSION "0.1.0"
