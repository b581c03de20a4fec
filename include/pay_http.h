/*
 * A PSP call as data: what to send, how far it came, what came back.
 */

#ifndef PAY_HTTP_H
#define PAY_HTTP_H

#include "pay_str.h"


#define PAY_HTTP_HEADERS_MAX   12
#define PAY_HTTP_ANSWER_MAX    65536   /* bytes of an answer's body */

typedef struct {
    pay_str_t  name;
    pay_str_t  value;
} pay_http_field_t;

typedef struct {
    pay_str_t         method;          /* POST GET PUT PATCH DELETE */
    pay_str_t         url;
    pay_http_field_t  fields[PAY_HTTP_HEADERS_MAX];
    unsigned          field_count;
    pay_str_t         body;            /* empty: none */
} pay_http_request_t;

/* How far a call came, by the client library's own evidence. */
typedef enum {
    PAY_SENT_NOTHING = 0,      /* no byte of the request was written */
    PAY_SENT_SOME,             /* bytes left; no complete answer */
    PAY_ANSWERED               /* status and body are complete */
} pay_sent_t;

/* The same in more words, for the dispatch journal; each includes those before
 * it.  A call on a kept connection starts at TLS. */
typedef enum {
    PAY_REACH_NOTHING = 0,     /* refused by ourselves, or no address */
    PAY_REACH_RESOLVED,        /* an address was found */
    PAY_REACH_CONNECTED,       /* TCP, to the PSP or through the proxy */
    PAY_REACH_TLS,             /* the PSP is who it should be */
    PAY_REACH_WRITTEN,         /* bytes of the request were written */
    PAY_REACH_STATUS,          /* a status line came back */
    PAY_REACH_COMPLETE         /* and all that belongs to it */
} pay_reach_t;

/* nothing, resolved, connected, tls, written, status, complete
 * (src/flow/flow_dispatch.c) */
const char *pay_reach_name(pay_reach_t reach);

typedef struct {
    pay_sent_t        sent;
    pay_reach_t       reach;
    unsigned          status;          /* when PAY_ANSWERED; or the one seen */
    pay_str_t         body;            /* when PAY_ANSWERED */
    pay_str_t         content_type;
    int64_t           retry_after_s;   /* -1: none */
    int               should_retry;    /* Stripe-Should-Retry, Adyen's
                                          transient-error: 1, 0, -1 none */
    unsigned          unheard;         /* copies of the request that may have
                                          arrived before the one that all this
                                          is about, and were never answered: a
                                          client library sends again by itself
                                          when a kept connection dies */
    const char       *failure;         /* literal: "timeout", "tls", "connect",
                                          "broken", "too-large"; with
                                          PAY_SENT_NOTHING also "busy",
                                          "circuit-open", "auth", "memory",
                                          "private-address"; NULL: none */
} pay_http_answer_t;


#endif /* PAY_HTTP_H */
