/*
 * Stands before malloc() and its kin in nginx (LD_PRELOAD): in one process
 * the n-th call from now on is refused, once.  Which process and which n a
 * test writes into a file that all of them share.
 */

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>


#define CONTROL_SIZE  4096


typedef struct {
    volatile int  pid;         /* 0: nobody */
    volatile int  left;
    volatile int  calls;
    volatile int  failed;
} control_t;


void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);


static control_t  *control;


__attribute__((constructor)) static void
begin(void)
{
    int          fd;
    void        *map;
    const char  *name = getenv("PAY_SHIM_CONTROL");

    if (name == NULL) {
        return;
    }

    fd = open(name, O_RDWR);
    if (fd < 0) {
        return;
    }

    map = mmap(NULL, CONTROL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) {
        control = map;
    }

    close(fd);
}


static int
refused(void)
{
    if (control == NULL || control->pid == 0 || control->pid != getpid()) {
        return 0;
    }

    (void) __sync_add_and_fetch(&control->calls, 1);

    if (__sync_sub_and_fetch(&control->left, 1) != 0) {
        return 0;
    }

    (void) __sync_add_and_fetch(&control->failed, 1);
    errno = ENOMEM;

    return 1;
}


void *
malloc(size_t size)
{
    return refused() ? NULL : __libc_malloc(size);
}


void *
calloc(size_t count, size_t size)
{
    return refused() ? NULL : __libc_calloc(count, size);
}


void *
realloc(void *old, size_t size)
{
    return refused() ? NULL : __libc_realloc(old, size);
}


int
posix_memalign(void **out, size_t alignment, size_t size)
{
    void  *made = refused() ? NULL : __libc_memalign(alignment, size);

    if (made == NULL) {
        return ENOMEM;
    }

    *out = made;

    return 0;
}


void *
aligned_alloc(size_t alignment, size_t size)
{
    return refused() ? NULL : __libc_memalign(alignment, size);
}
