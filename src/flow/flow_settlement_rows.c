/*
 * Rows that a reader of settlement files hands out, as the arguments of one
 * call of stage_settlement.
 */

#include "flow_settlement.h"


#define LINES_MIN  64


static pay_status_t room_for_line(settlement_t *look);
static pay_status_t copy_texts(pay_arena_t *args,
    const pay_settle_row_t *from, pay_settlement_line_row_t *to);


pay_status_t
settlement_row(void *data, const pay_settle_row_t *from)
{
    settlement_t               *look = data;
    pay_settlement_line_row_t  *to;

    if (look->pull != NULL) {
        PAY_TRY(pay_settle_digest_add(&look->digest, from));

        if (look->pull->reread.is_compared) {
            return PAY_OK;
        }
    }

    look->column = pay_settle_too_long(from);

    if (look->column != NULL) {
        look->settled.line = from->line;
        return PAY_INVALID;
    }

    PAY_TRY(room_for_line(look));

    to = &look->lines[look->line_count];
    memset(to, 0, sizeof(*to));

    PAY_TRY(copy_texts(look->flow->args, from, to));

    to->line = from->ordinal;
    to->kind = pay_str_of(pay_settle_kind_name(from->kind));
    to->occurred_us = pay_maybe(from->has_occurred && from->occurred_us >= 0,
                                from->occurred_us);
    to->gross_minor = from->gross_minor;
    to->fee_minor = from->fee_minor;
    to->tax_minor = from->tax_minor;
    to->net_minor = from->net_minor;
    to->paid_minor = pay_maybe(from->paid_currency[0] != '\0',
                               from->paid_minor);
    to->flags = (from->is_external ? 1 : 0) | (from->is_detail ? 2 : 0);

    look->line_count++;
    look->settled.rows++;

    return PAY_OK;
}


static pay_status_t
room_for_line(settlement_t *look)
{
    size_t                      room;
    pay_settlement_line_row_t  *lines;

    if (look->line_count < look->line_room) {
        return PAY_OK;
    }

    room = look->line_room == 0 ? LINES_MIN : 2 * look->line_room;
    lines = pay_alloc(look->flow->args, room * sizeof(*lines));
    if (lines == NULL) {
        return PAY_NO_MEMORY;
    }

    if (look->line_count != 0) {
        memcpy(lines, look->lines, look->line_count * sizeof(*lines));
    }

    look->lines = lines;
    look->line_room = room;

    return PAY_OK;
}


static pay_status_t
copy_texts(pay_arena_t *args, const pay_settle_row_t *from,
    pay_settlement_line_row_t *to)
{
    size_t  i;

    const struct {
        pay_str_t   text;
        pay_str_t  *copy;
    } texts[] = {
        { from->row_key, &to->row_key }, { from->raw_type, &to->raw_type },
        { from->psp_ref, &to->psp_ref },
        { from->parent_ref, &to->parent_ref },
        { from->our_ref, &to->our_ref }, { from->booked_on, &to->booked_on },
        { pay_str_of(from->currency), &to->currency },
        { pay_str_of(from->paid_currency), &to->paid_currency },
        { pay_settle_rate(from->rate), &to->rate },
        { from->payout_ref, &to->payout_ref },
        { from->account, &to->account },
        { from->bank_ref, &to->bank_ref }, { from->note, &to->note }
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].text.len != 0) {
            PAY_TRY(pay_dup(args, texts[i].text, texts[i].copy));
        }
    }

    return PAY_OK;
}
