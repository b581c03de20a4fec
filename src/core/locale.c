/*
 * Languages, by ICU.  This file is the only one that knows ICU.  It reads no
 * environment: locales and the time zone are named, and ICU's data is a
 * library.
 *
 *    Accept-Language ─▶ uloc_acceptLanguageFromHTTP ─▶ number of a language
 *    minor units ─▶ decimal text ─▶ unum_formatDecimal ─▶ UTF-8
 */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <unicode/uchar.h>
#include <unicode/udat.h>
#include <unicode/udatpg.h>
#include <unicode/uenum.h>
#include <unicode/uloc.h>
#include <unicode/unum.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

#include "pay_locale.h"


#define PATTERN_MAX  64
#define NAME_MAX_LEN 16
#define CODE_LEN     3                 /* of a currency, ISO 4217 */
/* ICU's letters for year, month by name, day, hours as usual there, minutes,
 * short zone. */
#define SKELETON     u"yMMMMdjmmz"
#define ZONE         u"UTC"


/* The two formatters; `money` has the currency of the last amount. */
struct pay_locale_s {
    UNumberFormat  *money;
    UDateFormat    *time;
};

static const struct {
    const char  *tag;
    const char  *name;                 /* ICU's */
}  locales[] = {
    { "en", "en" },
    { "de", "de" },
    { "fr", "fr" },
    { "es", "es" },
    { "pt-BR", "pt_BR" },
    { "ja", "ja" },
    { "ar", "ar" },
};
PAY_ROWS(locales, PAY_LOCALES);


static int turns_direction(UChar32 c);
static UDateFormat *open_time(const char *name);
static pay_status_t to_utf8(pay_arena_t *arena, const UChar *units,
    int32_t count, pay_str_t *text);


const char *
pay_locale_tag(unsigned n)
{
    return locales[n].tag;
}


unsigned
pay_locale_find(pay_str_t tag)
{
    unsigned  n;

    for (n = 0; n < PAY_LOCALES; n++) {
        if (tag.len == strlen(locales[n].tag)
            && strncasecmp((const char *) tag.data, locales[n].tag, tag.len)
               == 0)
        {
            break;
        }
    }

    return n;
}


int
pay_locale_is_rtl(unsigned n)
{
    return uloc_isRightToLeft(locales[n].name) != 0;
}


int
pay_locale_is_shown(pay_str_t text)
{
    int8_t   type;
    size_t   i = 0;
    UChar32  c;

    while (i < text.len) {
        U8_NEXT(text.data, i, text.len, c);

        if (c < 0) {
            return 0;
        }

        type = u_charType(c);

        if (type == U_CONTROL_CHAR || type == U_LINE_SEPARATOR
            || type == U_PARAGRAPH_SEPARATOR || turns_direction(c))
        {
            return 0;
        }
    }

    return 1;
}


/* A field that is cut may end in half a range: it is cut at its last comma. */
unsigned
pay_locale_pick(pay_str_t accept, unsigned otherwise)
{
    char           field[PAY_LOCALE_ACCEPT_MAX + 1], name[NAME_MAX_LEN];
    size_t         len;
    unsigned       n;
    UErrorCode     error = U_ZERO_ERROR;
    const char    *names[PAY_LOCALES];
    UEnumeration  *known;
    UAcceptResult  result = ULOC_ACCEPT_FAILED;

    len = accept.len;

    if (len > PAY_LOCALE_ACCEPT_MAX) {
        for (len = PAY_LOCALE_ACCEPT_MAX; len != 0; len--) {
            if (accept.data[len] == ',') {
                break;
            }
        }
    }

    if (len == 0 || memchr(accept.data, '\0', len) != NULL) {
        return otherwise;
    }

    memcpy(field, accept.data, len);
    field[len] = '\0';

    for (n = 0; n < PAY_LOCALES; n++) {
        names[n] = locales[n].name;
    }

    known = uenum_openCharStringsEnumeration(names, PAY_LOCALES, &error);
    (void) uloc_acceptLanguageFromHTTP(name, sizeof(name), &result, field,
                                       known, &error);
    uenum_close(known);

    if (U_FAILURE(error) || result == ULOC_ACCEPT_FAILED) {
        return otherwise;
    }

    for (n = 0; n < PAY_LOCALES; n++) {
        if (strncmp(name, locales[n].name, sizeof(name)) == 0) {
            return n;
        }
    }

    return otherwise;
}


