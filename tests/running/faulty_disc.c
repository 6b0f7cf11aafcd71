/* A disc that fails on order: preloaded into a process, it counts what is done to the files of one folder
 * and, at the operation it was told, kills the process or lets the operation fail.
 *
 *     cc -shared -fPIC -o faulty_disc.so faulty_disc.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

enum { COUNT, BEFORE, HALF, AFTER, EIO_ONCE, FULL, READ_ONLY };

static char folder[4096];
static long site;
static int way;
static atomic_long operations;

/* Begin to count operations on files below `where`; at number `at` (from 1) do what `how` says. */
void faulty_disc_arm(const char *where, long at, int how)
{
    strncpy(folder, where, sizeof folder - 1);
    site = at;
    way = how;
    atomic_store(&operations, 0);
}

long faulty_disc_count(void) { return atomic_load(&operations); }

static int is_ours(const char *path) { return folder[0] && strncmp(path, folder, strlen(folder)) == 0; }

static int is_our_file(int file)
{
    char link[64], path[4096];
    if (!folder[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_ours(path);
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

/* What is to happen with this operation: 0 nothing, an error number, or -1 for dying half-way, -2 after it. */
static int verdict(int takes_room)
{
    long number = atomic_fetch_add(&operations, 1) + 1;
    if (way == FULL) return number >= site && takes_room ? ENOSPC : 0;
    if (number != site) return 0;
    switch (way) {
    case BEFORE: die();
    case HALF: return -1;
    case AFTER: return -2;
    case EIO_ONCE: return EIO;
    default: return 0;
    }
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define DO(ours, takes_room, half, real)                                                                     \
    do {                                                                                                     \
        int what = (ours) ? verdict(takes_room) : 0;                                                         \
        if (what > 0) { errno = what; return -1; }                                                           \
        if (what == -1) { half; die(); }                                                                     \
        __typeof__(real) result = real;                                                                      \
        if (what == -2) die();                                                                               \
        return result;                                                                                       \
    } while (0)

ssize_t write(int file, const void *bytes, size_t size)
{
    DO(is_our_file(file), 1, REAL(write)(file, bytes, size / 2), REAL(write)(file, bytes, size));
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t at)
{
    DO(is_our_file(file), 1, REAL(pwrite)(file, bytes, size / 2, at), REAL(pwrite)(file, bytes, size, at));
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t at)
{
    DO(is_our_file(file), 1, REAL(pwrite64)(file, bytes, size / 2, at), REAL(pwrite64)(file, bytes, size, at));
}

int fsync(int file) { DO(is_our_file(file), 0, (void)0, REAL(fsync)(file)); }

int fdatasync(int file) { DO(is_our_file(file), 0, (void)0, REAL(fdatasync)(file)); }

int ftruncate(int file, off_t size) { DO(is_our_file(file), 1, (void)0, REAL(ftruncate)(file, size)); }

int ftruncate64(int file, off64_t size) { DO(is_our_file(file), 1, (void)0, REAL(ftruncate64)(file, size)); }

int rename(const char *from, const char *to) { DO(is_ours(to), 1, (void)0, REAL(rename)(from, to)); }

int unlink(const char *path) { DO(is_ours(path), 0, (void)0, REAL(unlink)(path)); }

/* Opening counts where it makes or changes a file; on a read-only disc it fails there. */
static int opening(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode)
{
    int changes = is_ours(path) && (flags & (O_CREAT | O_TRUNC));
    if (way == READ_ONLY && is_ours(path) && (flags & (O_WRONLY | O_RDWR | O_CREAT))) {
        errno = EROFS;
        return -1;
    }
    DO(changes, 1, (void)0, real(path, flags, mode));
}

#define MODE(flags) ({ mode_t mode = 0; if ((flags) & O_CREAT) { va_list rest; va_start(rest, flags);        \
    mode = va_arg(rest, mode_t); va_end(rest); } mode; })

int open(const char *path, int flags, ...) { return opening(REAL(open), path, flags, MODE(flags)); }

int open64(const char *path, int flags, ...) { return opening(REAL(open64), path, flags, MODE(flags)); }
