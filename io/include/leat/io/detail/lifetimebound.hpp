// Lets Clang warn of what refers to a temporary.
#pragma once

// Behind a parameter, or behind a member function for the object itself: what is returned refers to
// it and must not outlive it. Nothing for compilers that do not know it.
#if defined(__has_cpp_attribute) && defined(__clang__)
#if __has_cpp_attribute(clang::lifetimebound)
#define LEAT_LIFETIMEBOUND [[clang::lifetimebound]]
#endif
#endif
#ifndef LEAT_LIFETIMEBOUND
#define LEAT_LIFETIMEBOUND
#endif
