/*
 * simulate: runs scenarios of one seed, one after another, and says what
 * they came to.
 *   simulate --host DIRECTORY --clock FILE
 *       [--seed N] [--first N] [--scenarios N] [--payouts N] [--receivers N]
 *       [--risks N] [--cells N] [--steer WORDS] [--trace] [--stop]
 * --payouts: sellers are paid out in one of so many scenarios (4).
 * --receivers: storefronts hear of events in one of so many (3).
 * --risks: checkouts are looked at before PSPs are asked in one of so many (3).
 * --cells: there are several databases, and the merchant moves from one to
 *     another, in one of so many (5), which have nothing of the above.
 *     0 of each of these: in none.
 * --steer: all scenarios are of these kinds, with commas between (steer.c).
 * --stop: at the first scenario with a violation.
 * Exit code 0 only without a violation, 2 when it cannot run.
 */

#include <stdio.h>
#include <sys/time.h>

#include "cells.h"


#define EPOCH        20        /* scenarios of one database: checks read all */
#define STEPS_MAX    20000
#define ALL_MAX      250000    /* with those of receivers */
#define LENGTH_MAX   (4 * 24 * SIM_HOUR)
#define TOLD_MAX     (7 * 24 * SIM_HOUR)
#define SETTLE       (2 * SIM_HOUR)
#define ROUNDS       4
#define SETTLES      4         /* in one of so many scenarios PSPs settle */
#define PAYOUTS      4         /* and sellers are paid out, in others */
#define RECEIVERS    3         /* and storefronts hear of it */
#define RISKS        3         /* and risk is looked at */
#define CELLS        5         /* and there are several databases */


typedef struct {
    const char  *host, *clock, *steer;
    uint64_t     seed, first, scenarios, payouts, receivers, risks, cells;
    int          trace, stop;
} options_t;


static void parse(int argc, char **argv, options_t *options);
static int is_switch(const char *word, options_t *options);
static void renew(sim_t *sim);
static void run(sim_t *sim, uint64_t scenario, int is_fresh);
static void plan(sim_t *sim, int is_fresh);
static void prepare(sim_t *sim, int is_fresh);
static int until_quiet(sim_t *sim);
static int until_told(sim_t *sim);
static void clear(sim_t *sim);
static void tell(const sim_t *sim, double seconds, uint64_t digest);
static void tell_payouts(const sim_figures_t *f);
static void tell_receivers(const sim_figures_t *f);
static void tell_risk(const sim_figures_t *f);
static void tell_cells(const sim_figures_t *f);
static double now_s(void);

static const char *const  step_names[SIM_STEPS] = {
    [SIM_STEP_ASKS] = "the claim", [SIM_STEP_CLAIMED] = "the claimed call",
    [SIM_STEP_CALLS] = "the call", [SIM_STEP_CALLED] = "the sent call",
    [SIM_STEP_TAKEN] = "the payment", [SIM_STEP_ANSWERED] = "the answer",
    [SIM_STEP_ENDED] = "the stored answer", [SIM_STEP_MESSAGE] = "a message",
    [SIM_STEP_TOLD] = "a stored message", [SIM_STEP_REQUEST] = "a request",
    [SIM_STEP_DONE] = "a stored request"
};


int
main(int argc, char **argv)
{
    int         is_fresh, dirty = 0;
    sim_t      *sim = calloc(1, sizeof(sim_t));
    double      started = now_s();
    uint64_t    i, digest = 0;
    options_t   options = { NULL, NULL, "", 1, 0, 1, PAYOUTS, RECEIVERS, RISKS,
                            CELLS, 0, 0 };

    parse(argc, argv, &options);

    if (sim == NULL) {
        sim_die("out of memory");
    }

    sim->seed = options.seed;
    sim->trace = options.trace;
    sim->payouts_in = options.payouts;
    sim->receivers_in = options.receivers;
    sim->risks_in = options.risks;
    sim->cells_in = options.cells;
    sim->steers = sim_steer(options.steer);
    sim->dbs[0] = sim_db_open(options.host, options.clock);

    for (i = 1; i < SIM_CELLS; i++) {
        sim->dbs[i] = sim_db_add(sim->dbs[0], (unsigned) i);
    }

    sim_cell_enter(sim, 0);

    for (i = 0; i < options.scenarios; i++) {
        is_fresh = i % EPOCH == 0 || dirty;

        if (is_fresh) {
            renew(sim);
        }

        run(sim, options.first + i, is_fresh);
        digest = digest * 31 + sim->digest;

        /* what it has left behind would be the next one's */
        dirty = sim->violations != 0;
        clear(sim);

        if (options.stop && dirty) {
            break;
        }
    }

    for (i = SIM_CELLS; i-- > 0; ) {
        sim_db_close(sim->dbs[i]);
    }

    tell(sim, now_s() - started, digest);
    i = sim->figures.violations;
    free(sim);

    return i != 0;
}


