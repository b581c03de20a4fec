/*
 * The table of formats.  A source names one; a format that comes in two media
 * has two rows, and the first byte of a file says which of them it is.  One
 * more format is one more row.
 */

#include "settle/settle.h"


static const pay_settle_format_t *const  formats[] = {
    &pay_settle_adyen,
    &pay_settle_camt,
    &pay_settle_generic,
    &pay_settle_mollie,
    &pay_settle_mt940,
    &pay_settle_paypal,
    &pay_settle_square,
    &pay_settle_stripe_csv,
    &pay_settle_stripe_json,
    NULL
};

/* The words of the column `kind`, of the generic CSV's `type` and of
 * documents. */
static const char *const  kinds[] = {
    [PAY_SETTLE_UNKNOWN] = "unknown",
    [PAY_SETTLE_SALE] = "sale",
    [PAY_SETTLE_SALE_RETURNED] = "sale_returned",
    [PAY_SETTLE_REFUND] = "refund",
    [PAY_SETTLE_REFUND_RETURNED] = "refund_returned",
    [PAY_SETTLE_DISPUTE] = "dispute",
    [PAY_SETTLE_DISPUTE_RETURNED] = "dispute_returned",
    [PAY_SETTLE_FEE] = "fee",
    [PAY_SETTLE_TAX] = "tax",
    [PAY_SETTLE_WITHHELD] = "withheld",
    [PAY_SETTLE_RELEASED] = "released",
    [PAY_SETTLE_CONVERSION] = "conversion",
    [PAY_SETTLE_PAYOUT] = "payout",
    [PAY_SETTLE_PAYOUT_RETURNED] = "payout_returned",
    [PAY_SETTLE_TRANSFER] = "transfer",
    [PAY_SETTLE_SENT] = "sent",
    [PAY_SETTLE_SENT_RETURNED] = "sent_returned",
    [PAY_SETTLE_ADJUSTMENT] = "adjustment",
    [PAY_SETTLE_MEMO] = "memo",
    [PAY_SETTLE_RECEIPT] = "receipt",
    [PAY_SETTLE_DEBIT] = "debit"
};
PAY_ROWS(kinds, PAY_SETTLE_KIND_COUNT);


/* Two rows of one name differ in the medium, which the first byte tells. */
const pay_settle_format_t *
pay_settle_format(pay_str_t name, unsigned char first)
{
    unsigned  i;

    for (i = 0; formats[i] != NULL; i++) {
        if (pay_str_is(name, formats[i]->name)
            && formats[i]->lexer->fits(first))
        {
            return formats[i];
        }
    }

    return NULL;
}


int
pay_settle_is_known(pay_str_t name)
{
    unsigned  i;

    for (i = 0; formats[i] != NULL; i++) {
        if (pay_str_is(name, formats[i]->name)) {
            return 1;
        }
    }

    return 0;
}


/* Rows of one name stand together, so a name that repeats is left out. */
const char *
pay_settle_name(unsigned n)
{
    unsigned  i;

    for (i = 0; formats[i] != NULL; i++) {
        if (i != 0 && strcmp(formats[i]->name, formats[i - 1]->name) == 0) {
            continue;
        }

        if (n-- == 0) {
            return formats[i]->name;
        }
    }

    return NULL;
}


const char *
pay_settle_kind_name(pay_settle_kind_t kind)
{
    return (unsigned) kind < PAY_SETTLE_KIND_COUNT ? kinds[kind] : "unknown";
}


/* "unknown" is no kind that a file may name itself. */
pay_settle_kind_t
pay_settle_kind(pay_str_t name)
{
    unsigned  kind;

    for (kind = 1; kind < PAY_SETTLE_KIND_COUNT; kind++) {
        if (pay_str_is(name, kinds[kind])) {
            return (pay_settle_kind_t) kind;
        }
    }

    return PAY_SETTLE_UNKNOWN;
}


/* UNKNOWN for a word that is in no table: such a row is kept and shown, since
 * its money is in the file's sums. */
pay_settle_kind_t
pay_settle_word(const pay_settle_word_t *words, pay_str_t word)
{
    while (words->word != NULL) {
        if (pay_str_is(word, words->word)) {
            return words->kind;
        }

        words++;
    }

    return PAY_SETTLE_UNKNOWN;
}


const char *
pay_settle_verdict_name(pay_settle_verdict_t verdict)
{
    static const char *const  names[] = {
        "proven", "undeclared", "partial", "refused"
    };
    PAY_ROWS(names, PAY_SETTLE_VERDICT_COUNT);

    return (unsigned) verdict <= PAY_SETTLE_REFUSED ? names[verdict]
                                                    : "refused";
}
