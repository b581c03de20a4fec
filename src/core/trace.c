/*
 * The header traceparent of Trace Context: read from storefronts, and written
 * for calls to them.  A value that is not right is none: tracing must fail no
 * payment.
 */

#include "pay_trace.h"
#include "pay_crypto.h"

#include <string.h>


/* 00-<32 hex: trace>-<16 hex: parent>-<2 hex: flags> */
#define TRACE_AT    3
#define PARENT_AT   36
#define FLAGS_AT    53
#define PARENT_LEN  16
#define SAMPLED     0x01


static int hex(unsigned char c);
static int is_hex(const unsigned char *text, size_t len);
static int is_zero(const unsigned char *text, size_t len);


/* A later version may have more behind a hyphen; ff is no version. */
pay_status_t
pay_trace_parse(pay_str_t text, unsigned char trace[PAY_TRACE_TEXT])
{
    int                   flags;
    const unsigned char  *p = text.data;

    if (text.len < PAY_TRACE_TEXT || !is_hex(p, 2) || memcmp(p, "ff", 2) == 0
        || p[TRACE_AT - 1] != '-' || !is_hex(&p[TRACE_AT], PAY_TRACE_ID)
        || p[PARENT_AT - 1] != '-' || !is_hex(&p[PARENT_AT], PARENT_LEN)
        || p[FLAGS_AT - 1] != '-' || !is_hex(&p[FLAGS_AT], 2)
        || is_zero(&p[TRACE_AT], PAY_TRACE_ID)
        || is_zero(&p[PARENT_AT], PARENT_LEN))
    {
        return PAY_INVALID;
    }

    if (text.len > PAY_TRACE_TEXT
        && (memcmp(p, "00", 2) == 0 || p[PAY_TRACE_TEXT] != '-'))
    {
        return PAY_INVALID;
    }

    flags = hex(p[FLAGS_AT + 1]) & SAMPLED;

    memcpy(trace, p, PAY_TRACE_TEXT);
    memcpy(trace, "00", 2);
    memcpy(&trace[FLAGS_AT], flags ? "01" : "00", 2);

    return PAY_OK;
}


pay_str_t
pay_trace_id(pay_str_t trace)
{
    return trace.len == PAY_TRACE_TEXT
           ? (pay_str_t) { PAY_TRACE_ID, &trace.data[TRACE_AT] }
           : PAY_STR("");
}


/* The id is that of a hash, so that the same attempt has the same one wherever
 * it is asked for. */
pay_status_t
pay_trace_child(pay_arena_t *arena, pay_str_t trace, pay_str_t seed,
    pay_str_t *text)
{
    size_t                i;
    unsigned char        *p;
    unsigned char         digest[PAY_SHA256_SIZE];
    static const char     digits[] = "0123456789abcdef";

    if (trace.len != PAY_TRACE_TEXT) {
        return PAY_BUG;
    }

    p = pay_alloc(arena, PAY_TRACE_TEXT);
    if (p == NULL) {
        return PAY_NO_MEMORY;
    }

    PAY_TRY(pay_sha256(seed, digest));
    digest[0] |= 1;                    /* 0 is no id */

    memcpy(p, trace.data, PAY_TRACE_TEXT);

    for (i = 0; i < PARENT_LEN; i++) {
        p[PARENT_AT + i] = (unsigned char)
                           digits[(digest[i / 2] >> (i % 2 ? 0 : 4)) & 15];
    }

    *text = (pay_str_t) { PAY_TRACE_TEXT, p };

    return PAY_OK;
}


/* Lower case alone; -1: none. */
static int
hex(unsigned char c)
{
    return c >= '0' && c <= '9' ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}


static int
is_hex(const unsigned char *text, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (hex(text[i]) < 0) {
            return 0;
        }
    }

    return 1;
}


static int
is_zero(const unsigned char *text, size_t len)
{
    size_t  i;

    for (i = 0; i < len && text[i] == '0'; i++) {
        /* void */
    }

    return i == len;
}
