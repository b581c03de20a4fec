/* A call to a PSP as data: the request, how far it came, the answer. */

#ifndef PAY_HTTP_H
#define PAY_HTTP_H

#include "pay_str.h"


#define PAY_HTTP_HEADERS_MAX   12
#define PAY_HTTP_ANSWER_MAX    65536   /* bytes of an answer's body */
#define PAY_HTTP_SETTLE_MAX    1048576 /* the same, a page of a settlement */

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
    PAY_REACH_COMPLETE,        /* and all that belongs to it */
    PAY_REACH_COUNT
} pay_reach_t;

/* nothing, resolved, connected, tls, written, status, complete
 * (src/flow/flow_dispatch.c) */
const char *pay_reach_name(pay_reach_t reach);

/* Why there is no answer, and the word for it in logs, metrics and codes. */
#define PAY_FAILURES(F)                                                       \
    F(TIMEOUT, "timeout")                                                     \
    F(CONNECT, "connect")                                                     \
    F(TLS, "tls")                                                             \
    F(PRIVATE_ADDRESS, "private-address")                                     \
    F(TOO_LARGE, "too-large")                                                 \
    F(MEMORY, "memory")                                                       \
    F(BROKEN, "broken")                                                       \
    F(BUSY, "busy")                                                           \
    F(CIRCUIT_OPEN, "circuit-open")                                           \
    F(AUTH, "auth")                                                           \
    F(NO_FILE, "no-file")                                                     \
    F(UNREADABLE, "unreadable")

typedef enum {
    PAY_FAILURE_NONE = 0,
#define PAY_FAILURE_ID(id, word)  PAY_FAILURE_##id,
    PAY_FAILURES(PAY_FAILURE_ID)
#undef PAY_FAILURE_ID
    PAY_FAILURE_COUNT
} pay_failure_t;

/* Its word; "" for PAY_FAILURE_NONE. */
const char *pay_failure_name(pay_failure_t failure);

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
    pay_failure_t     failure;
    int64_t           took_ms;         /* of the last try; 0: none was made */
} pay_http_answer_t;


#endif /* PAY_HTTP_H */
