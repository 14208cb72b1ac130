/* Loaded into a node by the testkit (LD_PRELOAD): makes the disk slow, broken or full, and the wall
 * clock wrong, as the control file says. The testkit writes the file's first half; this writes how
 * often each fault really happened into the second. The product itself knows nothing of it.
 *
 * Only regular files are touched, never standard output or error. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

struct control {
    volatile int64_t sync_delay_us;
    volatile int64_t sync_errno;
    volatile int64_t write_errno;
    volatile int64_t clock_offset_ms;
    volatile int64_t syncs_delayed;
    volatile int64_t syncs_failed;
    volatile int64_t writes_failed;
    volatile int64_t clocks_shifted;
};

static struct control nothing;
static struct control *control = &nothing;

__attribute__((constructor)) static void open_control(void) {
    const char *path = getenv("AUREOLE_FAULTS_FILE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *map = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map != MAP_FAILED) control = map;
}

#define COUNT(field) __atomic_add_fetch(&control->field, 1, __ATOMIC_RELAXED)
#define REAL(type, name)                                      \
    static type real;                                         \
    if (!real) real = (type)dlsym(RTLD_NEXT, name)

static int regular(int fd) {
    struct stat about;
    return fd > 2 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

/* Whether a write is refused; errno is set then. */
static int refused(int fd) {
    int64_t number = control->write_errno;
    if (!number || !regular(fd)) return 0;
    COUNT(writes_failed);
    errno = (int)number;
    return 1;
}

typedef int (*sync_fn)(int);

static int synced(int fd, sync_fn real) {
    int64_t delay = control->sync_delay_us;
    if (delay > 0) {
        struct timespec wait = {delay / 1000000, (delay % 1000000) * 1000};
        COUNT(syncs_delayed);
        nanosleep(&wait, NULL);
    }
    int64_t number = control->sync_errno;
    if (number) {
        COUNT(syncs_failed);
        errno = (int)number;
        return -1;
    }
    return real(fd);
}

int fsync(int fd) {
    REAL(sync_fn, "fsync");
    return synced(fd, real);
}

int fdatasync(int fd) {
    REAL(sync_fn, "fdatasync");
    return synced(fd, real);
}

typedef ssize_t (*write_fn)(int, const void *, size_t);

ssize_t write(int fd, const void *bytes, size_t count) {
    REAL(write_fn, "write");
    return refused(fd) ? -1 : real(fd, bytes, count);
}

typedef ssize_t (*pwrite_fn)(int, const void *, size_t, off_t);

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    REAL(pwrite_fn, "pwrite");
    return refused(fd) ? -1 : real(fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    REAL(pwrite_fn, "pwrite64");
    return refused(fd) ? -1 : real(fd, bytes, count, at);
}

typedef int (*truncate_fn)(int, off_t);

/* Only growth needs room. */
static int grows(int fd, int64_t size) {
    struct stat about;
    return control->write_errno && fstat(fd, &about) == 0 && size > about.st_size;
}

int ftruncate(int fd, off_t size) {
    REAL(truncate_fn, "ftruncate");
    return grows(fd, size) && refused(fd) ? -1 : real(fd, size);
}

int ftruncate64(int fd, off64_t size) {
    REAL(truncate_fn, "ftruncate64");
    return grows(fd, size) && refused(fd) ? -1 : real(fd, size);
}

typedef int (*clock_fn)(clockid_t, struct timespec *);

int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL(clock_fn, "clock_gettime");
    int result = real(clock, now);
    int64_t offset = control->clock_offset_ms;
    if (result == 0 && offset && clock == CLOCK_REALTIME) {
        COUNT(clocks_shifted);
        int64_t nanos = now->tv_nsec + (offset % 1000) * 1000000;
        now->tv_sec += offset / 1000;
        if (nanos < 0) { nanos += 1000000000; now->tv_sec -= 1; }
        if (nanos >= 1000000000) { nanos -= 1000000000; now->tv_sec += 1; }
        now->tv_nsec = nanos;
    }
    return result;
}
