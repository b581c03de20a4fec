/*
 * The proof of a settlement file that was read to its end: PostgreSQL adds its
 * rows up in pieces, each a call that takes a bounded time, and compares the
 * sums with those that the file states.
 */

#include "flow_settlement.h"


#define CHECK_ROWS  5000               /* checked in one step */


static pay_status_t check(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t ask_check(pay_flow_t *flow, pay_effect_t *effect);
static pay_status_t checked(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);
static pay_status_t prove(pay_flow_t *flow, pay_effect_t *effect);


pay_status_t
settlement_prove(pay_flow_t *flow, pay_effect_t *effect)
{
    pay_status_t   status;
    settlement_t  *look = flow->state;

    if (!look->is_same) {
        return settlement_refuse(flow, effect);
    }

    status = pay_settle_prove(look->reader, &look->verdict);

    if (status == PAY_INVALID
        || (look->verdict == PAY_SETTLE_PARTIAL
            && pay_settle_page(look->reader) == 0))
    {
        return settlement_refuse(flow, effect);
    }

    return status == PAY_OK ? ask_check(flow, effect) : status;
}


static pay_status_t
check(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    pay_status_t  status;

    if (settlement_must_renew(flow, input, check, effect, &status)) {
        return status;
    }

    return ask_check(flow, effect);
}


static pay_status_t
ask_check(pay_flow_t *flow, pay_effect_t *effect)
{
    settlement_t              *look = flow->state;
    pay_check_settlement_in_t  in = {
        .file_id = look->settled.file_id,
        .attempt = look->attempt,
        .rows = CHECK_ROWS
    };

    return pay_do_check_settlement(flow, effect, &in, checked);
}


static pay_status_t
checked(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    if (input->kind != PAY_INPUT_ROW) {
        return settlement_end(flow, "not-stored", effect);
    }

    switch (input->result.outcome) {

    case PAY_OUTCOME_AGAIN:
        return check(flow, input, effect);

    case PAY_OUTCOME_CHECKED:
        return prove(flow, effect);

    default:
        return settlement_end(flow, "overtaken", effect);
    }
}


static pay_status_t
prove(pay_flow_t *flow, pay_effect_t *effect)
{
    settlement_t              *look = flow->state;
    unsigned char              digest[PAY_SHA256_SIZE];
    pay_prove_settlement_in_t  in = {
        .file_id = look->settled.file_id,
        .attempt = look->attempt,
        .rows = look->settled.rows
    };

    if (look->pull != NULL) {
        PAY_TRY(pay_settle_digest_end(&look->digest, digest));
        in.digest = (pay_str_t) { sizeof(digest), digest };
        PAY_TRY(pay_dup(flow->args, in.digest, &in.digest));
    }

    PAY_TRY(pay_settle_batch(flow->args, look->reader, &in.batch_key));
    PAY_TRY(pay_settle_stated(flow->args, look->reader, &in.stated));
    PAY_TRY(pay_settle_page_stated(flow->args, look->reader, &in.page));

    return pay_do_prove_settlement(flow, effect, &in, settlement_proven);
}
