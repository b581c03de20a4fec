/*
 * A digest of rows that does not depend on their order: the SHA-256 of each
 * row, added up.  An API may list the same rows in another order.  It is over
 * the columns by which two versions of a row differ (pay.take_work()), no more:
 * the reference of a payout at the bank, for one, comes days later.
 *
 * A sum of digests protects from chance, not from a PSP that chooses its rows;
 * such a PSP could as well choose those that are booked.
 */

#include "settle/settle.h"


#define DIGEST_TEXTS    5
#define DIGEST_NUMBERS  5


static void digest_number(uint64_t number, unsigned char out[8]);


void
pay_settle_digest_begin(pay_settle_digest_t *digest)
{
    memset(digest, 0, sizeof(*digest));
}


/* Each text stands behind its length: no two rows are the same bytes. */
pay_status_t
pay_settle_digest_add(pay_settle_digest_t *digest, const pay_settle_row_t *row)
{
    unsigned       i, k;
    uint64_t       lane;
    pay_str_t      parts[2 * DIGEST_TEXTS + DIGEST_NUMBERS];
    unsigned char  lengths[DIGEST_TEXTS][8], numbers[DIGEST_NUMBERS][8];
    unsigned char  sum[PAY_SHA256_SIZE];

    const pay_str_t  texts[DIGEST_TEXTS] = {
        row->row_key, pay_str_of(row->currency), row->psp_ref,
        row->parent_ref, row->payout_ref
    };
    const int64_t    values[DIGEST_NUMBERS] = {
        (int64_t) row->kind, row->gross_minor, row->fee_minor, row->tax_minor,
        row->net_minor
    };

    for (i = 0; i < DIGEST_TEXTS; i++) {
        digest_number(texts[i].len, lengths[i]);
        parts[2 * i] = (pay_str_t) { 8, lengths[i] };
        parts[2 * i + 1] = texts[i];
    }

    for (i = 0; i < DIGEST_NUMBERS; i++) {
        digest_number((uint64_t) values[i], numbers[i]);
        parts[2 * DIGEST_TEXTS + i] = (pay_str_t) { 8, numbers[i] };
    }

    PAY_TRY(pay_sha256_parts(parts, 2 * DIGEST_TEXTS + DIGEST_NUMBERS, sum));

    for (i = 0; i < PAY_SETTLE_DIGEST_LANES; i++) {
        lane = 0;

        for (k = 0; k < 8; k++) {
            lane |= (uint64_t) sum[8 * i + k] << (8 * k);
        }

        digest->lanes[i] += lane;
    }

    digest->rows++;

    return PAY_OK;
}


pay_status_t
pay_settle_digest_end(const pay_settle_digest_t *digest,
    unsigned char out[PAY_SHA256_SIZE])
{
    unsigned       i;
    unsigned char  bytes[PAY_SETTLE_DIGEST_LANES + 1][8];

    for (i = 0; i < PAY_SETTLE_DIGEST_LANES; i++) {
        digest_number(digest->lanes[i], bytes[i]);
    }

    digest_number(digest->rows, bytes[PAY_SETTLE_DIGEST_LANES]);

    return pay_sha256((pay_str_t) { sizeof(bytes), bytes[0] }, out);
}


static void
digest_number(uint64_t number, unsigned char out[8])
{
    unsigned  i;

    for (i = 0; i < 8; i++) {
        out[i] = (unsigned char) (number >> (8 * i));
    }
}
