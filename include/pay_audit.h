/*
 * The signed event log as bytes: how an event is hashed, how seals gather the
 * heads of chains into a Merkle tree, and the lines of an export.  The writer
 * (sql/functions) and every verifier use these formats.
 */

#ifndef PAY_AUDIT_H
#define PAY_AUDIT_H

#include "pay_crypto.h"
#include "pay_ed25519.h"
#include "pay_json.h"


#define PAY_AUDIT_LINE_MAX     (256 * 1024)    /* bytes of an export's line */
#define PAY_AUDIT_ID_MAX       512             /* merchant_id, order id */
#define PAY_AUDIT_MESSAGE_MAX  1024            /* of a seal */
#define PAY_AUDIT_TIME         27              /* YYYY-MM-DDTHH:MM:SS.ffffffZ */
#define PAY_MERKLE_LEVELS      64
#define PAY_MERKLE_LEAF_MAX    2048            /* bytes */

typedef enum {
    PAY_AUDIT_EVENT = 0,       /* a row of the log */
    PAY_AUDIT_ANCHOR,          /* the row before an order's first one here */
    PAY_AUDIT_LEAF,            /* the leaf that a seal has for one order */
    PAY_AUDIT_SEAL,
    PAY_AUDIT_KIND_COUNT
} pay_audit_kind_t;

/* A row of the log.  NULL where a slice's data is NULL. */
typedef struct {
    pay_str_t  at;
    uint64_t   tx;
    pay_str_t  kind;
    pay_str_t  actor;
    pay_str_t  old_status;
    pay_str_t  new_status;
    pay_str_t  reason;
    pay_str_t  detail;         /* the text of the jsonb */
    pay_str_t  request_id;
} pay_audit_event_t;

typedef struct {
    pay_str_t      message;    /* the bytes that are signed */
    pay_str_t      key_id;     /* 16 characters, or NULL: not signed yet */
    int            is_signed;
    unsigned char  signature[PAY_ED25519_SIGNATURE];
} pay_audit_seal_t;

/* One line of an export; its slices belong to `json`. */
typedef struct {
    pay_audit_kind_t   kind;
    pay_str_t          merchant_id;        /* of all but seals … */
    pay_str_t          payment_order_id;
    int64_t            seq;
    unsigned char      hash[PAY_SHA256_SIZE];
    int64_t            number;             /* … of leaves and seals */
    int64_t            position;           /* of leaves */
    pay_audit_event_t  event;
    pay_audit_seal_t   seal;
    pay_json_t        *json;
} pay_audit_row_t;

/* The members of a seal's message. */
typedef struct {
    int64_t        number;
    pay_str_t      at;
    uint64_t       from_tx;    /* it covers transactions from this one … */
    uint64_t       until_tx;   /* … up to, but not with, this one */
    uint64_t       leaves;
    unsigned char  root[PAY_SHA256_SIZE];
    unsigned char  previous[PAY_SHA256_SIZE];
} pay_audit_message_t;

/* The root of a Merkle tree whose leaves are added one by one. */
typedef struct {
    uint64_t       count;
    unsigned char  nodes[PAY_MERKLE_LEVELS][PAY_SHA256_SIZE];
} pay_merkle_t;


/* Reads one line of an export (untrusted, without its newline).  On PAY_OK the
 * caller ends *row with pay_audit_row_free().  PAY_INVALID with err->detail
 * when it is no such line: a member too many is none, either, since nothing
 * would vouch for it. */
pay_status_t pay_audit_parse(pay_str_t line, pay_audit_row_t *row,
    pay_err_t *err) PAY_MUST_CHECK;
void pay_audit_row_free(pay_audit_row_t *row);

/* The bytes that an event's hash is taken over; `previous` is the hash of the
 * event before it, NULL for an order's first. */
pay_status_t pay_audit_event_bytes(pay_arena_t *arena,
    const pay_audit_row_t *row, const unsigned char *previous,
    pay_str_t *bytes) PAY_MUST_CHECK;
pay_status_t pay_audit_event_hash(const pay_audit_row_t *row,
    const unsigned char *previous, unsigned char hash[PAY_SHA256_SIZE])
    PAY_MUST_CHECK;

/* The bytes of a leaf of the tree: merchant, order, seq and hash. */
pay_status_t pay_audit_leaf_bytes(pay_arena_t *arena,
    const pay_audit_row_t *row, pay_str_t *bytes) PAY_MUST_CHECK;

/* RFC 9162 2.1.1.  The root of no leaves is that of the empty text; a leaf of
 * more than PAY_MERKLE_LEAF_MAX bytes is PAY_BUG, and so are more than 2^63. */
void pay_merkle_init(pay_merkle_t *tree);
pay_status_t pay_merkle_add(pay_merkle_t *tree, pay_str_t leaf) PAY_MUST_CHECK;
pay_status_t pay_merkle_root(const pay_merkle_t *tree,
    unsigned char root[PAY_SHA256_SIZE]) PAY_MUST_CHECK;

/* Reads a seal's message (untrusted).  There is one spelling of each message;
 * any other text is PAY_INVALID.  The result borrows from `text`. */
pay_status_t pay_audit_message_read(pay_str_t text,
    pay_audit_message_t *message) PAY_MUST_CHECK;

/* The line of a signed seal, as an export has it, without a newline. */
pay_status_t pay_audit_seal_line(pay_arena_t *arena, int64_t number,
    const pay_audit_seal_t *seal, pay_str_t *line) PAY_MUST_CHECK;


#endif /* PAY_AUDIT_H */
