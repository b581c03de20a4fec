/*
 * IBAN and BIC.  The lengths are those of the IBAN registry of SWIFT
 * (ISO 13616, https://www.swift.com/standards/data-standards/iban); a country
 * that is not in it has no IBAN.  The check digits find each wrong digit and
 * each pair of neighbours that were exchanged, never whose account it is.
 */

#include "pay_iban.h"


#define TYPED_MAX  64                  /* bytes of a text that a person typed */

typedef struct {
    char     country[3];
    uint8_t  len;
} iban_length_t;


static const char *iban_fault(pay_str_t iban);
static unsigned iban_length(pay_str_t iban);
static unsigned iban_rest(pay_str_t iban);
static int is_digit(unsigned char c);
static int is_capital(unsigned char c);


static const iban_length_t  iban_lengths[] = {
    { "AD", 24 }, { "AE", 23 }, { "AL", 28 }, { "AT", 20 }, { "AZ", 28 },
    { "BA", 20 }, { "BE", 16 }, { "BG", 22 }, { "BH", 22 }, { "BI", 27 },
    { "BR", 29 }, { "BY", 28 }, { "CH", 21 }, { "CR", 22 }, { "CY", 28 },
    { "CZ", 24 }, { "DE", 22 }, { "DJ", 27 }, { "DK", 18 }, { "DO", 28 },
    { "EE", 20 }, { "EG", 29 }, { "ES", 24 }, { "FI", 18 }, { "FK", 18 },
    { "FO", 18 }, { "FR", 27 }, { "GB", 22 }, { "GE", 22 }, { "GI", 23 },
    { "GL", 18 }, { "GR", 27 }, { "GT", 28 }, { "HN", 28 }, { "HR", 21 },
    { "HU", 28 }, { "IE", 22 }, { "IL", 23 }, { "IQ", 23 }, { "IS", 26 },
    { "IT", 27 }, { "JO", 30 }, { "KW", 30 }, { "KZ", 20 }, { "LB", 28 },
    { "LC", 32 }, { "LI", 21 }, { "LT", 20 }, { "LU", 20 }, { "LV", 21 },
    { "LY", 25 }, { "MC", 27 }, { "MD", 24 }, { "ME", 22 }, { "MK", 19 },
    { "MN", 20 }, { "MR", 27 }, { "MT", 31 }, { "MU", 30 }, { "NI", 28 },
    { "NL", 18 }, { "NO", 15 }, { "OM", 23 }, { "PK", 24 }, { "PL", 28 },
    { "PS", 29 }, { "PT", 25 }, { "QA", 29 }, { "RO", 24 }, { "RS", 22 },
    { "RU", 33 }, { "SA", 24 }, { "SC", 31 }, { "SD", 18 }, { "SE", 24 },
    { "SI", 19 }, { "SK", 24 }, { "SM", 27 }, { "SO", 23 }, { "ST", 25 },
    { "SV", 28 }, { "TL", 23 }, { "TN", 24 }, { "TR", 26 }, { "UA", 29 },
    { "VA", 22 }, { "VG", 24 }, { "XK", 20 }, { "YE", 30 }
};


int
pay_iban_is_valid(pay_str_t iban)
{
    return iban_fault(iban) == NULL;
}


pay_status_t
pay_iban_read(pay_arena_t *arena, pay_str_t text, pay_str_t *iban,
    pay_err_t *err)
{
    size_t          i, len = 0;
    const char     *fault;
    unsigned char   c;
    unsigned char   made[TYPED_MAX];

    if (text.len > TYPED_MAX) {
        return pay_refuse(err, "destination-invalid",
                          "an IBAN has at most 34 characters");
    }

    for (i = 0; i < text.len; i++) {
        c = text.data[i];

        if (c != ' ') {
            made[len++] = (c >= 'a' && c <= 'z') ? (unsigned char) (c & 0xdf)
                                                 : c;
        }
    }

    fault = iban_fault((pay_str_t) { len, made });
    if (fault != NULL) {
        return pay_refuse(err, "destination-invalid", fault);
    }

    return pay_dup(arena, (pay_str_t) { len, made }, iban);
}


int
pay_bic_is_valid(pay_str_t bic)
{
    size_t  i;

    for (i = 0; i < bic.len; i++) {
        if (!is_capital(bic.data[i])
            && (i == 4 || i == 5 || !is_digit(bic.data[i])))
        {
            return 0;
        }
    }

    return bic.len == 8 || bic.len == 11;
}


/* NULL: nothing is wrong.  00, 01 and 99 fit the rule of 97 for some accounts,
 * but no bank computes them: ISO 7064 gives 02 to 98. */
static const char *
iban_fault(pay_str_t iban)
{
    size_t    i;
    unsigned  check;

    if (iban.len < 4 || !is_capital(iban.data[0]) || !is_capital(iban.data[1])
        || !is_digit(iban.data[2]) || !is_digit(iban.data[3]))
    {
        return "an IBAN begins with two letters and two digits";
    }

    for (i = 4; i < iban.len; i++) {
        if (!is_capital(iban.data[i]) && !is_digit(iban.data[i])) {
            return "an IBAN has letters and digits alone";
        }
    }

    if (iban_length(iban) == 0) {
        return "this country has no IBAN";
    }

    if (iban.len != iban_length(iban)) {
        return "an IBAN of this country has another length";
    }

    check = (unsigned) (iban.data[2] - '0') * 10
            + (unsigned) (iban.data[3] - '0');

    return (iban_rest(iban) == 1 && check >= 2 && check <= 98)
           ? NULL : "the check digits of the IBAN do not fit";
}


/* 0 for a country without IBANs. */
static unsigned
iban_length(pay_str_t iban)
{
    size_t  i;

    for (i = 0; i < sizeof(iban_lengths) / sizeof(iban_lengths[0]); i++) {
        if (memcmp(iban.data, iban_lengths[i].country, 2) == 0) {
            return iban_lengths[i].len;
        }
    }

    return 0;
}


/* The first four characters behind the others, A as 10 to Z as 35, modulo 97,
 * digit by digit (ISO 7064, MOD 97-10). */
static unsigned
iban_rest(pay_str_t iban)
{
    size_t         i;
    unsigned       rest = 0;
    unsigned char  c;

    for (i = 0; i < iban.len; i++) {
        c = iban.data[(i + 4) % iban.len];

        rest = is_digit(c) ? rest * 10 + (unsigned) (c - '0')
                           : rest * 100 + (unsigned) (c - 'A') + 10;
        rest %= 97;
    }

    return rest;
}


static int
is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}


static int
is_capital(unsigned char c)
{
    return c >= 'A' && c <= 'Z';
}
