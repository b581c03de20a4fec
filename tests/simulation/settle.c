/*
 * Settlement: PSPs write down what moves their money, and close their books at
 * times into files, with faults.  Workers read the files out of directories,
 * as the gateway's do; import.c does it by hand, settled.c judges.
 */

#include "settle.h"


#define CLOSES      3          /* of a PSP, while there are faults */
#define LOOK_GAP    (20 * SIM_S)
#define INTERVAL_MS 5000
#define PIECE_MAX   700        /* bytes */
#define DAY         (24 * SIM_HOUR)

/* A file that a flow reads. */
typedef struct {
    sim_flow_t   *flow;
    sim_file_t   *file;
    size_t        from;
    int           is_changed;  /* by somebody, under its hands */
    pay_file_t    said;
} reading_t;


static void plan_faults(sim_t *sim);
static void plan_source(sim_t *sim, unsigned i);
static int is_known(const sim_line_t *lines, const sim_line_t *line);
static void close_books(sim_t *sim, void *data);
static void take_lines(sim_t *sim, sim_file_t *file);
static int comes_now(sim_t *sim, sim_line_t *line);
static void draw_fault(sim_t *sim, sim_line_t *line);
static void add_charges(sim_t *sim, sim_file_t *file);
static sim_line_t *add_line(sim_t *sim, sim_psp_t *psp, const char *kind,
    int64_t minor);
static sim_file_t *new_file(sim_t *sim, sim_psp_t *psp);
static void deliver(sim_t *sim, sim_file_t *file);
static void make_version(sim_t *sim, void *data);
static void server_crashes(sim_t *sim, void *unused);
static void look_again(sim_t *sim, unsigned source);
static void look_due(sim_t *sim, void *data);
static int waits(const sim_t *sim, unsigned source);
static void file_next(sim_t *sim, reading_t *reading);
static void file_read(sim_t *sim, reading_t *reading);
static void file_put(reading_t *reading, sim_file_state_t state);
static void file_heard(sim_t *sim, void *data);
static void close_day(sim_t *sim);


void
sim_settle_plan(sim_t *sim)
{
    unsigned  i, k;

    sim->settle = sim_alloc(sim, sizeof(sim_settle_t));
    plan_faults(sim);

    for (i = 0; i < SIM_PSPS; i++) {
        plan_source(sim, i);

        for (k = 0; k < CLOSES; k++) {
            sim_after(sim, sim_between(sim, SIM_MIN, sim->heal_at - sim->now),
                      close_books, &sim->books[i]);
        }
    }

    for (k = 0; k < 2 && sim_chance(sim, 300); k++) {
        sim_after(sim, sim_between(sim, SIM_MIN, sim->heal_at - sim->now),
                  server_crashes, NULL);
    }
}


static void
plan_faults(sim_t *sim)
{
    sim_faults_t  *f = &sim->faults;

    f->line_wrong = sim_chance(sim, 400) ? 0 : 350;
    f->file_bad = sim_chance(sim, 500) ? 0 : 400;
    f->file_again = sim_chance(sim, 400) ? 0 : 500;
    f->file_unreadable = sim_chance(sim, 500) ? 0 : 100;
    f->import_dies = sim_chance(sim, 500) ? 0 : 200;
}


static void
plan_source(sim_t *sim, unsigned i)
{
    pay_settle_source_t  *source = &sim->settle->sources[i];

    source->name = sim_format(sim, "s%u-%" PRIu64, i, sim->scenario);
    source->format = i == 0 ? PAY_STR("stripe") : PAY_STR("generic");
    source->merchant_id = sim->merchant.id;
    source->psp = &sim->psps[i];
    source->way = PAY_SETTLE_BY_DIR;
    source->interval_ms = INTERVAL_MS;
    source->index = i;

    (void) sim_db_ask(sim->db, "SELECT pay_ops.set_settlement_source($1, $2, "
        "$3, $4, '', '2020-01-01', 9)", 4, sim_text(sim, source->name),
        sim_text(sim, source->format), sim_text(sim, source->merchant_id),
        sim_text(sim, source->psp->name));
}


/* Something has moved money of a registration. */
void
sim_settle_line(sim_t *sim, sim_reg_t *reg, const char *kind,
    pay_str_t object, int64_t minor)
{
    sim_line_t  *line, new = { .reg = reg, .kind = kind, .object = object };

    if (sim->settle == NULL
        || is_known(sim->settle->lines[reg->psp->index], &new))
    {
        return;
    }

    line = add_line(sim, reg->psp, kind, minor);
    line->reg = reg;
    line->object = object;

    if (strcmp(kind, "sale") == 0 && sim_chance(sim, 500)) {
        line->fee = -sim_between(sim, 1, 50);
        line->minor += line->fee;
    }
}


