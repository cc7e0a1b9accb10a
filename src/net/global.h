/* SPDX-License-Identifier: MIT
 * curl for the whole process, with the library's allocator. */
#ifndef ORAS_NET_GLOBAL_H
#define ORAS_NET_GLOBAL_H

#include "base/error.h"

/** Set curl up; as often as wanted, from any thread. Only the first call in a process (ours or
 * another library's) decides about curl's memory. */
oras_code oras_net_init(oras_error *err);

#endif
