/* sandbox_lock.c: what a sandbox child gives up. The filter is written by hand, so that it can be
 * read whole: everything is death but what is listed. */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "edge/sandbox_wire.h"

enum {
    CPU_SECONDS_MAX = 3600,
    STACK_BYTES_MAX = 1 << 20,
    SLACK_BYTES = 2 << 20,
    PAGE_BYTES = 4096
};

/* ASan asks for the signal stack at every throw, TSan for memory at nested ones: the filter of such
 * builds lets them. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#    define SANITIZED true
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#        define SANITIZED true
#    endif
#endif
#ifndef SANITIZED
#    define SANITIZED false
#endif

#if defined(__x86_64__)
#    define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#    define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#    error "say which AUDIT_ARCH_ this is"
#endif

/* Pages that the process has mapped; 0: unknown. */
static rlim_t mapped_bytes(void) {
    char text[64] = { 0 };
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) {
        return 0;
    }
    size_t got = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    return got == 0 ? 0 : (rlim_t)strtoull(text, NULL, 10) * (rlim_t)PAGE_BYTES;
}

static bool limit(__rlimit_resource_t what, rlim_t to) {
    const struct rlimit both = { to, to };
    return setrlimit(what, &both) == 0;
}

/* The engine has taken all its memory: what is mapped now is all there will ever be. The shadow
 * memory of the sanitizers is terabytes, so there only the engine's own limits hold. */
static bool limit_resources(void) {
    rlim_t mapped = mapped_bytes();
    return mapped > 0 && limit(RLIMIT_STACK, STACK_BYTES_MAX) &&
           (SANITIZED || limit(RLIMIT_AS, mapped + SLACK_BYTES)) && limit(RLIMIT_CORE, 0) &&
           limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_NPROC, 0) && limit(RLIMIT_NOFILE, 0) &&
           limit(RLIMIT_CPU, CPU_SECONDS_MAX);
}

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define SKIP_UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define END(action) BPF_STMT(BPF_RET | BPF_K, (action))
/* This call, with this first argument (its low half: a descriptor is an int). */
#define ALLOW_ON(number, descriptor)                                                               \
    SKIP_UNLESS(number, 4), LOAD(args[0]), SKIP_UNLESS(descriptor, 1), END(SECCOMP_RET_ALLOW),     \
        END(SECCOMP_RET_KILL_PROCESS)
#define ALLOW(number) SKIP_UNLESS(number, 1), END(SECCOMP_RET_ALLOW)
#if defined(__SANITIZE_THREAD__)
#    define ALLOW_SANITIZERS ALLOW(SYS_mmap), ALLOW(SYS_munmap), ALLOW(SYS_madvise)
#else
#    define ALLOW_SANITIZERS ALLOW(SANITIZED ? SYS_sigaltstack : SYS_exit_group)
#endif

bool cairn__sandbox_lock(void) {
    struct sock_filter filter[] = {
        LOAD(arch),
        SKIP_UNLESS(ARCHITECTURE, 1),
        BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
        END(SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
        ALLOW_ON(SYS_read, STDIN_FILENO),
        ALLOW_ON(SYS_write, STDOUT_FILENO),
        ALLOW(SYS_exit_group),
        ALLOW_SANITIZERS,
        ALLOW(SYS_rt_sigreturn),
        ALLOW(SYS_restart_syscall),
        END(SECCOMP_RET_KILL_PROCESS),
    };
    const struct sock_fprog program = { sizeof filter / sizeof filter[0], filter };
    return limit_resources() && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}
