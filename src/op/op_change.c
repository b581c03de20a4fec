/*
 * Decodes the CHANGE columns of the operations on captures, cancellations and
 * refunds.  A row that breaks SQL's promise is our bug.
 */

#include "pay_change.h"


static int read_kind(pay_str_t word, pay_change_t *change);


static const struct {
    const char  *word;
    const char  *plural;
} names[PAY_CHANGE_KINDS] = {
    [PAY_CHANGE_CAPTURE] = { "capture", "captures" },
    [PAY_CHANGE_CANCEL] = { "cancel", "cancels" },
    [PAY_CHANGE_REFUND] = { "refund", "refunds" }
};


const char *
pay_change_word(pay_change_kind_t kind)
{
    return ((unsigned) kind < PAY_CHANGE_KINDS) ? names[kind].word : "";
}


const char *
pay_change_plural(pay_change_kind_t kind)
{
    return ((unsigned) kind < PAY_CHANGE_KINDS) ? names[kind].plural : "";
}


pay_status_t
pay_change_decode(pay_arena_t *arena, const pay_value_t *columns,
    pay_change_t *c)
{
    unsigned   i;
    pay_str_t  kind, status, currency;

    const struct {
        unsigned    column;
        pay_str_t  *to;
        int         may_be_null;
    } texts[] = {
        { 0, &c->id, 0 }, { 1, &kind, 0 }, { 2, &c->order_id, 0 },
        { 3, &status, 0 }, { 5, &currency, 0 }, { 6, &c->reason, 1 },
        { 7, &c->code, 1 }, { 8, &c->reference, 1 }, { 9, &c->metadata, 1 },
        { 10, &c->created_at, 0 }, { 11, &c->changed_at, 0 },
        { 12, &c->payment_reference, 1 }
    };

    memset(c, 0, sizeof(*c));

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!columns[texts[i].column].is_null) {
            PAY_TRY(pay_dup(arena, columns[texts[i].column].bytes,
                            texts[i].to));

        } else if (!texts[i].may_be_null) {
            return PAY_BUG;
        }
    }

    if (!read_kind(kind, c) || !pay_state_parse(status, &c->status)
        || pay_currency_find(currency, &c->currency, NULL) != PAY_OK
        || columns[4].is_null || columns[4].number <= 0)
    {
        return PAY_BUG;
    }

    c->amount_minor = columns[4].number;

    return PAY_OK;
}


static int
read_kind(pay_str_t word, pay_change_t *change)
{
    unsigned  i;

    if (pay_str_is(word, "final_capture")) {
        change->kind = PAY_CHANGE_CAPTURE;
        change->is_final = 1;
        return 1;
    }

    if (pay_str_is(word, "close")) {
        change->kind = PAY_CHANGE_CANCEL;
        change->closes = 1;
        return 1;
    }

    for (i = 0; i < PAY_CHANGE_KINDS; i++) {
        if (pay_str_is(word, pay_change_word((pay_change_kind_t) i))) {
            change->kind = (pay_change_kind_t) i;
            return 1;
        }
    }

    return 0;
}
