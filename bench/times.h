/* SPDX-License-Identifier: MIT
 * What the programs that measure themselves share. */
#ifndef ORAS_BENCH_TIMES_H
#define ORAS_BENCH_TIMES_H

#include <oras.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static inline int compare_times(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static inline double median(double *values, size_t n)
{
    qsort(values, n, sizeof *values, compare_times);
    return values[n / 2];
}

static inline int fail(const oras_error *err)
{
    fprintf(stderr, "bench: %s\n", err->message);
    return 1;
}

#endif
