/*
 * Runs the unit tests in forked children instead of Criterion's new processes:
 * a test then costs a millisecond instead of 40, which is what a mutation run
 * can afford.  It stands in for the few functions of libcriterion that the
 * macros call, and is linked instead of it.
 *
 * unit LIMIT_MS [CODE]: standard input has the numbers of the tests to run and
 * each one's own limit in ms (0: LIMIT_MS); without any, all run.  Ends at the
 * first failure, prints its name, exit 1.  With CODE, the coverage: for each
 * test "T number ms name" and then the addresses of functions it entered.
 */

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>


#define FUNCTIONS  16384
#define MEMORY     (4096UL << 20)


typedef void (*hook_pt)(void);


extern struct criterion_test   *__start_cr_tst[], *__stop_cr_tst[];
extern struct criterion_suite  *__start_cr_sts[], *__stop_cr_sts[];

struct criterion_options  criterion_options;

static const struct criterion_test  *current;
static void                        **entered;


static hook_pt suite_hook(const char *name, int is_init);
static int run_test(size_t number, unsigned limit_ms, double *ms);
static int run_all(unsigned limit_ms, int is_coverage);
static double now_ms(void);
static void print_coverage(void);


void __cyg_profile_func_enter(void *function, void *caller);
void __cyg_profile_func_exit(void *function, void *caller);


int
main(int argc, char **argv)
{
    unsigned  limit_ms;

    if (argc < 2) {
        return 2;
    }

    limit_ms = (unsigned) strtoul(argv[1], NULL, 10);

    if (argc > 2) {
        entered = mmap(NULL, FUNCTIONS * sizeof(void *),
                       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                       -1, 0);
        if (entered == MAP_FAILED) {
            return 2;
        }
    }

    return run_all(limit_ms, argc > 2);
}


static int
run_all(unsigned limit_ms, int is_coverage)
{
    int       passed;
    char      line[64];
    double    ms;
    size_t    i, n;
    unsigned  own_ms;

    n = (size_t) (__stop_cr_tst - __start_cr_tst);

    while (!is_coverage && fgets(line, sizeof(line), stdin) != NULL) {
        if (sscanf(line, "%zu %u", &i, &own_ms) != 2 || i >= n) {
            return 2;
        }

        if (!run_test(i, own_ms > 0 ? own_ms : limit_ms, &ms)) {
            printf("%s/%s\n", __start_cr_tst[i]->category,
                   __start_cr_tst[i]->name);
            return 1;
        }
    }

    for (i = 0; is_coverage && i < n; i++) {
        passed = run_test(i, limit_ms, &ms);
        printf("T %zu %d %.1f %s/%s\n", i, passed, ms,
               __start_cr_tst[i]->category, __start_cr_tst[i]->name);
        print_coverage();
    }

    return 0;
}


/* Whether it passed: as expected by its exit and without a failed assertion. */
static int
run_test(size_t number, unsigned limit_ms, double *ms)
{
    int                   status;
    pid_t                 pid;
    struct rlimit         memory;
    const struct timespec tick = { 0, 200 * 1000 };

    double  start = now_ms();

    current = __start_cr_tst[number];
    fflush(stdout);

    pid = fork();

    if (pid == 0) {
        memory.rlim_cur = memory.rlim_max = MEMORY;
        (void) setrlimit(RLIMIT_AS, &memory);

        if (freopen("/dev/null", "w", stdout) == NULL) {
            _exit(1);
        }

        current->test();
        _exit(0);
    }

    if (pid < 0) {
        return 0;
    }

    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (now_ms() - start > limit_ms) {
            kill(pid, SIGKILL);
        }

        nanosleep(&tick, NULL);
    }

    *ms = now_ms() - start;

    if (WIFSIGNALED(status)) {
        return current->data->signal != 0
               && WTERMSIG(status) == current->data->signal;
    }

    return current->data->signal == 0
           && WEXITSTATUS(status) == current->data->exit_code;
}


static double
now_ms(void)
{
    struct timespec  now;

    clock_gettime(CLOCK_MONOTONIC, &now);

    return (double) now.tv_sec * 1000 + (double) now.tv_nsec / 1000000;
}


static void
print_coverage(void)
{
    size_t  i;

    for (i = 0; i < FUNCTIONS; i++) {
        if (entered[i] != NULL) {
            printf("%p\n", entered[i]);
        }
    }

    memset(entered, 0, FUNCTIONS * sizeof(void *));
}


/* What -finstrument-functions calls; the tests themselves are built without. */
void
__cyg_profile_func_enter(void *function, void *caller)
{
    size_t  i;

    (void) caller;

    if (entered == NULL) {
        return;
    }

    i = ((size_t) function >> 2) % FUNCTIONS;

    while (entered[i] != NULL && entered[i] != function) {
        i = (i + 1) % FUNCTIONS;
    }

    entered[i] = function;
}


void
__cyg_profile_func_exit(void *function, void *caller)
{
    (void) function;
    (void) caller;
}


static hook_pt
suite_hook(const char *name, int is_init)
{
    struct criterion_suite  **s;

    for (s = __start_cr_sts; s < __stop_cr_sts; s++) {
        if (strcmp((*s)->name, name) == 0) {
            return is_init ? (*s)->data->init : (*s)->data->fini;
        }
    }

    return NULL;
}


/* The rest is libcriterion's: a failed assertion ends the child at once. */

void
criterion_internal_test_setup(void)
{
    hook_pt  suite = suite_hook(current->category, 1);

    if (suite != NULL) {
        suite();
    }

    if (current->data->init != NULL) {
        current->data->init();
    }
}


void
criterion_internal_test_main(void (*test)(void))
{
    test();
}


void
criterion_internal_test_teardown(void)
{
    hook_pt  suite = suite_hook(current->category, 0);

    if (current->data->fini != NULL) {
        current->data->fini();
    }

    if (suite != NULL) {
        suite();
    }
}


void
criterion_send_assert(struct criterion_assert_stats *stats)
{
    if (!stats->passed) {
        _exit(1);
    }
}


void
cri_asserts_passed_incr(void)
{
}


void
criterion_abort_test(void)
{
    _exit(1);
}


void
criterion_continue_test(void)
{
    _exit(1);
}


char *
cr_translate_assert_msg(int index, ...)
{
    (void) index;

    return strdup("");
}


int
cr_asprintf(char **text, const char *format, ...)
{
    int      length;
    va_list  args;

    va_start(args, format);
    length = vasprintf(text, format, args);
    va_end(args);

    return length;
}


void
cr_asprintf_free(char *text)
{
    free(text);
}
