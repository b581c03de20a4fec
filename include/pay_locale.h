/*
 * The languages of the buyer's pages: which one a browser asks for, and how
 * amounts and times are written in it.  An amount comes in minor units and
 * goes through decimal text alone, never through a double.
 */

#ifndef PAY_LOCALE_H
#define PAY_LOCALE_H

#include "pay_arena.h"
#include "pay_money.h"


#define PAY_LOCALES           7
#define PAY_LOCALE_ACCEPT_MAX 256      /* bytes of Accept-Language; the
                                          rest is not read */
#define PAY_LOCALE_TEXT_MAX   128      /* UTF-16 units of an amount or time */

/* Opened once, used by one thread at a time.  malloc'ed by ICU: the owner
 * closes it. */
typedef struct pay_locale_s  pay_locale_t;


/* The language tag (RFC 5646) of the n-th language, n < PAY_LOCALES; 0 is
 * English. */
const char *pay_locale_tag(unsigned n);
/* The number of the language with that tag, in any case of letters;
 * PAY_LOCALES: there is none. */
unsigned pay_locale_find(pay_str_t tag);
/* 1 when it is written from right to left. */
int pay_locale_is_rtl(unsigned n);

/* 1 for a text that may stand on a page: valid UTF-8 without control
 * characters, ends of lines, and characters that turn the direction of the text
 * behind them (UAX #9: embeddings, overrides, isolates). */
int pay_locale_is_shown(pay_str_t text);

/* The best language for an untrusted Accept-Language field (RFC 9110 12.5.4),
 * by its q values; `otherwise` when none fits or the field is malformed. */
unsigned pay_locale_pick(pay_str_t accept, unsigned otherwise);

/* NULL: no memory, or ICU lacks its data. */
pay_locale_t *pay_locale_open(unsigned n);
/* NULL is allowed. */
void pay_locale_close(pay_locale_t *locale);

/* 1234 EUR as "12,34 €", with the currency's own number of decimals, in UTF-8.
 * PAY_BUG: ICU refused it. */
pay_status_t pay_locale_money(pay_locale_t *locale, pay_arena_t *arena,
    int64_t minor, const pay_currency_t *currency, pay_str_t *text)
    PAY_MUST_CHECK;
/* Seconds since 1970 as a date and a time of day in UTC, which the text
 * says. */
pay_status_t pay_locale_time(pay_locale_t *locale, pay_arena_t *arena,
    int64_t time_s, pay_str_t *text) PAY_MUST_CHECK;


#endif /* PAY_LOCALE_H */
