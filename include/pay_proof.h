/*
 * The signed proof of an order (docs/audit.md#proof): one file that is verified
 * without a database.  Made and verified by payctl proof.
 */

#ifndef PAY_PROOF_H
#define PAY_PROOF_H

#include "pay_audit_check.h"


#define PAY_PROOF_MAX   (16 * 1024 * 1024)     /* bytes of a file */
#define PAY_PROOF_HEAD  "{\"proof\":"           /* in front of the document */

/* Counts of a valid proof, and its ids, which borrow from `json`. */
typedef struct {
    pay_str_t    merchant_id;
    pay_str_t    payment_order_id;
    pay_str_t    made_at;
    uint64_t     events;
    uint64_t     sealed;       /* events that a seal covers */
    uint64_t     seals;
    pay_json_t  *json;         /* the document */
} pay_proof_t;


/* The file's text: the document with its signature behind it. */
pay_status_t pay_proof_sign(pay_arena_t *arena, pay_str_t document,
    const pay_secret_t *key, pay_str_t *text) PAY_MUST_CHECK;

/* The document of such a file (untrusted), once its signature is known to be
 * that of one of the `count` keys; it borrows from `text`.  PAY_INVALID with
 * err->detail: it is not. */
pay_status_t pay_proof_open(pay_arena_t *arena, pay_str_t text,
    const pay_audit_key_t *keys, size_t count, pay_str_t *document,
    pay_err_t *err) PAY_MUST_CHECK;

/* Checks a file's bytes (untrusted) with the `count` keys: the signature over
 * the document, the chain of the order's events, and the inclusion proof of
 * each event in the signed root of its seal.  On PAY_OK the caller ends *proof
 * with pay_proof_free(); PAY_INVALID with err->detail: it is not valid, and
 * why. */
pay_status_t pay_proof_check(pay_arena_t *arena, pay_str_t text,
    const pay_audit_key_t *keys, size_t count, pay_proof_t *proof,
    pay_err_t *err) PAY_MUST_CHECK;
void pay_proof_free(pay_proof_t *proof);


#endif /* PAY_PROOF_H */
