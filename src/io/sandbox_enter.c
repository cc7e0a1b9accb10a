/* SPDX-License-Identifier: MIT
 * Limits, Landlock and a seccomp filter. Used by the child alone, before it reads a byte of what it
 * is to run: nothing here may depend on the rest of the library. */
#define _GNU_SOURCE
#include "io/sandbox_enter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#define MIB         ((rlim_t)1024 * 1024)
#define MEMORY      (128 * MIB) /* Lua's own 32 MiB, messages, the program */
#define CPU_SECONDS 3           /* until the parent sets what a call may take */
#define X32_CALL    0x40000000u

void oras_sandbox_close_all(void)
{
    if (close_range(ORAS_SANDBOX_FD + 1, ~0U, 0) == 0)
        return;
    for (int fd = ORAS_SANDBOX_FD + 1; fd < 65536; fd++) /* a kernel before 5.9 */
        close(fd);
}

/* --- limits --------------------------------------------------------------------------------- */

static int set_limit(int resource, rlim_t soft, rlim_t hard)
{
    const struct rlimit limit = {soft, hard};

    return setrlimit((__rlimit_resource_t)resource, &limit);
}

static int enter_limits(void)
{
    struct rlimit cpu;

    if (getrlimit(RLIMIT_CPU, &cpu) != 0)
        return -1;
    /* the parent raises the soft limit for each call */
    if (set_limit(RLIMIT_CPU, cpu.rlim_max < CPU_SECONDS ? cpu.rlim_max : CPU_SECONDS,
                  cpu.rlim_max) != 0)
        return -1;
    return set_limit(RLIMIT_AS, MEMORY, MEMORY) | set_limit(RLIMIT_CORE, 0, 0) |
           set_limit(RLIMIT_FSIZE, 0, 0) | set_limit(RLIMIT_NPROC, 0, 0) |
           set_limit(RLIMIT_NOFILE, ORAS_SANDBOX_FD + 1, ORAS_SANDBOX_FD + 1);
}

/* --- Landlock ------------------------------------------------------------------------------- */

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self  446
#endif

/* linux/landlock.h of any age: all rights of all versions, of which none is given back */
typedef struct landlock_rules {
    uint64_t files, network, scopes;
} landlock_rules;

static landlock_rules rules_of(long version)
{
    static const int n_files[] = {0, 13, 14, 15, 15, 16};
    int n = n_files[version < 5 ? version : 5];

    return (landlock_rules){(1ULL << n) - 1, version >= 4 ? 3 : 0, version >= 6 ? 3 : 0};
}

static size_t rules_size(long version)
{
    if (version < 4)
        return offsetof(landlock_rules, network);
    return version < 6 ? offsetof(landlock_rules, scopes) : sizeof(landlock_rules);
}

static int enter_landlock(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* which version */);
    landlock_rules rules;
    int fd;
    long rc;

    if (version < 1)
        return 0; /* not in this kernel, or not switched on: seccomp stands alone */
    rules = rules_of(version);
    fd = (int)syscall(SYS_landlock_create_ruleset, &rules, rules_size(version), 0);
    if (fd < 0)
        return -1;
    rc = syscall(SYS_landlock_restrict_self, fd, 0);
    close(fd);
    return (int)rc;
}

/* --- seccomp -------------------------------------------------------------------------------- */

#define FIELD(name)    ((uint32_t)offsetof(struct seccomp_data, name))
#define LOW_OF(n)      (FIELD(args) + 8U * (n)) /* little-endian */
#define HIGH_OF(n)     (LOW_OF(n) + 4U)
#define LOAD(offset)   BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define KILL           ANSWER(SECCOMP_RET_KILL_PROCESS)
#define ALLOW          ANSWER(SECCOMP_RET_ALLOW)
/* if the word is (not) so, do the next instruction, else skip n */
#define UNLESS_EQUAL(value, n)     BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (n))
#define UNLESS_DIFFERENT(value, n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (n), 0)
#define UNLESS_ANY_BIT(bits, n)    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 0, (n))
#define PERMIT(call)               UNLESS_EQUAL(SYS_##call, 1), ALLOW

/* On that descriptor alone. */
#define PERMIT_ON(call, fd)                                                                        \
    UNLESS_EQUAL(SYS_##call, 6), LOAD(HIGH_OF(0)), UNLESS_DIFFERENT(0, 1), KILL, LOAD(LOW_OF(0)),  \
        UNLESS_EQUAL((fd), 1), ALLOW, LOAD(FIELD(nr))

/* Memory that is never code: the third argument is PROT_*. */
#define PERMIT_DATA(call)                                                                          \
    UNLESS_EQUAL(SYS_##call, 4), LOAD(LOW_OF(2)), UNLESS_ANY_BIT(PROT_EXEC, 1), KILL, ALLOW

static int enter_seccomp(void)
{
#ifdef ARCHITECTURE
    struct sock_filter filter[] = {
        LOAD(FIELD(arch)),
        UNLESS_DIFFERENT(ARCHITECTURE, 1),
        KILL,
        LOAD(FIELD(nr)),
#ifdef __x86_64__
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_CALL, 0, 1),
        KILL,
#endif
        PERMIT_ON(read, ORAS_SANDBOX_FD),
        PERMIT_ON(write, ORAS_SANDBOX_FD),
        PERMIT_DATA(mmap),
        PERMIT_DATA(mprotect),
        PERMIT(munmap),
        PERMIT(mremap),
        PERMIT(madvise),
        PERMIT(brk),
        PERMIT(futex),
        PERMIT(clock_gettime),
        PERMIT(getrandom),
        PERMIT(restart_syscall),
        PERMIT(rt_sigreturn),
        PERMIT(exit),
        PERMIT(exit_group),
        KILL,
    };
    const struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
#else
    errno =
        ENOSYS; /* the numbers of calls are not known here: no sandbox rather than half of one */
    return -1;
#endif
}

int oras_sandbox_enter(unsigned parts)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return ORAS_SANDBOX_SECCOMP;
    if ((parts & ORAS_SANDBOX_LANDLOCK) && enter_landlock() != 0)
        return ORAS_SANDBOX_LANDLOCK;
    if ((parts & ORAS_SANDBOX_LIMITS) && enter_limits() != 0)
        return ORAS_SANDBOX_LIMITS;
    if ((parts & ORAS_SANDBOX_SECCOMP) && enter_seccomp() != 0)
        return ORAS_SANDBOX_SECCOMP;
    return 0;
}