pay_locale_t *
pay_locale_open(unsigned n)
{
    UErrorCode     error = U_ZERO_ERROR;
    pay_locale_t  *locale;

    locale = calloc(1, sizeof(pay_locale_t));
    if (locale == NULL) {
        return NULL;
    }

    locale->money = unum_open(UNUM_CURRENCY, NULL, 0, locales[n].name, NULL,
                              &error);
    locale->time = open_time(locales[n].name);

    if (U_FAILURE(error) || locale->time == NULL) {
        pay_locale_close(locale);
        return NULL;
    }

    return locale;
}


void
pay_locale_close(pay_locale_t *locale)
{
    if (locale == NULL) {
        return;
    }

    unum_close(locale->money);
    udat_close(locale->time);
    free(locale);
}


/* ICU knows decimals of currencies of its own, which are not those of ISO 4217
 * for all: ours are set. */
pay_status_t
pay_locale_money(pay_locale_t *locale, pay_arena_t *arena, int64_t minor,
    const pay_currency_t *currency, pay_str_t *text)
{
    UChar       code[CODE_LEN], units[PAY_LOCALE_TEXT_MAX];
    int32_t     count;
    pay_str_t   decimal;
    UErrorCode  error = U_ZERO_ERROR;

    PAY_TRY(pay_amount_format(arena, minor, currency, &decimal));

    u_charsToUChars(currency->code, code, CODE_LEN);
    unum_setTextAttribute(locale->money, UNUM_CURRENCY_CODE, code, CODE_LEN,
                          &error);
    unum_setAttribute(locale->money, UNUM_MIN_FRACTION_DIGITS,
                      currency->exponent);
    unum_setAttribute(locale->money, UNUM_MAX_FRACTION_DIGITS,
                      currency->exponent);

    count = unum_formatDecimal(locale->money, (const char *) decimal.data,
                               (int32_t) decimal.len, units,
                               PAY_LOCALE_TEXT_MAX, NULL, &error);

    return U_SUCCESS(error) && count <= PAY_LOCALE_TEXT_MAX
           ? to_utf8(arena, units, count, text) : PAY_BUG;
}


pay_status_t
pay_locale_time(pay_locale_t *locale, pay_arena_t *arena, int64_t time_s,
    pay_str_t *text)
{
    UChar       units[PAY_LOCALE_TEXT_MAX];
    int32_t     count;
    UErrorCode  error = U_ZERO_ERROR;

    /* times of ICU are doubles, exact for whole milliseconds of 285,000
     * years */

    count = udat_format(locale->time, (UDate) (time_s * 1000), units,
                        PAY_LOCALE_TEXT_MAX, NULL, &error);

    return U_SUCCESS(error) && count <= PAY_LOCALE_TEXT_MAX
           ? to_utf8(arena, units, count, text) : PAY_BUG;
}


static int
turns_direction(UChar32 c)
{
    switch (u_charDirection(c)) {

    case U_LEFT_TO_RIGHT_EMBEDDING:
    case U_LEFT_TO_RIGHT_OVERRIDE:
    case U_RIGHT_TO_LEFT_EMBEDDING:
    case U_RIGHT_TO_LEFT_OVERRIDE:
    case U_POP_DIRECTIONAL_FORMAT:
    case U_FIRST_STRONG_ISOLATE:
    case U_LEFT_TO_RIGHT_ISOLATE:
    case U_RIGHT_TO_LEFT_ISOLATE:
    case U_POP_DIRECTIONAL_ISOLATE:
        return 1;

    default:
        return 0;
    }
}


/* The order of the parts is the language's. */
static UDateFormat *
open_time(const char *name)
{
    UChar                      pattern[PATTERN_MAX];
    int32_t                    len;
    UErrorCode                 error = U_ZERO_ERROR;
    UDateFormat               *format;
    UDateTimePatternGenerator *generator;

    generator = udatpg_open(name, &error);
    len = udatpg_getBestPattern(generator, SKELETON, -1, pattern, PATTERN_MAX,
                                &error);
    udatpg_close(generator);

    format = udat_open(UDAT_PATTERN, UDAT_PATTERN, name, ZONE, -1, pattern,
                       len, &error);

    if (U_FAILURE(error)) {
        udat_close(format);
        return NULL;
    }

    return format;
}


/* A unit of UTF-16 takes three bytes of UTF-8 at most. */
static pay_status_t
to_utf8(pay_arena_t *arena, const UChar *units, int32_t count,
    pay_str_t *text)
{
    char        bytes[3 * PAY_LOCALE_TEXT_MAX];
    int32_t     len;
    UErrorCode  error = U_ZERO_ERROR;

    u_strToUTF8(bytes, sizeof(bytes), &len, units, count, &error);

    if (U_FAILURE(error)) {
        return PAY_BUG;
    }

    return pay_dup(arena, (pay_str_t) { (size_t) len,
                                        (const unsigned char *) bytes },
                   text);
}
