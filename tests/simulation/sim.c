/*
 * The simulator's clock, its queue of events and its one source of chance.
 */

#include <stdarg.h>
#include <stdio.h>

#include "sim.h"


static int is_before(const sim_event_t *a, const sim_event_t *b);
static void sift_down(sim_event_t *events, size_t count);


/* splitmix64 */
uint64_t
sim_random(sim_t *sim)
{
    uint64_t  *random = &sim->randoms[sim->stream];
    uint64_t   z = (*random += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);

    return z ^ (z >> 31);
}


sim_stream_t
sim_stream(sim_t *sim, sim_stream_t stream)
{
    sim_stream_t  before = sim->stream;

    sim->stream = stream;

    return before;
}


uint64_t
sim_below(sim_t *sim, uint64_t n)
{
    return n > 1 ? sim_random(sim) % n : 0;
}


int64_t
sim_between(sim_t *sim, int64_t from, int64_t to)
{
    return from + (int64_t) sim_below(sim, (uint64_t) (to - from + 1));
}


int
sim_chance(sim_t *sim, unsigned permille)
{
    return sim_below(sim, 1000) < permille;
}


int
sim_fault(sim_t *sim, unsigned permille)
{
    return permille != 0 && !sim->healed && sim_chance(sim, permille);
}


/* Events of the same moment come in an order of their own. */
static int
is_before(const sim_event_t *a, const sim_event_t *b)
{
    return a->at != b->at ? a->at < b->at : a->tie < b->tie;
}


void
sim_at(sim_t *sim, int64_t at, sim_event_pt run, void *data)
{
    size_t        i, parent;
    sim_event_t   event = { at < sim->now ? sim->now : at, sim_random(sim),
                            run, data, sim->stream };

    if (sim->event_count == sim->event_size) {
        sim->event_size = sim->event_size ? 2 * sim->event_size : 256;
        sim->events = realloc(sim->events,
                              sim->event_size * sizeof(sim_event_t));
        if (sim->events == NULL) {
            sim_die("out of memory");
        }
    }

    for (i = sim->event_count++; i > 0; i = parent) {
        parent = (i - 1) / 2;

        if (!is_before(&event, &sim->events[parent])) {
            break;
        }

        sim->events[i] = sim->events[parent];
    }

    sim->events[i] = event;
    sim->queued[event.stream]++;
}


void
sim_after(sim_t *sim, int64_t delay, sim_event_pt run, void *data)
{
    sim_at(sim, sim->now + delay, run, data);
}


int
sim_step(sim_t *sim)
{
    sim_event_t  event;

    if (sim->event_count == 0) {
        return 0;
    }

    event = sim->events[0];
    sim->events[0] = sim->events[--sim->event_count];
    sift_down(sim->events, sim->event_count);

    /* what was left when all else was quiet is late */
    sim->now = event.at > sim->now ? event.at : sim->now;
    sim->queued[event.stream]--;
    sim->steps++;
    sim->figures.steps++;
    sim->stream = event.stream;
    event.run(sim, event.data);
    sim->stream = SIM_STREAM_MAIN;

    return 1;
}


static void
sift_down(sim_event_t *events, size_t count)
{
    size_t       i, child;
    sim_event_t  moved;

    for (i = 0; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && is_before(&events[child + 1],
                                           &events[child]))
        {
            child++;
        }

        if (!is_before(&events[child], &events[i])) {
            return;
        }

        moved = events[i];
        events[i] = events[child];
        events[child] = moved;
    }
}


void *
sim_alloc(sim_t *sim, size_t size)
{
    void  *memory = pay_calloc(pay_heap_arena(sim->heap), size);

    if (memory == NULL) {
        sim_die("out of memory");
    }

    return memory;
}


pay_str_t
sim_format(sim_t *sim, const char *format, ...)
{
    int             len;
    va_list         args;
    unsigned char  *data;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);

    data = sim_alloc(sim, (size_t) len + 1);

    va_start(args, format);
    (void) vsnprintf((char *) data, (size_t) len + 1, format, args);
    va_end(args);

    return (pay_str_t) { (size_t) len, data };
}


pay_str_t
sim_dup(sim_t *sim, pay_str_t from)
{
    return (pay_str_t) { from.len,
                         (const unsigned char *) sim_text(sim, from) };
}


const char *
sim_text(sim_t *sim, pay_str_t from)
{
    unsigned char  *data = sim_alloc(sim, from.len + 1);

    if (from.len != 0) {
        memcpy(data, from.data, from.len);
    }

    return (const char *) data;
}


const char *
sim_hex(sim_t *sim, const unsigned char *digest)
{
    size_t  i;
    char   *hex = sim_alloc(sim, 2 * PAY_SHA256_SIZE + 1);

    for (i = 0; i < PAY_SHA256_SIZE; i++) {
        (void) snprintf(&hex[2 * i], 3, "%02x", digest[i]);
    }

    return hex;
}


const char *
sim_find(pay_str_t text, const char *part)
{
    size_t  i, len = strlen(part);

    for (i = 0; i + len <= text.len; i++) {
        if (memcmp(text.data + i, part, len) == 0) {
            return (const char *) text.data + i;
        }
    }

    return NULL;
}


void
sim_say(sim_t *sim, const char *format, ...)
{
    int      len;
    char     line[1024];
    va_list  args;

    va_start(args, format);
    len = vsnprintf(line, sizeof(line), format, args);
    va_end(args);

    if (len >= (int) sizeof(line)) {
        len = sizeof(line) - 1;
    }

    sim_digest(sim, line, (size_t) len);

    if (sim->trace) {
        printf("%+14.6f  %s\n", (double) (sim->now - sim->started) / 1e6,
               line);
    }
}


void
sim_violation(sim_t *sim, const char *format, ...)
{
    va_list  args;

    sim->violations++;
    sim->figures.violations++;

    printf("violation: SEED=%" PRIu64 " SCENARIO=%" PRIu64 " at %.6f: ",
           sim->seed, sim->scenario,
           (double) (sim->now - sim->started) / 1e6);

    va_start(args, format);
    (void) vprintf(format, args);
    va_end(args);

    printf("\n");
    (void) fflush(stdout);
}


/* FNV-1a of all that was said, with its moment: two runs of one scenario are
 * the same when theirs is. */
void
sim_digest(sim_t *sim, const char *text, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        sim->digest = (sim->digest ^ (unsigned char) text[i])
                      * UINT64_C(0x100000001b3);
    }

    sim->digest = (sim->digest ^ (uint64_t) (sim->now - sim->started))
                  * UINT64_C(0x100000001b3);
}


void
sim_die(const char *format, ...)
{
    va_list  args;

    va_start(args, format);
    (void) vfprintf(stderr, format, args);
    va_end(args);

    (void) fputc('\n', stderr);
    exit(2);
}