static int
is_known(const sim_line_t *lines, const sim_line_t *line)
{
    for ( ; lines != NULL; lines = lines->next) {
        if (lines->reg == line->reg && strcmp(lines->kind, line->kind) == 0
            && pay_str_eq(lines->object, line->object))
        {
            return 1;
        }
    }

    return 0;
}


static sim_line_t *
add_line(sim_t *sim, sim_psp_t *psp, const char *kind, int64_t minor)
{
    sim_line_t  *line = sim_alloc(sim, sizeof(sim_line_t));

    line->kind = kind;
    line->minor = minor;
    line->at = sim->now;
    line->key = sim_format(sim, "t%" PRIu64 "_%u", sim->scenario,
                           ++sim->names);
    line->object = line->key;
    line->next = sim->settle->lines[psp->index];
    sim->settle->lines[psp->index] = line;

    return line;
}


static void
close_books(sim_t *sim, void *data)
{
    sim_file_t  *bad, *file = new_file(sim, data);

    add_charges(sim, file);
    take_lines(sim, file);
    sim_file_write(sim, file);

    if (sim_fault(sim, sim->faults.file_bad)) {
        bad = new_file(sim, data);
        bad->text = file->text;
        bad->payout = file->payout;

        if (sim_file_spoil(sim, bad)) {
            deliver(sim, bad);
        }
    }

    deliver(sim, file);

    if (file->psp->index == 0 && sim_fault(sim, sim->faults.file_again)) {
        sim_after(sim, sim_between(sim, 0, 5 * SIM_MIN), make_version, file);
    }
}


static sim_file_t *
new_file(sim_t *sim, sim_psp_t *psp)
{
    sim_file_t  *file = sim_alloc(sim, sizeof(sim_file_t));

    file->psp = psp;
    file->number = ++sim->settle->file_count;
    file->name = sim_format(sim, "f%u.csv", file->number);
    file->payout = sim_format(sim, "po%" PRIu64 "_%u", sim->scenario,
                              file->number);

    return file;
}


/* The account's own: the row by which a report's batch is named comes first,
 * and there may be one that is not ours. */
static void
add_charges(sim_t *sim, sim_file_t *file)
{
    sim_line_t  *line;

    line = add_line(sim, file->psp, "fee", -sim_between(sim, 1, 300));
    line->file = file;
    line->is_drawn = 1;
    file->rows[file->row_count++] = line;

    if (sim_fault(sim, sim->faults.line_wrong)) {
        line = add_line(sim, file->psp, "sale", sim_between(sim, 100, 9999));
        line->fault = SIM_LINE_EXTRA;
        line->is_drawn = 1;
    }
}


/* In any order. */
static void
take_lines(sim_t *sim, sim_file_t *file)
{
    unsigned     i;
    sim_line_t  *line;

    line = sim->settle->lines[file->psp->index];

    for ( ; line != NULL && file->row_count < SIM_FILE_ROWS; line = line->next)
    {
        if (line->file == NULL && comes_now(sim, line)) {
            line->file = file;
            i = 1 + (unsigned) sim_below(sim, file->row_count);
            file->rows[file->row_count] = file->rows[i];
            file->rows[i] = line;
            file->row_count++;
        }
    }
}


static int
comes_now(sim_t *sim, sim_line_t *line)
{
    if (!line->is_drawn) {
        line->is_drawn = 1;

        if (sim_fault(sim, sim->faults.line_wrong)) {
            draw_fault(sim, line);
        }
    }

    return line->fault != SIM_LINE_MISSING
           && (line->fault != SIM_LINE_LATE || sim->settle->is_last);
}


/* Another amount or currency is one of a whole payment: of another capture it
 * would be another capture, and of a refund that nobody here has heard of it
 * would be that refund. */
static void
draw_fault(sim_t *sim, sim_line_t *line)
{
    int  is_whole = strcmp(line->kind, "sale") == 0 && line->reg != NULL
                    && !line->reg->is_manual;

    static const sim_line_fault_t  any[] = {
        SIM_LINE_MISSING, SIM_LINE_LATE, SIM_LINE_STRANGE
    };
    static const sim_line_fault_t  whole[] = {
        SIM_LINE_MISSING, SIM_LINE_LATE, SIM_LINE_STRANGE, SIM_LINE_AMOUNT,
        SIM_LINE_CURRENCY, SIM_LINE_DOUBLED
    };

    line->fault = is_whole ? whole[sim_below(sim, 6)] : any[sim_below(sim, 3)];
    sim_say(sim, "   psp: the row of %.*s has fault %d", pay_fmt(line->key),
            (int) line->fault);
}


