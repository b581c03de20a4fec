/*
 * Settlements that were pulled are pulled again, since a PSP may alter them:
 * once a day, for 10 days, behind those that are new.  The first reading keeps
 * nothing and compares the digest of the rows.  Where it differs, the
 * settlement is pulled once more, as the next version of the file, whose
 * differences wait for an operator.
 *
 * A reading that breaks off is begun again, and so is a version.  A settlement
 * that cannot be read holds nothing up: it is tried an hour later.
 */

#include "flow_settlement.h"


#define PAUSE_MS  86400000             /* between two readings */
#define AGAIN_MS  3600000              /* behind one that failed */


static pay_status_t reread_found(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t reread_begin(pay_flow_t *flow, const pay_reread_row_t *row,
    pay_effect_t *effect);
static pay_status_t reread_page(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t reread_compare(pay_flow_t *flow, pay_status_t status,
    pay_effect_t *effect);
static pay_status_t reread_version(pay_flow_t *flow, pay_effect_t *effect);
static pay_status_t reread_end(pay_flow_t *flow, int64_t pause_ms,
    pay_effect_t *effect);
static pay_status_t reread_ended(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);


pay_status_t
settlement_reread_next(pay_flow_t *flow, pay_effect_t *effect)
{
    settlement_t         *look = flow->state;
    pay_get_reread_in_t   in = { .source = look->source->name };

    return pay_do_get_reread(flow, effect, &in, reread_found);
}


static pay_status_t
reread_found(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    settlement_t            *look = flow->state;
    const pay_reread_row_t  *row = pay_row_reread(&input->result);

    if (input->kind != PAY_INPUT_ROW) {
        return settlement_end(flow, "not-asked", effect);
    }

    if (input->result.outcome == PAY_OUTCOME_FOUND && row != NULL) {
        return reread_begin(flow, row, effect);
    }

    look->pull->reread.is_over = 1;

    return settlement_pull_next(flow, input, effect);
}


static pay_status_t
reread_begin(pay_flow_t *flow, const pay_reread_row_t *row,
    pay_effect_t *effect)
{
    pay_status_t          status;
    settlement_t         *look = flow->state;
    settlement_reread_t  *reread = &look->pull->reread;

    if (row->digest.len != sizeof(reread->digest)
        || row->next_sha256.len != sizeof(reread->next_sha256))
    {
        return PAY_BUG;
    }

    reread->is_on = 1;
    reread->is_compared = !row->is_begun;
    reread->file_id = row->file_id;
    memcpy(reread->digest, row->digest.data, row->digest.len);
    memcpy(reread->next_sha256, row->next_sha256.data, row->next_sha256.len);

    memset(&look->pull->page, 0, sizeof(look->pull->page));
    PAY_TRY(pay_dup(flow->arena, row->name, &look->pull->page.id));

    if (!reread->is_compared) {
        return reread_version(flow, effect);
    }

    status = settlement_reader(look, row->format, row->account);

    if (status == PAY_NOT_FOUND) {
        return settlement_end(flow, "format-unknown", effect);
    }

    PAY_TRY(status);

    return settlement_pull_page(flow, effect);
}


pay_status_t
settlement_reread_feed(pay_flow_t *flow, const pay_input_t *input,
    pay_str_t bytes, pay_effect_t *effect)
{
    pay_status_t   status;
    settlement_t  *look = flow->state;

    status = pay_settle_feed(look->reader, bytes);

    if (status == PAY_OK && !look->is_end) {
        return reread_page(flow, input, effect);
    }

    return reread_compare(flow, status, effect);
}


static pay_status_t
reread_page(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_status_t  status;

    if (settlement_must_renew(flow, input, reread_page, effect, &status)) {
        return status;
    }

    return settlement_pull_page(flow, effect);
}


/* An answer that cannot be read is a version, too: that one is refused, with
 * the reason. */
static pay_status_t
reread_compare(pay_flow_t *flow, pay_status_t status, pay_effect_t *effect)
{
    settlement_t         *look = flow->state;
    unsigned char         digest[PAY_SHA256_SIZE];
    settlement_reread_t  *reread = &look->pull->reread;

    if (status == PAY_OK) {
        status = pay_settle_end(look->reader);
    }

    if (status != PAY_OK && status != PAY_INVALID) {
        return status;
    }

    PAY_TRY(pay_settle_digest_end(&look->digest, digest));
    settlement_close(flow);
    reread->is_compared = 0;

    return status == PAY_OK
           && memcmp(digest, reread->digest, sizeof(digest)) == 0
           ? settlement_reread_end(flow, effect)
           : reread_version(flow, effect);
}


static pay_status_t
reread_version(pay_flow_t *flow, pay_effect_t *effect)
{
    settlement_t         *look = flow->state;
    settlement_reread_t  *reread = &look->pull->reread;

    look->pull->page.part = 0;
    look->pull->page.cursor = PAY_STR("");

    return settlement_open(flow, look->pull->page.id,
                           (pay_str_t) { sizeof(reread->next_sha256),
                                         reread->next_sha256 }, effect);
}


pay_status_t
settlement_reread_failed(pay_flow_t *flow, const char *why,
    pay_effect_t *effect)
{
    settlement_t  *look = flow->state;

    settlement_close(flow);
    look->later_why = why;
    look->pull->reread.is_over = 1;

    return reread_end(flow, AGAIN_MS, effect);
}


pay_status_t
settlement_reread_end(pay_flow_t *flow, pay_effect_t *effect)
{
    return reread_end(flow, PAUSE_MS, effect);
}


static pay_status_t
reread_end(pay_flow_t *flow, int64_t pause_ms, pay_effect_t *effect)
{
    settlement_t         *look = flow->state;
    pay_end_reread_in_t   in = {
        .file_id = look->pull->reread.file_id, .pause_ms = pause_ms
    };

    return pay_do_end_reread(flow, effect, &in, reread_ended);
}


static pay_status_t
reread_ended(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    settlement_t  *look = flow->state;

    if (input->kind != PAY_INPUT_ROW) {
        return settlement_end(flow, "not-stored", effect);
    }

    look->pull->reread.is_on = 0;
    look->pull->reread.is_compared = 0;

    return settlement_pull_next(flow, input, effect);
}