static void
parse(int argc, char **argv, options_t *options)
{
    int           i;
    unsigned      k;
    const struct {
        const char   *name;
        const char  **text;
        uint64_t     *number;
    } words[] = {
        { "--host", &options->host, NULL },
        { "--clock", &options->clock, NULL },
        { "--steer", &options->steer, NULL },
        { "--seed", NULL, &options->seed },
        { "--first", NULL, &options->first },
        { "--scenarios", NULL, &options->scenarios },
        { "--payouts", NULL, &options->payouts },
        { "--receivers", NULL, &options->receivers },
        { "--risks", NULL, &options->risks },
        { "--cells", NULL, &options->cells }
    };

    for (i = 1; i < argc; i++) {
        if (is_switch(argv[i], options)) {
            continue;
        }

        for (k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
            if (i + 1 < argc && strcmp(argv[i], words[k].name) == 0) {
                i++;

                if (words[k].text != NULL) {
                    *words[k].text = argv[i];
                } else {
                    *words[k].number = strtoull(argv[i], NULL, 10);
                }

                break;
            }
        }

        if (k == sizeof(words) / sizeof(words[0])) {
            sim_die("simulate: what is %s?", argv[i]);
        }
    }

    if (!options->host || !options->clock) {
        sim_die("simulate: --host and --clock are needed");
    }
}


static int
is_switch(const char *word, options_t *options)
{
    options->trace |= strcmp(word, "--trace") == 0;
    options->stop |= strcmp(word, "--stop") == 0;

    return strcmp(word, "--trace") == 0 || strcmp(word, "--stop") == 0;
}


/* The databases of the other cells are made when a scenario has them. */
static void
renew(sim_t *sim)
{
    unsigned  i;

    for (i = 1; i < SIM_CELLS; i++) {
        sim_db_leave(sim->dbs[i]);
    }

    sim_db_renew(sim->dbs[0]);
}


/* A sweep that makes a month's partition does nothing else: the next one, which
   is not due after another sweep, does its work. */
static int
sweep_all(sim_t *sim)
{
    sim_sweep(sim, NULL);

    if (!until_quiet(sim)) {
        return 0;
    }

    sim_sweep(sim, NULL);

    return until_quiet(sim);
}


/* People look twice: what they put back to work may end in another way. */
static void
run(sim_t *sim, uint64_t scenario, int is_fresh)
{
    unsigned  i;

    sim->scenario = scenario;
    sim->randoms[SIM_STREAM_MAIN] =
        sim->seed * UINT64_C(0x2545f4914f6cdd1d) + scenario;
    sim->randoms[SIM_STREAM_RECEIVERS] =
        ~sim->randoms[SIM_STREAM_MAIN] * UINT64_C(0x9e3779b97f4a7c15);
    sim->randoms[SIM_STREAM_CELLS] =
        ~sim->randoms[SIM_STREAM_MAIN] * UINT64_C(0xd1342543de82ef95);
    (void) sim_random(sim);
    sim->heap = pay_heap_create();
    sim->digest = UINT64_C(0xcbf29ce484222325);
    sim->figures.scenarios++;
    plan(sim, is_fresh);

    if (!until_quiet(sim)) {
        return;
    }

    for (i = 0; i < ROUNDS; i++) {
        sim->now += SETTLE;

        if (!sweep_all(sim)) {
            return;
        }

        if (i + 1 < ROUNDS && !sim_judge_requeue(sim)) {
            break;
        }
    }

    if (sim->settle != NULL) {
        sim_settle_last(sim);

        if (!until_quiet(sim)) {
            return;
        }
    }

    sim_judge_end(sim);

    if (sim->receivers != NULL && until_told(sim)) {
        sim_judge_receivers(sim);
        sim_receivers_end(sim);
    }
}