/* Into the directory; at times somebody imports it by hand, too. */
static void
deliver(sim_t *sim, sim_file_t *file)
{
    unsigned  i, n;

    file->next = sim->settle->files;
    sim->settle->files = file;
    sim->figures.files++;
    sim_say(sim, "   psp %u: file %.*s of %u rows%s", file->psp->index,
            pay_fmt(file->name), file->row_count,
            file->is_bad ? ", which is spoilt" : "");

    n = sim_chance(sim, 600) ? 0 : 1 + (unsigned) sim_below(sim, 2);
    n = sim_steered(sim, SIM_STEER_IMPORTS) ? 2 : n;

    for (i = 0; i < n; i++) {
        sim_import(sim, file);
    }

    if (!sim->settle->is_looked[file->psp->index]) {
        look_again(sim, file->psp->index);
    }
}


/* The same batch with other bytes: a row less, one more, and so another
 * payout. */
static void
make_version(sim_t *sim, void *data)
{
    unsigned     i, n = 0;
    sim_line_t  *line;
    sim_file_t  *first = data, *file;

    for (i = 1; i < first->row_count; i++) {
        line = first->rows[i];

        if (line->fault == SIM_LINE_RIGHT && (line->reg == NULL
                                 || strcmp(line->kind, "sale") == 0))
        {
            n = i;
        }
    }

    if (n == 0 || first->row_count == SIM_FILE_ROWS) {
        return;
    }

    file = new_file(sim, first->psp);
    file->first = first;
    file->gone = first->rows[n];
    file->payout = first->payout;

    for (i = 0; i < first->row_count; i++) {
        if (i != n) {
            file->rows[file->row_count++] = first->rows[i];
        }
    }

    line = add_line(sim, file->psp, "fee", -sim_between(sim, 1, 300));
    line->is_drawn = 1;
    line->file = file;
    file->rows[file->row_count++] = line;
    sim_file_write(sim, file);
    deliver(sim, file);
}


/* What is under way stays so, but for what is unlogged. */
static void
server_crashes(sim_t *sim, void *unused)
{
    (void) unused;
    sim_say(sim, "PostgreSQL crashes: unlogged tables are empty");
    sim_db_crash(sim->db);
}


static void
look_again(sim_t *sim, unsigned source)
{
    sim->settle->is_looked[source] = 1;
    sim_after(sim, sim_between(sim, SIM_S, LOOK_GAP), look_due,
              &sim->settle->sources[source]);
}


/* As ngx_payments_settlement.c: a worker that finds a file asks whether a look
 * is due; another one does so until no file waits. */
static void
look_due(sim_t *sim, void *data)
{
    unsigned                    worker;
    sim_flow_t                 *flow;
    reading_t                  *reading;
    const pay_settle_source_t  *source = data;

    sim->settle->is_looked[source->index] = 0;

    if (!waits(sim, source->index)) {
        return;
    }

    look_again(sim, source->index);

    if (!sim_worker_pick(sim, &worker)) {
        return;
    }

    reading = sim_alloc(sim, sizeof(reading_t));
    flow = sim_flow_new(sim, worker, NULL, reading);
    reading->flow = flow;

    if (pay_flow_settlement(&flow->core, source, sim->workers[worker].owner,
                            PAY_STR("no copies in the simulator here."))
        != PAY_OK)
    {
        sim_die("no flow of settlement");
    }

    sim_flow_start(flow);
}


static int
waits(const sim_t *sim, unsigned source)
{
    const sim_file_t  *file;

    for (file = sim->settle->files; file != NULL; file = file->next) {
        if (file->state == SIM_FILE_WAITS && file->psp->index == source) {
            return 1;
        }
    }

    return 0;
}


