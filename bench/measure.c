/* SPDX-License-Identifier: MIT
 * measure REPORT COMMAND...: run a command and write "wall_us cpu_us peak_kb status" to REPORT.
 * A small parent, because a child begins with the peak memory of the process that forked it. */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static long long time_us(const struct timeval *value)
{
    return (long long)value->tv_sec * 1000000 + value->tv_usec;
}

int main(int argc, char **argv)
{
    struct rusage usage;
    long long start, wall;
    int status = 0;
    FILE *report;
    pid_t pid;

    if (argc < 3)
        return 2;
    start = now_us();
    pid = fork();
    if (pid == 0) {
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
        return 1;
    wall = now_us() - start;
    report = fopen(argv[1], "w");
    if (!report)
        return 1;
    fprintf(report, "%lld %lld %ld %d\n", wall, time_us(&usage.ru_utime) + time_us(&usage.ru_stime),
            usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return fclose(report) == 0 ? 0 : 1;
}
