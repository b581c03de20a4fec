/*
 * An external provider of risk: the question about a checkout, a small JSON
 * protocol of ours (docs/risk.md#external-provider), and its answer.  There is
 * no I/O.  Personal data leaves as keyed hashes, but for the attributes that
 * the configuration names.
 */

#ifndef PAY_RISK_PROVIDER_H
#define PAY_RISK_PROVIDER_H

#include "pay_crypto.h"
#include "pay_http.h"
#include "pay_risk.h"


#define PAY_RISK_PROVIDERS_MAX      8
#define PAY_RISK_PROVIDER_KEYS      2  /* that sign at one time */
#define PAY_RISK_PROVIDER_BODY_MAX  4096     /* bytes of an answer */
#define PAY_RISK_REFERENCE_MAX      64

/* One `payments_risk_provider` of the configuration. */
struct pay_risk_provider_s {
    pay_str_t              name;
    pay_str_t              merchant_id;    /* empty: of all */
    pay_str_t              base_url;       /* without a slash at its end */
    pay_secret_t           keys[PAY_RISK_PROVIDER_KEYS];
    unsigned               key_count;
    const pay_currency_t  *above;      /* NULL: it is asked about all; else of
                                        * this currency about larger ones … */
    int64_t                above_minor;    /* … than this */
    unsigned               sends;      /* bits of pay_risk_attribute_t: sent as
                                        * they are */
    pay_risk_action_t      fail;       /* without an answer */
    int                    is_shadow;  /* its word is stored, and does
                                        * nothing */
    unsigned               index;      /* for the caller */
};

/* Why there is no word, beside the names of pay_failure_t. */
#define PAY_RISK_STATUS  "status"      /* another one than 200 */
#define PAY_RISK_ANSWER  "answer"      /* not of the protocol, or of another
                                        * checkout */


/* 1 for an attribute that is about a person: it is stored and sent as it is
 * nowhere but where the configuration says so. */
int pay_risk_is_private(pay_risk_attribute_t attribute);
/* By its name; PAY_NOT_FOUND: there is no such private attribute. */
pay_status_t pay_risk_private_find(pay_str_t name,
    pay_risk_attribute_t *attribute) PAY_MUST_CHECK;

/* The first one that is to be asked about these facts; NULL: none. */
const pay_risk_provider_t *pay_risk_provider_of(const pay_risk_t *risk,
    const pay_risk_facts_t *facts);
/* The question, signed at facts->now_s: memory is the arena's.  Its id, which
 * is the key of its repetition, too, follows from merchant and checkout. */
pay_status_t pay_risk_provider_request(pay_arena_t *arena,
    const pay_risk_t *risk, const pay_risk_provider_t *provider,
    const pay_risk_facts_t *facts, pay_http_request_t *request)
    PAY_MUST_CHECK;
/* Its answer, from a stranger; whatever is none, or one to another question,
 * becomes the word of `fail`. */
pay_status_t pay_risk_provider_answer(pay_arena_t *arena,
    const pay_risk_provider_t *provider, const pay_risk_facts_t *facts,
    const pay_http_answer_t *answer, pay_risk_word_t *word) PAY_MUST_CHECK;


#endif /* PAY_RISK_PROVIDER_H */