static void
plan(sim_t *sim, int is_fresh)
{
    unsigned  i;

    sim_plan(sim);

    if (sim_has_cells(sim)) {
        sim_cells_plan(sim);
    }

    for (i = sim_cell_count(sim); i-- > 0; ) {
        sim_cell_enter(sim, i);
        prepare(sim, is_fresh);
    }

    if (sim_has_receivers(sim)) {
        sim_receivers_plan(sim);
    }

    sim_risk_lists(sim);
    sim_fee_plan(sim);

    if (sim_pays_out(sim)) {
        sim_payouts_plan(sim);

    } else if (!sim_has_cells(sim)
               && (sim->scenario % SETTLES == SETTLES - 1
                   || sim_steered(sim, SIM_STEER_SETTLEMENT)))
    {
        sim_settle_plan(sim);
    }
}


/* The database of the cell that is entered.  No two count the same UUIDs. */
static void
prepare(sim_t *sim, int is_fresh)
{
    if (!sim_db_is_made(sim->db)) {
        sim_db_renew(sim->db);
        is_fresh = 1;
    }

    sim_db_clock(sim->db, sim->now);
    (void) sim_db_ask(sim->db, "SELECT setval('public.sim_uuid', $1::text"
                      "::bigint)", 1,
                      (const char *) sim_format(sim, "%" PRIu64,
                                                1 + sim->scenario * 100000
                                                + sim->cell * 30000).data);

    /* as its deployment would have done today, and in the first cell the rounds
     * of each scenario do later; the others are not in all scenarios */
    if (is_fresh || sim->cell != 0) {
        (void) sim_db_ask(sim->db, "SELECT pay.make_partitions()", 0);
    }
}


static int
until_quiet(sim_t *sim)
{
    for ( ;; ) {
        sim_pump(sim);

        if (sim->queued[SIM_STREAM_MAIN] + sim->queued[SIM_STREAM_CELLS]
            == 0)
        {
            return 1;
        }

        (void) sim_step(sim);

        if (sim->steps > (sim->receivers != NULL ? ALL_MAX
                          : STEPS_MAX * sim_cell_count(sim))
            || sim->now - sim->started > LENGTH_MAX)
        {
            sim_violation(sim, "I8: it does not come to rest");
            return 0;
        }
    }
}


/* All else is quiet: receivers hear what they have not heard yet. */
static int
until_told(sim_t *sim)
{
    while (sim_step(sim) || sim_receivers_more(sim)) {
        if (sim->steps > ALL_MAX || sim->now - sim->started > TOLD_MAX) {
            sim_violation(sim, "I10: receivers do not hear all of it");
            return 0;
        }
    }

    return 1;
}


static void
clear(sim_t *sim)
{
    sim_t        kept = *sim;
    sim_flow_t  *flow;

    for (flow = sim->flows; flow != NULL; flow = flow->next) {
        if (!flow->ended && flow->core.type->end != NULL) {
            flow->core.type->end(&flow->core);
        }

        pay_heap_destroy(flow->heap);

        if (flow->args != NULL) {
            pay_heap_destroy(flow->args);
        }
    }

    pay_heap_destroy(sim->heap);
    memset(sim, 0, sizeof(sim_t));
    sim->seed = kept.seed;
    sim->trace = kept.trace;
    sim->payouts_in = kept.payouts_in;
    sim->receivers_in = kept.receivers_in;
    sim->risks_in = kept.risks_in;
    sim->cells_in = kept.cells_in;
    sim->steers = kept.steers;
    memcpy(sim->dbs, kept.dbs, sizeof(kept.dbs));
    sim_cell_enter(sim, 0);
    sim->events = kept.events;
    sim->event_size = kept.event_size;
    sim->figures = kept.figures;
}


