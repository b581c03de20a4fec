/*
 * A row of shape change → a capture, cancellation or refund.  A row that
 * breaks SQL's promise is our bug.
 */

#include "pay_change.h"


static pay_status_t copy_texts(pay_arena_t *arena, const pay_change_row_t *row,
    pay_change_t *c);
static int read_kind(pay_str_t word, pay_change_t *change);


static const struct {
    /* The word of SQL and of the API, and the member that a list of them
     * has. */
    const char  *word;
    const char  *plural;
} names[] = {
    [PAY_CHANGE_CAPTURE] = { "capture", "captures" },
    [PAY_CHANGE_CANCEL] = { "cancel", "cancels" },
    [PAY_CHANGE_REFUND] = { "refund", "refunds" }
};
PAY_ROWS(names, PAY_CHANGE_KINDS);


/* "" for a number that is no kind, so that a mistake shows in a log and not as
 * a crash. */
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


/* Texts are copied into the arena: the row is gone when the step returns
 * (docs/architecture.md#lifetimes).  A change of nothing is never stored, so
 * that an amount of 0 is a broken row. */
pay_status_t
pay_change_decode(pay_arena_t *arena, const pay_change_row_t *row,
    pay_change_t *c)
{
    memset(c, 0, sizeof(*c));

    if (row == NULL || !read_kind(row->change_kind, c)
        || !pay_state_parse(row->change_status, &c->status)
        || pay_currency_find(row->change_currency, &c->currency, NULL)
           != PAY_OK
        || row->amount_minor <= 0)
    {
        return PAY_BUG;
    }

    c->amount_minor = row->amount_minor;

    return copy_texts(arena, row, c);
}


/* Texts that are NULL stay the empty slice, which pay_change_t defines as
 * absent. */
static pay_status_t
copy_texts(pay_arena_t *arena, const pay_change_row_t *row, pay_change_t *c)
{
    unsigned  i;

    const struct {
        pay_str_t   from;
        pay_str_t  *to;
    } texts[] = {
        { row->change_id, &c->id }, { row->payment_order_id, &c->order_id },
        { row->reason, &c->reason }, { row->change_code, &c->code },
        { row->reference, &c->reference },
        { row->change_metadata, &c->metadata },
        { row->created_at, &c->created_at },
        { row->changed_at, &c->changed_at },
        { row->payment_reference, &c->payment_reference }
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].from.len != 0) {
            PAY_TRY(pay_dup(arena, texts[i].from, texts[i].to));
        }
    }

    return PAY_OK;
}


/* SQL's kind says two more things: final_capture is a capture behind which
 * nothing follows, and close is a cancellation that closes the page of a
 * replaced checkout. */
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
