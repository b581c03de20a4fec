/*
 * The signature of a seal, checked with the key that the auditor has given for
 * it, and counted for that key.  audit_book.c asks for the seals of the export,
 * audit_seals.c for those that were kept elsewhere.
 */

#include "core/audit_check.h"


static pay_audit_key_t *seals_key(const pay_audit_check_t *check,
    pay_str_t id);


/* The key is chosen by the seal's own key_id among those that the auditor
 * gave; a stranger's key has no entry. */
pay_status_t
pay_audit_check_signature(pay_audit_check_t *check, const pay_audit_row_t *row,
    uint64_t line, int is_counted)
{
    pay_str_t             signature = { PAY_ED25519_SIGNATURE,
                                        row->seal.signature };
    pay_status_t          status;
    pay_audit_key_t      *key;
    pay_audit_finding_t   finding;

    key = seals_key(check, row->seal.key_id);

    if (key == NULL) {
        finding = (pay_audit_finding_t) {
            .what = PAY_AUDIT_UNKNOWN_KEY, .number = row->number,
            .key_id = row->seal.key_id, .line = is_counted ? line : 0,
            .why = is_counted ? "it is signed with a key that was not given"
                   : "as exported it is signed with a key that was not given"
        };
        pay_audit_tell(check, &finding);
        return PAY_INVALID;
    }

    status = pay_ed25519_verify(key->key, row->seal.message, signature);

    if (status == PAY_INVALID) {
        seals_tell(check, PAY_AUDIT_BAD_SIGNATURE, row->number,
                   is_counted ? line : 0,
                   is_counted ? "the key that it names has not signed it"
                   : "the key that it names has not signed it as exported");
        return PAY_INVALID;
    }

    PAY_TRY(status);

    /* For the report: which key has signed which range of seals. */
    if (is_counted) {
        key->seals++;
        key->first = key->seals == 1 || row->number < key->first
                     ? row->number : key->first;
        key->last = row->number > key->last ? row->number : key->last;
    }

    return PAY_OK;
}


/* Sixteen keys at most: a walk is enough. */
static pay_audit_key_t *
seals_key(const pay_audit_check_t *check, pay_str_t id)
{
    size_t  i;

    for (i = 0; i < check->conf->key_count; i++) {
        if (pay_str_is(id, check->conf->keys[i].id)) {
            return &check->conf->keys[i];
        }
    }

    return NULL;
}
