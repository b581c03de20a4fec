/*
 * An export of the event log, line by line, as payctl audit verify reads it.
 * A row that is read has what its kind needs; without the key of whoever
 * signed it no log is valid, and what is told is about something.
 */

#include "fuzz.h"

#include "pay_audit_check.h"


#define ROWS_MAX  256

typedef pay_status_t (*take_pt)(pay_audit_check_t *check,
    const pay_audit_row_t *row, uint64_t line);


/* The second key of its section 7.1: chance does not sign with it. */
static const unsigned char  rfc_8032[PAY_ED25519_KEY] = {
    0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a, 0xa7,
    0x4d, 0x1b, 0x7e, 0xbc, 0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4, 0x96, 0x8c,
    0x0c, 0xd5, 0x5f, 0x12, 0xaf, 0x46, 0x60, 0x0c
};

static uint64_t  told;


static void
tell(void *data, const pay_audit_finding_t *finding)
{
    (void) data;

    told++;
    FUZZ_CHECK(finding->why != NULL && finding->why[0] != '\0');
    FUZZ_CHECK(pay_audit_what_name(finding->what)[0] != '\0');
    FUZZ_CHECK(finding->seq >= 0 && finding->number >= 0);
    FUZZ_CHECK((finding->merchant_id.len == 0)
               == (finding->payment_order_id.len == 0));
}


static void
row_is_whole(const pay_audit_row_t *row)
{
    pay_str_t            bytes;
    pay_heap_t          *heap = pay_heap_create();
    unsigned char        one[PAY_SHA256_SIZE], other[PAY_SHA256_SIZE];
    pay_audit_message_t  message;

    FUZZ_CHECK(heap != NULL);

    if (row->kind == PAY_AUDIT_SEAL) {
        FUZZ_CHECK(row->number > 0 && row->seal.message.len > 0);
        FUZZ_CHECK(row->seal.is_signed == (row->seal.key_id.data != NULL));

        if (pay_audit_message_read(row->seal.message, &message) == PAY_OK) {
            FUZZ_CHECK(message.number > 0);
            FUZZ_CHECK(message.from_tx <= message.until_tx);
        }

    } else {
        FUZZ_CHECK(row->seq > 0);
        FUZZ_CHECK(row->merchant_id.len > 0 && row->payment_order_id.len > 0);
        FUZZ_CHECK(pay_audit_leaf_bytes(pay_heap_arena(heap), row, &bytes)
                   == PAY_OK);
    }

    if (row->kind == PAY_AUDIT_EVENT) {
        FUZZ_CHECK(pay_audit_event_hash(row, NULL, one) == PAY_OK);
        FUZZ_CHECK(pay_audit_event_hash(row, one, other) == PAY_OK);
        FUZZ_CHECK(memcmp(one, other, sizeof(one)) != 0);
    }

    pay_heap_destroy(heap);
}


static void
pass(pay_audit_check_t *check, pay_str_t text, take_pt take)
{
    uint64_t         number;
    pay_err_t        err = { .slug = NULL };
    pay_str_t        line;
    pay_audit_row_t  row;

    for (number = 1; text.len != 0 && number <= ROWS_MAX; number++) {
        line = fuzz_line(&text);

        if (pay_audit_parse(line, &row, &err) != PAY_OK) {
            fuzz_refused(&err);
            continue;
        }

        row_is_whole(&row);
        FUZZ_CHECK(take(check, &row, number) == PAY_OK);
        pay_audit_row_free(&row);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pay_str_t           text = { size, data };
    pay_heap_t         *heap = pay_heap_create();
    pay_audit_key_t     key;
    pay_audit_conf_t    conf = { &key, 1, size % 2, tell, NULL };
    pay_audit_check_t  *check;

    FUZZ_CHECK(heap != NULL);

    memset(&key, 0, sizeof(key));
    memcpy(key.key, rfc_8032, sizeof(rfc_8032));
    memcpy(key.id, "0123456789abcdef", PAY_ED25519_KEY_ID);

    told = 0;
    check = pay_audit_check_open(pay_heap_arena(heap), &conf);
    FUZZ_CHECK(check != NULL);

    pass(check, text, pay_audit_check_seal);
    FUZZ_CHECK(pay_audit_check_seals(check) == PAY_OK);
    pass(check, text, pay_audit_check_root);
    pass(check, text, pay_audit_check_event);
    FUZZ_CHECK(pay_audit_check_end(check) == PAY_OK);
    FUZZ_CHECK(key.seals == 0);
    FUZZ_CHECK(told != 0);

    pay_heap_destroy(heap);

    return 0;
}