static void
tell(const sim_t *sim, double seconds, uint64_t digest)
{
    const sim_figures_t  *f = &sim->figures;

    printf("simulation: seed %" PRIu64 ", scenarios %" PRIu64 ", steps %"
           PRIu64 ", operations %" PRIu64 " in %" PRIu64 " batches, psp calls "
           "%" PRIu64 ", changes %" PRIu64 " (%" PRIu64 " at PSPs), converted "
           "orders %" PRIu64 ", books judged %" PRIu64 " times, webhooks "
           "%" PRIu64 " (forged %" PRIu64 ", of second payments %" PRIu64
           "), pages to be closed %" PRIu64 " (and replaced %" PRIu64
           "), settlement files %" PRIu64 " (rows %"
           PRIu64 ", imported by hand %" PRIu64 "), pay-outs %" PRIu64
           ", jobs %" PRIu64
           ", crashes %" PRIu64 ", pauses %" PRIu64 ", lost commits %" PRIu64
           ", violations %" PRIu64 ", digest %016" PRIx64 ", %.1f s\n",
           sim->seed, f->scenarios, f->steps, f->operations, f->batches,
           f->calls, f->changes, f->moves, f->converted, f->judged,
           f->webhooks, f->forged, f->twice, f->closing, f->replaced,
           f->files, f->rows, f->imports, f->paid_out, f->jobs, f->crashes,
           f->pauses, f->lost_commits, f->violations, digest, seconds);

    if (f->payers != 0) {
        tell_payouts(f);
    }

    if (f->receivers != 0) {
        tell_receivers(f);
    }

    if (f->risks != 0) {
        tell_risk(f);
    }

    if (f->celled != 0) {
        tell_cells(f);
    }
}


static void
tell_cells(const sim_figures_t *f)
{
    printf("cells: scenarios %" PRIu64 ", moves %" PRIu64 " (of them back %"
           PRIu64 "), payctl killed %" PRIu64 ", fences taken back %" PRIu64
           ", checkouts accepted at home %" PRIu64 " and elsewhere %" PRIu64
           ", commits held %" PRIu64 " (at a fence %" PRIu64 "), balances "
           "carried %" PRIu64 ", handles with another letter %" PRIu64 "\n",
           f->celled, f->moves_done, f->moves_back, f->movers_killed,
           f->cancelled, f->begun_old, f->begun_new, f->holds_open,
           f->holds_fenced, f->carried, f->letters_forged);
}


static void
tell_risk(const sim_figures_t *f)
{
    unsigned  i;

    printf("risk: scenarios %" PRIu64 ", creates %" PRIu64 ", of them taken "
           "back %" PRIu64 ", new checkouts", f->risks, f->looked,
           f->taken_back);

    for (i = 0; i < PAY_RISK_ACTIONS; i++) {
        printf("%s %s %" PRIu64, i == 0 ? "" : ",",
               pay_risk_action_name((pay_risk_action_t) i), f->words[i]);
    }

    printf("; held for a card %" PRIu64 ", voided %" PRIu64 "; money held for "
           "reviews %" PRIu64 " (captures %" PRIu64 "); the provider asked %"
           PRIu64 " times, without a word %" PRIu64 ", scored %" PRIu64 "\n",
           f->card_holds, f->card_voids, f->holds, f->held_captures,
           f->questions, f->no_words, f->scored);
}


static void
tell_receivers(const sim_figures_t *f)
{
    printf("receivers: scenarios %" PRIu64 ", publishers %" PRIu64
           ", messages %" PRIu64 ", attempts %" PRIu64 ", heard %" PRIu64
           " (again %" PRIu64 "), refused by receivers %" PRIu64 ", read %"
           PRIu64 " (again %" PRIu64 "), commits held %" PRIu64
           ", rolled back %" PRIu64 ", workers killed at a step %" PRIu64
           "\n", f->receivers, f->published, f->messages, f->letters,
           f->heard, f->again, f->refused, f->read, f->reread, f->held,
           f->torn, f->letter_crashes);
}


static void
tell_payouts(const sim_figures_t *f)
{
    unsigned  i;

    printf("pay-outs: scenarios %" PRIu64 ", items %" PRIu64 ", payments %"
           PRIu64 ", of them back %" PRIu64 " (without a message %" PRIu64
           "), look-ups behind a key's window %" PRIu64 ", workers killed at",
           f->payers, f->items, f->paid_out, f->came_back, f->silent,
           f->expired);

    for (i = 0; i < SIM_STEPS; i++) {
        printf("%s %s %" PRIu64, i == 0 ? "" : ",", step_names[i],
               f->payout_crashes[i]);
    }

    printf("\n");
}


static double
now_s(void)
{
    struct timeval  tv;

    (void) gettimeofday(&tv, NULL);

    return (double) tv.tv_sec + (double) tv.tv_usec / 1e6;
}
