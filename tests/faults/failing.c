/* File calls that fail at the n-th: built by gcc and preloaded into the children of tests/faults. Never part of the product.
 *
 * Counted are the calls that change files under FAULT_UNDER: open for writing, write, pwrite, ftruncate, fallocate, fsync, fdatasync, unlink, mkdir, rename.
 * fault_arm(n, mode, lasting): the n-th of them from now (from 1) fails with errno `mode`; mode -1 kills the process before it, -2 after it,
 * -3 writes the half of it and kills; lasting: all after it fail, too. FAULT_NOSYNC=1 makes every sync do nothing (a control for power cuts).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static long armed, seen, hit;
static int mode, lasting;
static char last[64] = "";

#define REAL(name) ((__typeof__(&name)) dlsym(RTLD_NEXT, #name))

void fault_arm(long n, int how, int on) { armed = n; mode = how; lasting = on; seen = 0; hit = 0; last[0] = 0; }
long fault_seen(void) { return seen; }
long fault_hit(void) { return hit; }
const char *fault_last(void) { return last; }

static int ours(const char *path) {
    const char *under = getenv("FAULT_UNDER");
    return under && path && !strncmp(path, under, strlen(under));
}

static int ours_open(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return ours(path);
}

/* 0: do it; 1: fail with errno; 2: do it, then die; 3: do the half, then die */
static int turn(const char *name) {
    if (!armed) return 0;
    seen++;
    if (seen < armed || (seen > armed && !lasting)) return 0;
    hit++;
    if (!last[0]) snprintf(last, sizeof last, "%s", name);
    if (mode == -1) { kill(getpid(), SIGKILL); pause(); }
    if (mode == -2) return 2;
    if (mode == -3) return 3;
    errno = mode;
    return 1;
}

static void die(void) { kill(getpid(), SIGKILL); pause(); }

static int nosync(void) { const char *on = getenv("FAULT_NOSYNC"); return on && *on == '1'; }

#define OPEN(name) \
int name(const char *path, int flags, ...) { \
    mode_t bits = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); bits = va_arg(more, mode_t); va_end(more); } \
    int how = ours(path) && (flags & (O_CREAT | O_WRONLY | O_RDWR)) ? turn(#name) : 0; \
    if (how == 1) return -1; \
    int fd = REAL(name)(path, flags, bits); \
    if (how) die(); \
    return fd; \
}
#define OPENAT(name) \
int name(int folder, const char *path, int flags, ...) { \
    mode_t bits = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); bits = va_arg(more, mode_t); va_end(more); } \
    int how = ours(path) && (flags & (O_CREAT | O_WRONLY | O_RDWR)) ? turn(#name) : 0; \
    if (how == 1) return -1; \
    int fd = REAL(name)(folder, path, flags, bits); \
    if (how) die(); \
    return fd; \
}
#define PWRITE(name, offset) \
ssize_t name(int fd, const void *from, size_t size, offset at) { \
    int how = ours_open(fd) ? turn(#name) : 0; \
    if (how == 1) return -1; \
    ssize_t done = REAL(name)(fd, from, how == 3 ? size / 2 : size, at); \
    if (how) die(); \
    return done; \
}
#define ON_FD(name, kind, arguments, call) \
kind name arguments { \
    int how = ours_open(fd) ? turn(#name) : 0; \
    if (how == 1) return -1; \
    kind done = REAL(name) call; \
    if (how) die(); \
    return done; \
}
#define ON_PATH(name, arguments, call) \
int name arguments { \
    int how = ours(path) ? turn(#name) : 0; \
    if (how == 1) return -1; \
    int done = REAL(name) call; \
    if (how) die(); \
    return done; \
}
#define SYNC(name) \
int name(int fd) { \
    int how = ours_open(fd) ? turn(#name) : 0; \
    if (how == 1) return -1; \
    int done = nosync() ? 0 : REAL(name)(fd); \
    if (how) die(); \
    return done; \
}
#define FALLOCATE(name, offset) \
int name(int fd, offset from, offset size) { \
    int how = ours_open(fd) ? turn(#name) : 0; \
    if (how == 1) return errno; \
    int done = REAL(name)(fd, from, size); \
    if (how) die(); \
    return done; \
}

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)
SYNC(fsync)
SYNC(fdatasync)
FALLOCATE(posix_fallocate, off_t)
FALLOCATE(posix_fallocate64, off64_t)
ON_FD(ftruncate, int, (int fd, off_t size), (fd, size))
ON_FD(ftruncate64, int, (int fd, off64_t size), (fd, size))
ON_PATH(unlink, (const char *path), (path))
ON_PATH(mkdir, (const char *path, mode_t bits), (path, bits))
ON_PATH(rename, (const char *path, const char *to), (path, to))

ssize_t write(int fd, const void *from, size_t size) {
    int how = ours_open(fd) ? turn("write") : 0;
    if (how == 1) return -1;
    ssize_t done = REAL(write)(fd, from, how == 3 ? size / 2 : size);
    if (how) die();
    return done;
}

int unlinkat(int folder, const char *path, int flags) {
    int how = ours(path) ? turn("unlinkat") : 0;
    if (how == 1) return -1;
    int done = REAL(unlinkat)(folder, path, flags);
    if (how) die();
    return done;
}

int renameat(int from, const char *path, int over, const char *to) {
    int how = ours(path) ? turn("renameat") : 0;
    if (how == 1) return -1;
    int done = REAL(renameat)(from, path, over, to);
    if (how) die();
    return done;
}
