/*
 * The lines of an export of the event log: each a JSON object that has exactly
 * the members of its kind.  Called by payctl for files from anywhere.
 */

#include "pay_audit.h"
#include "pay_time.h"


/* Wider than each kind of line, which has at most 14 members. */
#define ROW_MEMBERS  16
#define ROW_BASE64   88                /* characters of a signature */


static pay_status_t row_read(pay_audit_row_t *row);
static int row_event(pay_audit_row_t *row);
static int row_anchor(pay_audit_row_t *row);
static int row_leaf(pay_audit_row_t *row);
static int row_seal(pay_audit_row_t *row);
static int row_order(pay_audit_row_t *row);
static int row_text(const pay_audit_row_t *row, const char *member,
    size_t max, pay_str_t *text);
static int row_null_or_text(const pay_audit_row_t *row, const char *member,
    pay_str_t *text);
static int row_number(const pay_audit_row_t *row, const char *member,
    int64_t least, int64_t *number);
static int row_tx(const pay_audit_row_t *row, uint64_t *tx);
static int row_signature(pay_audit_row_t *row);


static const pay_json_limits_t  limits = {
    PAY_AUDIT_LINE_MAX, 2, ROW_MEMBERS, 0
};

static const struct {
    /* The value of "t", how many members the line has, and the reader of
     * them. */
    const char  *name;
    size_t       members;
    int        (*read)(pay_audit_row_t *row);
} kinds[] = {
    [PAY_AUDIT_EVENT] = { "event", 14, row_event },
    [PAY_AUDIT_ANCHOR] = { "anchor", 5, row_anchor },
    [PAY_AUDIT_LEAF] = { "leaf", 7, row_leaf },
    [PAY_AUDIT_SEAL] = { "seal", 5, row_seal }
};
PAY_ROWS(kinds, PAY_AUDIT_KIND_COUNT);


/* A line is a stranger's: export files travel.  Its texts borrow from
 * row->json. */
pay_status_t
pay_audit_parse(pay_str_t line, pay_audit_row_t *row, pay_err_t *err)
{
    pay_err_t     ignored;
    pay_status_t  status;

    memset(row, 0, sizeof(*row));

    if (line.len > PAY_AUDIT_LINE_MAX) {
        return pay_refuse(err, "invalid-json", "the line is too long");
    }

    status = pay_json_parse(line, &limits, &row->json, &ignored);

    if (status == PAY_INVALID) {
        return pay_refuse(err, "invalid-json", "the line is no JSON object");
    }

    PAY_TRY(status);

    status = row_read(row);

    if (status != PAY_OK) {
        pay_audit_row_free(row);
        return pay_refuse(err, "invalid-json", "the line is no event, anchor, "
                          "leaf or seal as payctl audit export writes them");
    }

    return PAY_OK;
}


void
pay_audit_row_free(pay_audit_row_t *row)
{
    pay_json_free(row->json);
    memset(row, 0, sizeof(*row));
}


/* The count of members is compared, because a member that nobody reads would
 * not be hashed: it could be added to a valid log without a trace. */
static pay_status_t
row_read(pay_audit_row_t *row)
{
    size_t     i;
    pay_str_t  name;

    if (!row_text(row, "t", ROW_MEMBERS, &name)) {
        return PAY_INVALID;
    }

    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (pay_str_is(name, kinds[i].name)) {
            row->kind = (pay_audit_kind_t) i;

            return pay_json_size(row->json) == kinds[i].members
                   && kinds[i].read(row) ? PAY_OK : PAY_INVALID;
        }
    }

    return PAY_INVALID;
}


/* The hash was read by row_order(); audit_chain.c compares it. */
static int
row_event(pay_audit_row_t *row)
{
    int64_t             at_us;
    pay_audit_event_t  *event = &row->event;

    return row_order(row)
           && row_text(row, "at", PAY_AUDIT_TIME, &event->at)
           && pay_time_parse(event->at, &at_us) == PAY_OK
           && row_tx(row, &event->tx)
           && row_text(row, "kind", PAY_AUDIT_LINE_MAX, &event->kind)
           && row_null_or_text(row, "actor", &event->actor)
           && row_null_or_text(row, "old_status", &event->old_status)
           && row_null_or_text(row, "new_status", &event->new_status)
           && row_null_or_text(row, "reason", &event->reason)
           && row_null_or_text(row, "detail", &event->detail)
           && row_null_or_text(row, "request_id", &event->request_id);
}


