/*
 * Requests of a merchant about webhooks: the body of a POST about an endpoint,
 * and the query of a GET, from a stranger's bytes to checked values.
 */

#ifndef PAY_ENDPOINT_API_H
#define PAY_ENDPOINT_API_H

#include "pay_endpoint.h"
#include "pay_id.h"
#include "pay_op.h"
#include "pay_problem.h"


#define PAY_ENDPOINT_OVERLAP   86400   /* s, when the body is silent */
#define PAY_EVENTS_LIMIT       100     /* when the query is silent */
#define PAY_EVENTS_LIMIT_MAX   1000


typedef enum {
    PAY_ENDPOINT_MAKE = 0,
    PAY_ENDPOINT_ENABLE,
    PAY_ENDPOINT_DISABLE,
    PAY_ENDPOINT_TEST,
    PAY_ENDPOINT_ROTATE,
    PAY_ENDPOINT_REPLAY,
    PAY_ENDPOINT_ACTS
} pay_endpoint_act_kind_t;

/* A body after every check that needs no database; its texts are the arena's.
 * A member that the kind does not have is empty. */
typedef struct {
    pay_str_t              url;
    pay_str_t              types;      /* JSON: names of types; [] is all */
    pay_endpoint_scheme_t  scheme;
    int                    is_ordered;
    int64_t                overlap_s;
    pay_str_t              event;      /* of a replay: this one, or … */
    pay_int_t              since_us;   /* … those of a time */
    pay_int_t              until_us;
    int                    only_failed;
    pay_errors_t           errors;     /* of one that is refused */
} pay_endpoint_act_t;

/* A request; id and body are untrusted, and so is the key but for its form. */
typedef struct {
    pay_endpoint_act_kind_t  kind;
    pay_str_t                merchant_id;
    pay_str_t                id;       /* of the path; empty: of MAKE */
    pay_str_t                fresh_id; /* of MAKE without a key */
    pay_str_t                body;     /* empty: there is none */
    pay_str_t                idempotency_key;    /* of MAKE, or empty */
    pay_str_t                asked_by; /* of pay_jwt_asker() */
    pay_str_t                entropy;  /* PAY_ENDPOINT_ENTROPY random bytes, for
                                          this request alone */
    pay_str_t                base_url; /* of this gateway */
} pay_endpoint_act_input_t;

/* The subject of a GET. */
typedef enum {
    PAY_EVENTS_MESSAGES = 0,
    PAY_EVENTS_ENDPOINTS,
    PAY_EVENTS_DELIVERIES
} pay_events_list_t;

/* Its texts are slices of the request's, which live as long as the flow. */
typedef struct {
    pay_events_list_t  list;
    pay_str_t          id;             /* this one; empty: a list */
    pay_str_t          endpoint;
    pay_str_t          after;          /* id of a message; empty: the first */
    pay_str_t          type;
    pay_str_t          state;
    pay_int_t          before;
    int64_t            limit;
} pay_events_query_t;


/* Reads the body of a request.  PAY_INVALID with a slug of
 * docs/security.md#hostile-requests and a JSON pointer: the first of
 * act->errors, but for a text that is no JSON and for card data. */
pay_status_t pay_endpoint_act_parse(pay_arena_t *arena,
    pay_endpoint_act_kind_t kind, pay_hosts_t hosts, pay_str_t body,
    pay_endpoint_act_t *act, pay_err_t *err) PAY_MUST_CHECK;

/* enable, disable, test, rotate: the word of change_endpoint. */
const char *pay_endpoint_act_name(pay_endpoint_act_kind_t kind);

/* The answer that has the key of an endpoint in it, once: `page` is SQL's JSON
 * of the endpoint, and says its scheme.  PAY_BUG: it is no such JSON. */
pay_status_t pay_endpoint_render(pay_arena_t *arena, pay_str_t page,
    const pay_secret_t *secret, pay_str_t *json) PAY_MUST_CHECK;

/* Reads the query of a GET, without the '?'.  query->list and query->id are
 * set.  PAY_INVALID "validation-error", whose detail names the parameter, for
 * one that is unknown, comes twice or breaks its rule; PAY_NOT_FOUND: the id is
 * none. */
pay_status_t pay_events_parse(pay_str_t text, pay_events_query_t *query,
    pay_err_t *err) PAY_MUST_CHECK;


#endif /* PAY_ENDPOINT_API_H */
