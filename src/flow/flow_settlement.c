/*
 * A look at a source of settlement files: under a lease one file is read in
 * pieces, its rows are staged, it is proven and booked step by step, with the
 * operations that payctl uses.  Whatever ends in the middle is taken up by the
 * next look, which begins the file again; rows that are booked stay booked.
 */

#include "flow_settlement.h"


#define LEASE_MS    120000
#define RENEW_S     40                 /* of the lease, before it is renewed */
#define STEP_ROWS   1000               /* booked in one step */
#define STOPPED     "stopped"          /* this worker ends: another goes on */


static pay_status_t look_start(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t look_begun(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t file_do(pay_flow_t *flow, pay_file_do_t act,
    pay_flow_step_pt step, pay_effect_t *effect);
static pay_status_t file_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t open_again(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t file_opened(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t file_read(pay_flow_t *flow, const pay_settlement_row_t *row,
    pay_effect_t *effect);
static pay_status_t ask_piece(pay_flow_t *flow, pay_effect_t *effect);
static pay_status_t next_piece(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t piece_came(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t stage(pay_flow_t *flow, pay_effect_t *effect);
static pay_status_t staged(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t refused(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t advance(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t advanced(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t put(pay_flow_t *flow, const pay_input_t *input,
    const char *state, const char *why, pay_effect_t *effect);
static pay_status_t file_put(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t renew(pay_flow_t *flow, const pay_input_t *input,
    pay_flow_step_pt then, pay_effect_t *effect);
static pay_status_t renewed(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t look_ended(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);


static const pay_flow_type_t  settlement_type = {
    .name = "settlement", .start = look_start, .is_patient = 1,
    .end = settlement_close
};


pay_status_t
pay_flow_settlement(pay_flow_t *flow, const pay_settle_source_t *source,
    pay_str_t owner, pay_str_t seed)
{
    settlement_t  *look;

    look = pay_calloc(flow->arena, sizeof(settlement_t));
    if (look == NULL) {
        return PAY_NO_MEMORY;
    }

    look->source = source;
    look->owner = owner;
    PAY_TRY(pay_dup(flow->arena, seed, &look->seed));
    look->flow = flow;
    look->settled.source = source->name;
    pay_flow_begin(flow, &settlement_type, look);

    return PAY_OK;
}


static pay_status_t
look_start(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    settlement_t               *look = flow->state;
    const pay_settle_source_t  *source = look->source;

    static const char *const    ways[] = {
        [PAY_SETTLE_BY_DIR] = "dir", [PAY_SETTLE_BY_PULL] = "pull",
        [PAY_SETTLE_BY_REPORT] = "report"
    };
    PAY_ROWS(ways, PAY_SETTLE_WAY_COUNT);

    pay_begin_look_in_t         in = {
        .source = source->name,
        .format = source->format,
        .merchant_id = source->merchant_id,
        .psp = source->psp != NULL ? source->psp->name : PAY_STR(""),
        .account = source->account,
        .way = pay_str_of(ways[source->way]),
        .owner = look->owner,
        .interval_ms = source->interval_ms,
        .lease_ms = LEASE_MS,
        .keep = source->keyring != NULL ? PAY_STR("copy") : PAY_STR("digest")
    };

    look->renewed_s = input->now_s;

    return pay_do_begin_look(flow, effect, &in, look_begun);
}


static pay_status_t
look_begun(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    settlement_t          *look = flow->state;
    pay_outcome_t          outcome = input->result.outcome;
    const pay_look_row_t  *row = pay_row_look(&input->result);

    if (outcome == PAY_OUTCOME_DUE && row != NULL) {
        look->balance_due = row->balance_due != 0;

        switch (look->source->way) {

        case PAY_SETTLE_BY_PULL:
            return settlement_pull_start(flow, row->since_s, input, effect);

        case PAY_SETTLE_BY_REPORT:
            return settlement_report_next(flow, input, effect);

        default:
            return file_do(flow, PAY_FILE_NEXT, file_found, effect);
        }
    }

    if (outcome == PAY_OUTCOME_BOOKING && row != NULL) {
        look->is_helper = 1;
        look->settled.file_id = row->file_id;
        return advance(flow, input, effect);
    }

    flow->outcome = outcome == PAY_OUTCOME_NOT_DUE ? "not-due"
                    : outcome == PAY_OUTCOME_EXISTS ? "exists"
                    : outcome == PAY_OUTCOME_INVALID ? "invalid"
                    : "not-asked";
    pay_do_done(effect, NULL);

    return PAY_OK;
}


static pay_status_t
file_do(pay_flow_t *flow, pay_file_do_t act, pay_flow_step_pt step,
    pay_effect_t *effect)
{
    settlement_t  *look = flow->state;

    effect->kind = PAY_DO_FILE;
    effect->file = act;
    effect->settlement = look->source;
    flow->step = step;

    return PAY_OK;
}


static pay_status_t
file_found(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    const pay_file_t  *file = input->file;

    if (file->failure != PAY_FAILURE_NONE) {
        return settlement_end(flow, pay_failure_name(file->failure), effect);
    }

    if (file->name.len == 0) {
        return settlement_end(flow, NULL, effect);
    }

    return settlement_open(flow, file->name, file->sha256, effect);
}


pay_status_t
settlement_open(pay_flow_t *flow, pay_str_t name, pay_str_t sha256,
    pay_effect_t *effect)
{
    settlement_t             *look = flow->state;
    pay_open_settlement_in_t  in = { .source = look->source->name };

    look->is_end = 0;
    look->column = NULL;
    look->why = NULL;
    look->verdict = PAY_SETTLE_PROVEN;
    memset(&look->settled, 0, sizeof(look->settled));
    look->settled.source = look->source->name;

    PAY_TRY(pay_dup(flow->arena, name, &look->name));
    memcpy(look->sha256, sha256.data, sizeof(look->sha256));
    in.sha256 = (pay_str_t) { sizeof(look->sha256), look->sha256 };
    in.name = look->name;

    return pay_do_open_settlement(flow, effect, &in, file_opened);
}


/* Rows of an attempt that broke off are deleted in pieces. */
static pay_status_t
open_again(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_status_t              status;
    settlement_t             *look = flow->state;
    pay_open_settlement_in_t  in = {
        .source = look->source->name,
        .name = look->name,
        .sha256 = { sizeof(look->sha256), look->sha256 }
    };

    if (settlement_must_renew(flow, input, open_again, effect, &status)) {
        return status;
    }

    return pay_do_open_settlement(flow, effect, &in, file_opened);
}


static pay_status_t
file_opened(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    settlement_t                *look = flow->state;
    const pay_settlement_row_t  *row = pay_row_settlement(&input->result);

    if (input->kind != PAY_INPUT_ROW || row == NULL) {
        return settlement_end(flow, "not-opened", effect);
    }

    look->settled.file_id = row->file_id;
    look->attempt = row->attempt;

    if (input->result.outcome == PAY_OUTCOME_CLEARING) {
        return open_again(flow, input, effect);
    }

    if (input->result.outcome == PAY_OUTCOME_STAGED) {
        return advance(flow, input, effect);
    }

    if (input->result.outcome == PAY_OUTCOME_KNOWN) {
        return look->pull == NULL ? put(flow, input, "known", NULL, effect)
               : look->pull->reread.is_on
                 ? settlement_reread_end(flow, effect)
                 : settlement_pull_next(flow, input, effect);
    }

    return file_read(flow, row, effect);
}


static pay_status_t
file_read(pay_flow_t *flow, const pay_settlement_row_t *row,
    pay_effect_t *effect)
{
    pay_status_t   status;
    settlement_t  *look = flow->state;

    PAY_TRY(settlement_copy_begin(look));
    status = settlement_reader(look, row->format, row->account);

    if (status == PAY_NOT_FOUND) {
        return settlement_end(flow, "format-unknown", effect);
    }

    return status == PAY_OK ? ask_piece(flow, effect) : status;
}


pay_status_t
settlement_reader(settlement_t *look, pay_str_t format, pay_str_t account)
{
    pay_arena_t           *arena = look->flow->arena;
    pay_settle_options_t   options = { .row = settlement_row, .data = look };

    PAY_TRY(pay_dup(arena, account, &options.account));
    pay_settle_digest_begin(&look->digest);

    return pay_settle_open(arena, format, &options, &look->reader);
}


static pay_status_t
ask_piece(pay_flow_t *flow, pay_effect_t *effect)
{
    settlement_t  *look = flow->state;

    return look->pull != NULL
           ? settlement_pull_page(flow, effect)
           : file_do(flow, PAY_FILE_READ, piece_came, effect);
}


static pay_status_t
next_piece(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_status_t   status;
    settlement_t  *look = flow->state;

    if (settlement_must_renew(flow, input, next_piece, effect, &status)) {
        return status;
    }

    return look->is_end ? settlement_prove(flow, effect)
                        : ask_piece(flow, effect);
}


static pay_status_t
piece_came(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    settlement_t      *look = flow->state;
    const pay_file_t  *file = input->file;

    if (file->failure != PAY_FAILURE_NONE) {
        return settlement_end(flow, pay_failure_name(file->failure), effect);
    }

    look->is_end = file->is_end;
    look->is_same = file->is_same;

    return settlement_feed(flow, input, file->bytes, effect);
}


/* The rows of one piece are one call, and so are the pieces of a copy. */
pay_status_t
settlement_feed(pay_flow_t *flow, const pay_input_t *input, pay_str_t bytes,
    pay_effect_t *effect)
{
    pay_status_t   status;
    settlement_t  *look = flow->state;

    look->lines = NULL;
    look->line_count = 0;
    look->line_room = 0;

    status = pay_settle_feed(look->reader, bytes);

    if (status == PAY_OK && look->is_end) {
        status = pay_settle_end(look->reader);
    }

    if (status == PAY_INVALID) {
        return settlement_refuse(flow, effect);
    }

    PAY_TRY(status);
    PAY_TRY(settlement_copy_seal(look, bytes));

    return look->piece_count != 0 ? settlement_copy_keep(flow, effect)
                                  : settlement_fed(flow, input, effect);
}


pay_status_t
settlement_fed(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    settlement_t  *look = flow->state;

    return look->line_count != 0 ? stage(flow, effect)
                                 : next_piece(flow, input, effect);
}


static pay_status_t
stage(pay_flow_t *flow, pay_effect_t *effect)
{
    settlement_t              *look = flow->state;
    pay_stage_settlement_in_t  in = {
        .file_id = look->settled.file_id,
        .attempt = look->attempt,
        .rows = look->lines,
        .rows_count = look->line_count
    };

    return pay_do_stage_settlement(flow, effect, &in, staged);
}


static pay_status_t
staged(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    if (input->kind != PAY_INPUT_ROW) {
        return settlement_end(flow, "not-stored", effect);
    }

    return input->result.outcome == PAY_OUTCOME_STAGED
           ? next_piece(flow, input, effect)
           : settlement_end(flow, "overtaken", effect);
}


pay_status_t
settlement_proven(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect)
{
    if (input->kind != PAY_INPUT_ROW) {
        return settlement_end(flow, "not-stored", effect);
    }

    switch (input->result.outcome) {

    case PAY_OUTCOME_PROVEN:
        return advance(flow, input, effect);

    case PAY_OUTCOME_REFUSED:
        return put(flow, input, "refused", "sums", effect);

    default:
        return settlement_end(flow, "overtaken", effect);
    }
}


/* A mistake that the reader has found; the reason names its place. */
pay_status_t
settlement_refuse(pay_flow_t *flow, pay_effect_t *effect)
{
    settlement_t                *look = flow->state;
    const pay_settle_refusal_t  *why = pay_settle_refusal(look->reader);
    pay_refuse_settlement_in_t   in = {
        .file_id = look->settled.file_id, .attempt = look->attempt
    };

    if (look->column != NULL) {
        look->why = "id-too-long";
        PAY_TRY(pay_format(flow->args, &in.reason, SETTLEMENT_REASON_MAX,
                           "line %" PRId64 ", column %s: longer than 255 "
                           "bytes", look->settled.line, look->column));

    } else if (why == NULL && look->is_end && !look->is_same) {
        look->why = "changed";
        in.reason = PAY_STR("it was changed while it was read");

    } else {
        look->why = why != NULL ? why->reason : "partial";
        look->settled.line = why != NULL ? why->line : 0;
        PAY_TRY(pay_settle_why(flow->args, look->reader, look->verdict,
                               &in.reason));
    }

    return pay_do_refuse_settlement(flow, effect, &in, refused);
}


/* A file that was changed meanwhile stays: another look reads it. */
static pay_status_t
refused(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    settlement_t  *look = flow->state;

    if (input->kind != PAY_INPUT_ROW) {
        return settlement_end(flow, "not-stored", effect);
    }

    if (input->result.outcome != PAY_OUTCOME_REFUSED) {
        return settlement_end(flow, "overtaken", effect);
    }

    return strcmp(look->why, "changed") == 0
           ? settlement_end(flow, look->why, effect)
           : put(flow, input, "refused", look->why, effect);
}


static pay_status_t
advance(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_status_t                 status;
    settlement_t                *look = flow->state;
    pay_advance_settlement_in_t  in = {
        .file_id = look->settled.file_id, .rows = STEP_ROWS
    };

    if (settlement_must_renew(flow, input, advance, effect, &status)) {
        return status;
    }

    return pay_do_advance_settlement(flow, effect, &in, advanced);
}


/* The worker that reads the file says how it ends; a helper leaves when there
 * are no more parts. */
static pay_status_t
advanced(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    settlement_t  *look = flow->state;

    if (look->is_helper && (input->kind != PAY_INPUT_ROW
                            || input->result.outcome != PAY_OUTCOME_BOOKING))
    {
        return settlement_end(flow, NULL, effect);
    }

    if (input->kind != PAY_INPUT_ROW) {
        return settlement_end(flow, "not-stored", effect);
    }

    switch (input->result.outcome) {

    case PAY_OUTCOME_BOOKING:
        return advance(flow, input, effect);

    case PAY_OUTCOME_BOOKED:
        return put(flow, input, "booked", NULL, effect);

    case PAY_OUTCOME_STAGED:
        return put(flow, input, "staged", NULL, effect);

    case PAY_OUTCOME_REFUSED:
        return put(flow, input, "refused", "sums", effect);

    default:
        return settlement_end(flow, "overtaken", effect);
    }
}


/* The file has come to its end, and leaves its directory if it has one. */
static pay_status_t
put(pay_flow_t *flow, const pay_input_t *input, const char *state,
    const char *why, pay_effect_t *effect)
{
    settlement_t  *look = flow->state;

    look->settled.state = state;
    look->settled.why = why;
    look->files++;
    look->ended = look->settled;
    flow->settled = &look->ended;

    if (look->pull != NULL) {
        settlement_close(flow);
        return look->pull->reread.is_on
               ? settlement_reread_end(flow, effect)
               : settlement_pull_next(flow, input, effect);
    }

    if (look->report != NULL) {
        settlement_close(flow);
        return settlement_report_read(flow, why, effect);
    }

    return file_do(flow, strcmp(state, "refused") == 0 ? PAY_FILE_REFUSED
                         : strcmp(state, "staged") == 0 ? PAY_FILE_STAGED
                         : PAY_FILE_BOOKED, file_put, effect);
}


static pay_status_t
file_put(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_failure_t  failure = input->file->failure;

    return settlement_end(flow, failure != PAY_FAILURE_NONE ? "not-moved"
                                                            : NULL, effect);
}


int
settlement_must_renew(pay_flow_t *flow, const pay_input_t *input,
    pay_flow_step_pt then, pay_effect_t *effect, pay_status_t *status)
{
    settlement_t  *look = flow->state;

    if (input->is_stopping) {
        *status = settlement_end(flow, STOPPED, effect);
        return 1;
    }

    if (input->now_s >= look->renewed_s + RENEW_S) {
        *status = renew(flow, input, then, effect);
        return 1;
    }

    return 0;
}


static pay_status_t
renew(pay_flow_t *flow, const pay_input_t *input, pay_flow_step_pt then,
    pay_effect_t *effect)
{
    settlement_t        *look = flow->state;
    pay_keep_look_in_t   in = {
        .source = look->source->name,
        .owner = look->owner,
        .lease_ms = LEASE_MS
    };

    look->renewed_s = input->now_s;
    look->then = then;

    return pay_do_keep_look(flow, effect, &in, renewed);
}


static pay_status_t
renewed(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    settlement_t  *look = flow->state;

    if (input->kind != PAY_INPUT_ROW) {
        return settlement_end(flow, "not-stored", effect);
    }

    return input->result.outcome == PAY_OUTCOME_KEPT
           ? look->then(flow, input, effect)
           : settlement_end(flow, "overtaken", effect);
}


/* A literal in `code`: why it brought nothing.  Behind a file that has come to
 * its end the next one is due at once, and so is one that another worker goes
 * on with. */
pay_status_t
settlement_end(pay_flow_t *flow, const char *code, pay_effect_t *effect)
{
    settlement_t      *look = flow->state;
    pay_end_look_in_t  in = {
        .source = look->source->name,
        .owner = look->owner,
        .files = look->files,
        .again = code == NULL ? look->files != 0 : strcmp(code, STOPPED) == 0,
        .code = pay_str_of(code)
    };

    if (look->pull != NULL && code == NULL) {
        in.again = look->pull->count != 0 || look->pull->has_more;
        in.seen_s = pay_some(look->pull->count != 0 ? look->pull->seen_s
                                                    : look->pull->until_s);
    }

    /* the files have come all the same */
    if (code == NULL && look->later_why != NULL) {
        code = look->later_why;
        in.code = pay_str_of(code);
    }

    flow->outcome = code != NULL ? code : look->files != 0 ? "read" : "empty";

    return pay_do_end_look(flow, effect, &in, look_ended);
}


static pay_status_t
look_ended(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    if (input->kind != PAY_INPUT_ROW) {
        flow->outcome = "not-stored";
    }

    pay_do_done(effect, NULL);

    return PAY_OK;
}


void
settlement_close(pay_flow_t *flow)
{
    settlement_t  *look = flow->state;

    pay_settle_close(look->reader);
    look->reader = NULL;
}
