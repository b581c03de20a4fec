/*
 * payctl settlement import, step by step: the calls of
 * src/cli/settlement_import.c with its own COPY, each of which may be the last
 * of a programme that is killed, beside workers and others that import the
 * same file.
 */

#include <libpq-fe.h>

#include "cli/settlement.h"
#include "settle.h"


/* A programme; step NULL: it has ended. */
typedef struct import_s  import_t;

typedef void (*import_step_pt)(import_t *import);

struct import_s {
    sim_t           *sim;
    sim_file_t      *file;
    import_step_pt   step;
    const char      *file_id, *attempt, *format;
    const char      *batch, *stated, *rows;
    int              is_proven;
};


static void import_run(sim_t *sim, void *data);
static void import_open(import_t *import);
static void import_read(import_t *import);
static pay_status_t read_rows(import_t *import, settlement_copy_t *copy,
    pay_arena_t *arena, const char **reason);
static void import_refuse(import_t *import, const char *reason);
static void import_prove(import_t *import);
static void import_advance(import_t *import);
static const char *call(import_t *import, const char *state);
static void import_end(import_t *import, const char *state);


void
sim_import(sim_t *sim, sim_file_t *file)
{
    import_t  *import = sim_alloc(sim, sizeof(import_t));

    import->sim = sim;
    import->file = file;
    import->step = import_open;
    sim->figures.imports++;
    sim_after(sim, sim_between(sim, 0, sim_chance(sim, 500) ? 10 * SIM_S
                                                            : 5 * SIM_MIN),
              import_run, import);
}


static void
import_run(sim_t *sim, void *data)
{
    import_t  *import = data;

    if (sim_fault(sim, sim->faults.import_dies)) {
        sim_say(sim, "payctl is killed, file %.*s",
                pay_fmt(import->file->name));
        return;
    }

    sim_db_clock(sim->db, sim->now + sim->db_off);
    import->step(import);
    sim->dirty = ~0u;

    if (import->step != NULL) {
        sim_after(sim, sim_between(sim, SIM_MS, sim_chance(sim, 800) ? SIM_S
                                                              : SIM_MIN),
                  import_run, import);
    }
}


static void
import_open(import_t *import)
{
    sim_t        *sim = import->sim;
    sim_file_t   *file = import->file;
    const char   *outcome, *source;

    source = sim_text(sim, sim->settle->sources[file->psp->index].name);
    outcome = sim_db_operate(sim->db, "SELECT o.outcome, o.file_id, o.format, "
        "o.attempt FROM pay_ops.open_settlement($1, $2, $3) o", 3, source,
        sim_hex(sim, file->sha256),
        sim_text(sim, file->name));
    outcome = call(import, outcome);

    if (outcome == NULL) {
        return;
    }

    import->file_id = sim_text(sim, pay_str_of(sim_db_said(sim->db, 1)));
    import->format = sim_text(sim, pay_str_of(sim_db_said(sim->db, 2)));
    import->attempt = sim_text(sim, pay_str_of(sim_db_said(sim->db, 3)));

    if (strcmp(outcome, "known") == 0) {
        import_end(import, "booked");
        return;
    }

    import->step = import_read;
}


static void
import_read(import_t *import)
{
    int                 is_kept;
    sim_t              *sim = import->sim;
    pay_heap_t         *heap = pay_heap_create();
    const char         *reason = NULL;
    pay_status_t        status;
    settlement_copy_t  *copy = calloc(1, sizeof(*copy));

    if (copy == NULL || heap == NULL) {
        sim_die("out of memory");
    }

    copy->conn = sim_db_operator(sim->db);
    copy->file_id = import->file_id;
    copy->attempt = import->attempt;

    if (!pay_cli_copy_hold(copy)) {
        sim_say(sim, "payctl, file %.*s gives up",
                pay_fmt(import->file->name));
        free(copy);
        pay_heap_destroy(heap);
        import->step = NULL;
        return;
    }

    if (!pay_cli_copy_begin(copy)) {
        sim_die("no COPY");
    }

    status = read_rows(import, copy, pay_heap_arena(heap), &reason);
    is_kept = pay_cli_copy_end(copy, status != PAY_OK);
    import->rows = (const char *) sim_format(sim, "%" PRId64,
                                             copy->rows).data;
    free(copy);
    pay_heap_destroy(heap);

    if (status != PAY_OK) {
        import_refuse(import, reason);

    } else if (!is_kept) {
        sim_violation(sim, "I9: rows of %.*s cannot be staged",
                      pay_fmt(import->file->name));
        import->step = NULL;

    } else {
        import->step = import_prove;
    }
}