static int
row_anchor(pay_audit_row_t *row)
{
    return row_order(row);
}


static int
row_leaf(pay_audit_row_t *row)
{
    return row_order(row) && row_number(row, "number", 1, &row->number)
           && row_number(row, "position", 0, &row->position);
}


/* A seal that is begun and not signed yet has neither key_id nor signature; it
 * may be the last one of an export. */
static int
row_seal(pay_audit_row_t *row)
{
    pay_audit_seal_t  *seal = &row->seal;

    return row_number(row, "number", 1, &row->number)
           && row_text(row, "message", PAY_AUDIT_MESSAGE_MAX, &seal->message)
           && row_null_or_text(row, "key_id", &seal->key_id)
           && row_signature(row);
}


/* The members that events, anchors and leaves have in common. */
static int
row_order(pay_audit_row_t *row)
{
    pay_str_t  hash;

    return row_text(row, "merchant_id", PAY_AUDIT_ID_MAX, &row->merchant_id)
           && row_text(row, "payment_order_id", PAY_AUDIT_ID_MAX,
                       &row->payment_order_id)
           && row_number(row, "seq", 1, &row->seq)
           && row_text(row, "hash", 2 * PAY_SHA256_SIZE, &hash)
           && pay_hex_decode(hash, row->hash, PAY_SHA256_SIZE) == PAY_OK;
}


/* 1 for a text of 1 to `max` bytes. */
static int
row_text(const pay_audit_row_t *row, const char *member, size_t max,
    pay_str_t *text)
{
    return pay_json_string(pay_json_get(row->json, member), text) == PAY_OK
           && text->len > 0 && text->len <= max;
}


/* 1 for a text or JSON's null, which gives a slice whose data is NULL.  A
 * member that is absent is no null: the writer always writes it. */
static int
row_null_or_text(const pay_audit_row_t *row, const char *member,
    pay_str_t *text)
{
    const pay_json_t  *value = pay_json_get(row->json, member);

    *text = (pay_str_t) { 0, NULL };

    if (value != NULL && pay_json_type(value) == PAY_JSON_NULL) {
        return 1;
    }

    return pay_json_string(value, text) == PAY_OK;
}


static int
row_number(const pay_audit_row_t *row, const char *member, int64_t least,
    int64_t *number)
{
    return pay_json_integer(pay_json_get(row->json, member), number) == PAY_OK
           && *number >= least;
}


/* Exports have the number as JSON's integer, so that 63 bits are read. */
static int
row_tx(const pay_audit_row_t *row, uint64_t *tx)
{
    int64_t  number;

    if (!row_number(row, "tx", 0, &number)) {
        return 0;
    }

    *tx = (uint64_t) number;

    return 1;
}


/* A key and a signature come together or not at all. */
static int
row_signature(pay_audit_row_t *row)
{
    int                done;
    pay_str_t          text, bytes;
    pay_heap_t        *heap;
    pay_audit_seal_t  *seal = &row->seal;

    if (!row_null_or_text(row, "signature", &text)
        || (text.data == NULL) != (seal->key_id.data == NULL))
    {
        return 0;
    }

    if (text.data == NULL) {
        return 1;
    }

    heap = text.len == ROW_BASE64 ? pay_heap_create() : NULL;
    done = heap != NULL
           && pay_base64_decode(pay_heap_arena(heap), text, &bytes) == PAY_OK
           && bytes.len == PAY_ED25519_SIGNATURE;

    if (done) {
        memcpy(seal->signature, bytes.data, bytes.len);
        seal->is_signed = 1;
    }

    pay_heap_destroy(heap);

    return done;
}