/* PAY_DO_FILE, as ngx_payments_effect_file.c does it. */
void
sim_file_do(sim_flow_t *flow)
{
    sim_t      *sim = flow->sim;
    reading_t  *reading = flow->data;

    memset(&reading->said, 0, sizeof(reading->said));

    if (sim_fault(sim, sim->faults.file_unreadable)) {
        reading->said.failure = PAY_FAILURE_UNREADABLE;

    } else {
        switch (flow->effect.file) {

        case PAY_FILE_NEXT:
            file_next(sim, reading);
            break;

        case PAY_FILE_READ:
            file_read(sim, reading);
            break;

        case PAY_FILE_FETCH:           /* its sources are directories */
            reading->said.failure = PAY_FAILURE_UNREADABLE;
            break;

        case PAY_FILE_BOOKED:
        case PAY_FILE_STAGED:
            file_put(reading, SIM_FILE_BOOKED);
            break;

        case PAY_FILE_REFUSED:
            file_put(reading, SIM_FILE_REFUSED);
            break;
        }
    }

    sim_after(sim, sim_between(sim, 100, 2000), file_heard, reading);
}


/* The oldest one. */
static void
file_next(sim_t *sim, reading_t *reading)
{
    sim_file_t                 *file;
    const pay_settle_source_t  *source = reading->flow->effect.settlement;

    reading->file = NULL;
    reading->from = 0;

    for (file = sim->settle->files; file != NULL; file = file->next) {
        if (file->state == SIM_FILE_WAITS
            && file->psp->index == source->index)
        {
            reading->file = file;
        }
    }

    file = reading->file;

    if (file != NULL) {
        reading->is_changed = sim_fault(sim, sim->faults.file_unreadable);
        reading->said.name = file->name;
        reading->said.sha256 = (pay_str_t) { PAY_SHA256_SIZE, file->sha256 };
    }
}


static void
file_read(sim_t *sim, reading_t *reading)
{
    size_t  n, left = reading->file->text.len - reading->from;

    n = (size_t) sim_between(sim, 1, PIECE_MAX);
    n = n < left ? n : left;
    reading->said.bytes = (pay_str_t) {
        n, reading->file->text.data + reading->from
    };
    reading->from += n;
    reading->said.is_end = n == left;
    reading->said.is_same = n == left && !reading->is_changed;
}


/* Somebody may have been faster. */
static void
file_put(reading_t *reading, sim_file_state_t state)
{
    sim_t       *sim = reading->flow->sim;
    sim_file_t  *file = reading->file;

    if (file->state != SIM_FILE_WAITS) {
        reading->said.failure = PAY_FAILURE_UNREADABLE;
        return;
    }

    file->state = state;
    sim_say(sim, "w%u   file %.*s is put to those that are %s",
            reading->flow->worker, pay_fmt(file->name),
            state == SIM_FILE_BOOKED ? "booked" : "refused");

    if (file->is_bad != (state == SIM_FILE_REFUSED)) {
        sim_violation(sim, "I9: file %.*s is put to those that are %s",
                      pay_fmt(file->name),
                      state == SIM_FILE_BOOKED ? "booked" : "refused");
    }
}


static void
file_heard(sim_t *sim, void *data)
{
    reading_t     *reading = data;
    sim_flow_t    *flow = reading->flow;
    pay_input_t    input = { .kind = PAY_INPUT_FILE };
    sim_worker_t  *worker = &sim->workers[flow->worker];

    if (flow->life == worker->life && sim->now < worker->paused_until) {
        sim_at(sim, worker->paused_until + sim_between(sim, 0, 1000),
               file_heard, reading);
        return;
    }

    input.file = &reading->said;
    sim_flow_event(flow, &input);
}


/* All is quiet: the day is closed, and what is late comes after it. */
void
sim_settle_last(sim_t *sim)
{
    unsigned  i;

    sim->now += DAY - (sim->now + sim->db_off) % DAY + SIM_MIN;
    sim_db_clock(sim->db, sim->now + sim->db_off);
    close_day(sim);
    sim->settle->is_last = 1;

    for (i = 0; i < SIM_PSPS; i++) {
        close_books(sim, &sim->books[i]);
    }
}


static void
close_day(sim_t *sim)
{
    (void) sim_db_ask(sim->db, "SELECT c.outcome, c.document, d.day FROM "
        "(SELECT (now() AT TIME ZONE 'UTC')::date - 1 AS day) d CROSS JOIN "
        "LATERAL pay_ops.make_close(d.day) c", 0);

    if (strcmp(sim_db_cell(sim->db, 0, 0), "made") != 0) {
        sim_violation(sim, "I9: the day cannot be closed: %s",
                      sim_db_cell(sim->db, 0, 0));
    }

    sim->settle->closed = sim_text(sim,
                                   pay_str_of(sim_db_cell(sim->db, 0, 1)));
    sim->settle->day = sim_text(sim, pay_str_of(sim_db_cell(sim->db, 0, 2)));
}