static pay_status_t
read_rows(import_t *import, settlement_copy_t *copy, pay_arena_t *arena,
    const char **reason)
{
    sim_t                 *sim = import->sim;
    pay_str_t              batch, stated, why;
    pay_status_t           status;
    pay_settle_reader_t   *reader;
    pay_settle_options_t   options = { .row = pay_cli_copy_row, .data = copy };
    pay_settle_verdict_t   verdict;

    if (pay_settle_open(arena, pay_str_of(import->format), &options, &reader)
        != PAY_OK)
    {
        sim_die("no reader");
    }

    status = pay_settle_feed(reader, import->file->text);
    status = status == PAY_OK ? pay_settle_end(reader) : status;
    status = status == PAY_OK ? pay_settle_prove(reader, &verdict) : status;

    if (status != PAY_OK) {
        if (pay_settle_why(arena, reader, PAY_SETTLE_REFUSED, &why)
            != PAY_OK)
        {
            sim_die("a refusal without a reason");
        }

        *reason = sim_text(sim, why);

    } else if (pay_settle_batch(arena, reader, &batch) != PAY_OK
               || pay_settle_stated(arena, reader, &stated) != PAY_OK)
    {
        sim_die("out of memory");

    } else {
        import->batch = sim_text(sim, batch);
        import->stated = sim_text(sim, stated);
    }

    pay_settle_close(reader);

    return status;
}


static void
import_refuse(import_t *import, const char *reason)
{
    if (!import->file->is_bad) {
        sim_violation(import->sim, "I9: the reader refuses %.*s: %s",
                      pay_fmt(import->file->name), reason);
    }

    (void) call(import, sim_db_operate(import->sim->db,
        "SELECT pay_ops.refuse_settlement($1::bigint, $2)", 2,
        import->file_id, reason));
    import->step = NULL;
}


static void
import_prove(import_t *import)
{
    const char  *state;

    state = call(import, sim_db_operate(import->sim->db,
        "SELECT pay_ops.prove_settlement($1::bigint, $2, $3::bigint, "
        "$4::jsonb, $5::bigint)", 5, import->file_id, import->batch,
        import->rows, import->stated, import->attempt));

    if (state != NULL) {
        import_end(import, state);
    }
}


/* payctl takes 5000 rows at once: here are fewer, so that there are steps. */
static void
import_advance(import_t *import)
{
    const char  *state;

    state = call(import, sim_db_operate(import->sim->db,
        "SELECT pay_ops.advance_settlement($1::bigint, $2::int)", 2,
        import->file_id, sim_format(import->sim, "%d",
            (int) sim_between(import->sim, 1, 6)).data));

    if (state != NULL) {
        sim_judge_now(import->sim);
        import_end(import, state);
    }
}


/* NULL: the programme ends, since another one has begun the file again. */
static const char *
call(import_t *import, const char *state)
{
    sim_t  *sim = import->sim;

    if (state != NULL) {
        state = sim_text(sim, pay_str_of(state));
        sim_say(sim, "payctl, file %.*s: %s", pay_fmt(import->file->name),
                state);
        return state;
    }

    sim_say(sim, "payctl, file %.*s gives up: %s",
            pay_fmt(import->file->name), sim_db_error(sim->db));

    if (strcmp(sim_db_error(sim->db), "PAY24") != 0) {
        sim_violation(sim, "I9: payctl, file %.*s: %s",
                      pay_fmt(import->file->name), sim_db_why(sim->db));
    }

    import->step = NULL;

    return NULL;
}


/* A file that was proven may be refused all the same: a worker has begun it
 * again and has seen it change.  Workers read it once more; the end of the
 * scenario judges what has become of it. */
static void
import_end(import_t *import, const char *state)
{
    int  is_refused = strcmp(state, "refused") == 0;

    if (strcmp(state, "proven") == 0 || strcmp(state, "booking") == 0) {
        import->is_proven = 1;
        import->step = import_advance;
        return;
    }

    import->step = NULL;

    if (import->file->is_bad != is_refused
        && !(is_refused && import->is_proven))
    {
        sim_violation(import->sim, "I9: payctl says %s of %.*s", state,
                      pay_fmt(import->file->name));
    }
}
