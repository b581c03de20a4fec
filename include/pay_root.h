/*
 * The root of a day over all cells of a gateway (docs/audit.md#one-root-a-day):
 * a Merkle tree whose leaves are the newest seals of the cells, in the order of
 * their names.  Its document is signed and read as a proof is (pay_proof.h).
 * Made and verified by payctl audit.
 */

#ifndef PAY_ROOT_H
#define PAY_ROOT_H

#include "pay_audit.h"
#include "pay_id.h"


#define PAY_ROOT_DAY       10                  /* YYYY-MM-DD */
#define PAY_ROOT_DATABASE  64                  /* bytes of an identity */
#define PAY_ROOT_MAX       (32 * 1024)         /* of a document */

/* A cell's newest seal of the day or before.  number 0: it had none, and the
 * members behind it are empty and noughts. */
typedef struct {
    pay_str_t      cell;
    pay_str_t      database;   /* "system identifier/oid" */
    int64_t        number;
    pay_str_t      at;
    uint64_t       leaves;
    unsigned char  root[PAY_SHA256_SIZE];
    /* The digest of the seal's message, which names that of the one before. */
    unsigned char  digest[PAY_SHA256_SIZE];
} pay_root_head_t;

typedef struct {
    pay_str_t        day;      /* UTC */
    size_t           count;
    pay_root_head_t  heads[PAY_CELLS_MAX];
    unsigned char    root[PAY_SHA256_SIZE];
} pay_root_t;

/* A seal beside the head of its cell. */
typedef enum {
    PAY_ROOT_OTHER = 0,        /* it says nothing about the head */
    PAY_ROOT_SAME,             /* it is the head, or follows it */
    PAY_ROOT_DIFFERS,          /* it has the head's number, or follows it, and
                                  the head is another one */
    PAY_ROOT_LATER             /* it is of that day, too, and newer */
} pay_root_seal_t;


/* Fills all members but cell and database out of a seal's message (untrusted),
 * from which they borrow; an empty message: there is no seal. */
pay_status_t pay_root_head(pay_str_t message, pay_root_head_t *head)
    PAY_MUST_CHECK;

/* Sorts the heads, computes the root and writes the document.  PAY_INVALID: a
 * day, a name or an identity is none, a seal is newer than the day, or a cell
 * stands twice. */
pay_status_t pay_root_write(pay_arena_t *arena, pay_root_t *root,
    pay_str_t *document) PAY_MUST_CHECK;

/* Reads a document (untrusted).  Each has one spelling, and any other text is
 * PAY_INVALID with err->detail.  The result belongs to the arena. */
pay_status_t pay_root_read(pay_arena_t *arena, pay_str_t document,
    pay_root_t *root, pay_err_t *err) PAY_MUST_CHECK;

/* Compares the message of a seal of the same cell (untrusted). */
pay_status_t pay_root_compare(const pay_root_t *root,
    const pay_root_head_t *head, pay_str_t message, pay_root_seal_t *is)
    PAY_MUST_CHECK;


#endif /* PAY_ROOT_H */
