/*
 * Problem documents (RFC 9457; docs/security.md#rules-of-problem-documents):
 * one table of problem types, each with its HTTP status, title and the text of
 * its page.
 */

#ifndef PAY_PROBLEM_H
#define PAY_PROBLEM_H

#include "pay_arena.h"


typedef struct {
    const char  *slug;         /* "amount-invalid" */
    unsigned     status;       /* 422 */
    const char  *title;        /* one sentence, always the same (PD4) */
    const char  *meaning;      /* page: the meaning */
    const char  *remedy;       /* page: the remedy */
} pay_problem_t;

#define PAY_ERRORS_MAX  8

/* All errors of one request; errors beyond PAY_ERRORS_MAX are left out.  The
 * texts belong to an arena. */
typedef struct {
    const char  *slug;
    const char  *detail;
    const char  *pointer;      /* "": of the whole */
} pay_error_t;

typedef struct {
    unsigned     count;
    pay_error_t  list[PAY_ERRORS_MAX];
} pay_errors_t;

typedef struct {
    const pay_problem_t  *problem;
    pay_str_t             base_url;     /* "https://host[:port]" */
    pay_str_t             request_id;   /* a UUID's text */
    const char           *detail;       /* NULL: none */
    const char           *pointer;     /* errors[0].pointer; NULL or "": none */
    const pay_errors_t   *errors;       /* instead of it; NULL or none: it */
    pay_str_t             order_url;    /* "existing" member; empty: none */
    const char           *policy;       /* "violated-policies" (RL5): name of
                                           the policy; NULL: none */
    unsigned              status;       /* sent status when it is not the
                                           problem's own (PD2); 0: it is */
} pay_problem_doc_t;


/* The problem with that slug, NULL when there is none. */
const pay_problem_t *pay_problem_find(pay_str_t slug);

/* The problem for a status that nginx itself made (400, 401, 403-405, 408,
 * 411-416, 421, 422, 429, 431, 494-497, 500-505, 507): never NULL; an
 * unknown one gives 500's or, below 500, 400's. */
const pay_problem_t *pay_problem_of_status(unsigned status);

/* The whole table; ends with a NULL slug. */
const pay_problem_t *pay_problem_table(void);

/* Adds a copy of a refusal.  PAY_OK also when there is no room for it. */
pay_status_t pay_errors_add(pay_errors_t *errors, pay_arena_t *arena,
    const pay_err_t *err) PAY_MUST_CHECK;

/* PAY_OK when there is none, else PAY_INVALID and the first of them. */
pay_status_t pay_errors_verdict(const pay_errors_t *errors, pay_err_t *err)
    PAY_MUST_CHECK;

/* {"type","title","status","detail","instance","errors":[{detail,pointer}],
 * "existing","violated-policies"}, those without a value left out.
 * type = base_url + "/problems/" + slug; for "quota-exceeded" the IANA URI
 * of docs/security.md RL5. instance = urn:uuid:<request id>.  A URL or id
 * with other than printable ASCII, or a type over 512 bytes: PAY_INVALID. */
pay_status_t pay_problem_render(pay_arena_t *arena,
    const pay_problem_doc_t *doc, pay_str_t *json) PAY_MUST_CHECK;


#endif /* PAY_PROBLEM_H */
