/*
 * Exemplars in the zone: the ids of requests as bytes, the newest one of each
 * bucket.  Writers do not wait for each other: an exemplar that two of them
 * have mixed has a wrong sum, and is not shown until the next one replaces
 * it.
 */

#include "shm/ngx_payments_exemplar.h"


#define ID     32                                /* digits of an id */
#define ODD    UINT64_C(0x9e3779b97f4a7c15)      /* 2^64 by the golden ratio */

enum { AT_MS, US, REQUEST, TRACE = REQUEST + 2 };


static ngx_int_t read_id(pay_str_t text, uint64_t words[2]);
static void write_id(const uint64_t words[2], u_char digits[ID]);
static pay_str_t uuid_text(const uint64_t words[2], u_char *text);
static pay_str_t trace_text(const uint64_t words[2], u_char *text);
static uint64_t sum_of(const uint64_t *words);


void
ngx_payments_exemplar_set(ngx_payments_exemplar_t *slot, uint64_t us,
    pay_str_t request_id, pay_str_t trace_id)
{
    uint64_t    words[NGX_PAYMENTS_EXEMPLAR_WORDS];
    ngx_uint_t  i;
    ngx_time_t  *tp = ngx_timeofday();

    words[AT_MS] = (uint64_t) tp->sec * 1000 + tp->msec;
    words[US] = us;

    if (read_id(request_id, &words[REQUEST]) != NGX_OK) {
        return;
    }

    if (read_id(trace_id, &words[TRACE]) != NGX_OK) {
        words[TRACE] = 0;
        words[TRACE + 1] = 0;
    }

    for (i = 0; i < NGX_PAYMENTS_EXEMPLAR_WORDS; i++) {
        slot->words[i] = words[i];
    }

    ngx_memory_barrier();
    slot->sum = sum_of(words);
}


const pay_exemplar_t *
ngx_payments_exemplar_get(const ngx_payments_exemplar_t *slot,
    ngx_payments_exemplar_text_t *text)
{
    uint64_t         sum, words[NGX_PAYMENTS_EXEMPLAR_WORDS];
    ngx_uint_t       i;
    pay_exemplar_t  *exemplar = &text->exemplar;

    sum = slot->sum;
    ngx_memory_barrier();

    for (i = 0; i < NGX_PAYMENTS_EXEMPLAR_WORDS; i++) {
        words[i] = slot->words[i];
    }

    if (words[AT_MS] == 0 || sum != sum_of(words)) {
        return NULL;
    }

    exemplar->at_ms = words[AT_MS];
    exemplar->us = words[US];
    exemplar->request_id = uuid_text(&words[REQUEST], text->request_id);
    exemplar->trace_id = trace_text(&words[TRACE], text->trace_id);

    return exemplar;
}


/* 32 hexadecimal digits, between which there may be dashes. */
static ngx_int_t
read_id(pay_str_t text, uint64_t words[2])
{
    u_char      c;
    size_t      i;
    uint64_t    digit;
    ngx_uint_t  n = 0;

    words[0] = 0;
    words[1] = 0;

    for (i = 0; i < text.len && i < PAY_UUID_TEXT; i++) {
        c = ngx_tolower(text.data[i]);

        if (c == '-') {
            continue;
        }

        if (n == ID) {
            return NGX_ERROR;
        }

        if (c >= '0' && c <= '9') {
            digit = c - '0';

        } else if (c >= 'a' && c <= 'f') {
            digit = c - 'a' + 10;

        } else {
            return NGX_ERROR;
        }

        words[n / (ID / 2)] = words[n / (ID / 2)] << 4 | digit;
        n++;
    }

    return n == ID && i == text.len ? NGX_OK : NGX_ERROR;
}


static void
write_id(const uint64_t words[2], u_char digits[ID])
{
    ngx_uint_t           i;
    static const u_char  hex[] = "0123456789abcdef";

    for (i = 0; i < ID; i++) {
        digits[i] = hex[words[i / (ID / 2)] >> (60 - i % (ID / 2) * 4) & 0xf];
    }
}


static pay_str_t
uuid_text(const uint64_t words[2], u_char *text)
{
    u_char  digits[ID], *p;

    write_id(words, digits);

    p = ngx_cpymem(text, digits, 8);
    *p++ = '-';
    p = ngx_cpymem(p, digits + 8, 4);
    *p++ = '-';
    p = ngx_cpymem(p, digits + 12, 4);
    *p++ = '-';
    p = ngx_cpymem(p, digits + 16, 4);
    *p++ = '-';
    ngx_memcpy(p, digits + 20, 12);

    return (pay_str_t) { PAY_UUID_TEXT, text };
}


/* Zeros are no trace, as Trace Context says. */
static pay_str_t
trace_text(const uint64_t words[2], u_char *text)
{
    if (words[0] == 0 && words[1] == 0) {
        return (pay_str_t) { 0, text };
    }

    write_id(words, text);

    return (pay_str_t) { PAY_TRACE_ID, text };
}


/* Each word counts by its place. */
static uint64_t
sum_of(const uint64_t *words)
{
    uint64_t    sum = ODD;
    ngx_uint_t  i;

    for (i = 0; i < NGX_PAYMENTS_EXEMPLAR_WORDS; i++) {
        sum = (sum ^ words[i]) * ODD;
        sum ^= sum >> 32;
    }

    return sum;
}
