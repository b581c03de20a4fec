/*
 * Loaded before PostgreSQL's C library (LD_PRELOAD): the wall clock is the
 * 64-bit number of microseconds in the file $SIM_CLOCK, whenever it is looked
 * at; monotonic clocks go on as ever.  libfaketime does the same by opening,
 * reading and parsing a file at each look, which takes most of a run's time.
 */

#define _GNU_SOURCE

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>


#define SECOND     INT64_C(1000000)
#define TIMER_MIN  100000            /* microseconds */


static const volatile int64_t  *says;


__attribute__((constructor)) static void
clock_open(void)
{
    int          fd;
    void        *page;
    const char  *name = getenv("SIM_CLOCK");

    if (name == NULL) {
        return;
    }

    fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        abort();
    }

    page = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
    if (page == MAP_FAILED) {
        abort();
    }

    (void) close(fd);
    says = page;
}


int
clock_gettime(clockid_t id, struct timespec *ts)
{
    int64_t  now;

    if (says == NULL || (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)) {
        return (int) syscall(SYS_clock_gettime, id, ts);
    }

    now = *says;
    ts->tv_sec = now / SECOND;
    ts->tv_nsec = now % SECOND * 1000;

    return 0;
}


int
gettimeofday(struct timeval *tv, void *zone)
{
    struct timespec  ts;

    (void) zone;
    (void) clock_gettime(CLOCK_REALTIME, &ts);
    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;

    return 0;
}


time_t
time(time_t *out)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    if (out != NULL) {
        *out = ts.tv_sec;
    }

    return ts.tv_sec;
}


/* A timer of PostgreSQL's that goes off asks the wall clock and, as long as
 * that says "not yet", is set for what is left.  On a clock that stands still
 * two microseconds are left for ever, and the process does nothing else. */
int
setitimer(__itimer_which_t which, const struct itimerval *value,
    struct itimerval *old)
{
    struct itimerval  timer = *value;

    if (timer.it_value.tv_sec == 0 && timer.it_value.tv_usec > 0
        && timer.it_value.tv_usec < TIMER_MIN)
    {
        timer.it_value.tv_usec = TIMER_MIN;
    }

    return (int) syscall(SYS_setitimer, which, &timer, old);
}
