/*
 * The card data canary: test numbers of the card schemes in all the ways
 * people write them, and the long numbers of daily life that are no cards.
 */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "torture.h"
#include "pay_id.h"
#include "pay_pan.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))


/* Published test numbers of the schemes; no account stands behind them. */
static const char *const  cards[] = {
    "4111111111111111", "4242424242424242", "4012888888881881",
    "4222222222222",                     /* Visa of 13 */
    "5555555555554444", "5105105105105100", "2223003122003222",
    "2223000048400011",
    "378282246310005", "371449635398431",
    "30569309025904", "38520000023237", "36227206271667",
    "3530111333300000", "3566002020360505",
    "6011111111111117", "6011000990139424",
    "6200000000000005", "6304000000000000",
    "6799990100000000019", "4000000000000000006"
};


static void
found(const char *text)
{
    cr_expect_eq(pay_pan_found(pay_str_of(text)), 1, "missed: %s", text);
}


static void
clean(const char *text)
{
    cr_expect_eq(pay_pan_found(pay_str_of(text)), 0, "tripped: %s", text);
}


static unsigned
luhn_digit(const char *digits)
{
    size_t    i, n;
    unsigned  d, sum;

    n = strlen(digits);
    sum = 0;

    for (i = 0; i < n; i++) {
        d = (unsigned) (digits[n - 1 - i] - '0');

        if (i % 2 == 0) {
            d = d * 2 > 9 ? d * 2 - 9 : d * 2;
        }

        sum += d;
    }

    return (10 - sum % 10) % 10;
}


Test(pay_pan, plain_numbers_of_all_schemes_are_found)
{
    size_t  i;

    for (i = 0; i < COUNT(cards); i++) {
        found(cards[i]);
    }
}


Test(pay_pan, one_wrong_digit_is_no_card)
{
    char    text[32];
    size_t  i, at;

    for (i = 0; i < COUNT(cards); i++) {
        for (at = 0; cards[i][at] != '\0'; at++) {
            snprintf(text, sizeof(text), "%s", cards[i]);
            text[at] = (char) ('0' + (text[at] - '0' + 1) % 10);
            clean(text);
        }
    }
}


Test(pay_pan, spaced_and_dashed_numbers_are_found)
{
    found("4111 1111 1111 1111");
    found("4111-1111-1111-1111");
    found("4111 1111-1111 1111");
    found("3782 822463 10005");
    found("3782-822463-10005");
    found("3056 930902 5904");
    found("4222-2222-2222-2");
    found("6799 9901 0000 0000 019");
    found("4000-0000-0000-0000-006");
}


Test(pay_pan, single_digits_with_separators_are_found)
{
    found("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1");
    found("4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1");
    clean("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 2");
}


Test(pay_pan, numbers_inside_text_are_found)
{
    found("card: 4111111111111111, thanks");
    found("{\"note\":\"4111111111111111\"}");
    found("4111 1111 1111 1111 12/29 737");
    found("pay 25 4111 1111 1111 1111");
    found("4111111111111111;exp=1229");
    found("(4111111111111111)");
    found("n=4111111111111111&x=1");
    found("card_4111111111111111_1");
    found("\n4111-1111-1111-1111\n");
    found("\xc3\xa9" "4111111111111111" "\xc3\xa9");
    found("4111111111111112 4111111111111111");
    found("4111111111111111.00");
}


Test(pay_pan, second_number_behind_a_near_miss_is_found)
{
    found("4111 1111 1111 1112 4111 1111 1111 1111");
    found("1 4111-1111-1111-1111");
}


Test(pay_pan, number_behind_a_nul_byte_is_found)
{
    static const char  text[] = "x\0" "4111111111111111";

    cr_expect_eq(pay_pan_found((pay_str_t) { sizeof(text) - 1,
                                             (const unsigned char *) text }),
                 1);
}


Test(pay_pan, empty_text_is_clean)
{
    clean("");
    clean(" ");
    clean("-");
    cr_expect_eq(pay_pan_found((pay_str_t) { 0, NULL }), 0);
}


Test(pay_pan, slice_is_read_no_further_than_its_length)
{
    pay_str_t  text = pay_string("4111111111111111");

    text.len--;
    cr_expect_eq(pay_pan_found(text), 0);
}


/* Text that was joined to a number without a blank hid it. */
Test(pay_pan, letters_beside_the_digits_hide_nothing)
{
    found("a4111111111111111");
    found("4111111111111111a");
    found("card4111111111111111exp");
    found("Z4111 1111 1111 1111");
    found("4111 1111 1111 1111Z");
    found("no4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1x");
    found("3782 822463 10005amex");
}


Test(pay_pan, zeros_beside_the_digits_hide_nothing)
{
    found("0004111111111111111");
    found("00000000000000000000000000000000004111111111111111");
    found("41111111111111110000");
    found("0000378282246310005000000000000000000000000000000000000000000");
    found("x00004111111111111111");
    clean("0000411111111111111200000");
    clean("00000000000000000000000000000000");
    clean("4000000000000000000000");
}


Test(pay_pan, other_digits_in_the_same_word_make_it_an_id)
{
    clean("cs_test_a14111111111111111b2");
    clean("0x4111111111111111");
    clean("4111111111111111a1");
    clean("1a4111 1111 1111 1111");
    clean("4111 1111 1111 1111Z9");
}


/* itapi-3: the format code before the number passed for a letter of an id. */
Test(pay_pan, track_one_of_a_magnetic_stripe_is_found)
{
    size_t  i;
    char    text[64];

    for (i = 0; i < COUNT(cards); i++) {
        snprintf(text, sizeof(text), "%%B%s^DOE/J^29121010", cards[i]);
        found(text);
        snprintf(text, sizeof(text), "B%s^DOE/J^29121010", cards[i]);
        found(text);
        snprintf(text, sizeof(text), "x %%b%s", cards[i]);
        found(text);
    }

    found("%B3782 822463 10005^DOE/J^29121010");
    found("%B4012-8888-8888-1881^DOE/J^29121010");
    found("B4012888888881882^ B4012888888881881^");
}


Test(pay_pan, track_two_of_a_magnetic_stripe_is_found)
{
    found(";4012888888881881=29121010000000000?");
    found("4012888888881881=29121010000000000");
}


Test(pay_pan, what_only_looks_like_a_track_is_clean)
{
    clean("%B4012888888881882^DOE/J^29121010");
    clean("%B9012888888881883^DOE/J^29121010");
    clean("%B1B4012888888881881^DOE/J^29121010");
    clean("%B");
    clean("B^");
}


Test(pay_pan, digits_beside_the_digits_make_it_longer)
{
    clean("41111111111111111111");                 /* 20 */
    clean("12344111111111111111");
    clean("411111111111");                         /* 12 */
}


/* All but a single blank or dash hid a number. */
Test(pay_pan, other_separators_hide_nothing)
{
    size_t  i;
    char    text[256];

    static const char *const  separators[] = {
        " ", "-", ".", "/", "_", ",", "\t", "\n", "\r", "\xc2\xa0",
        "\xe2\x80\xaf", "\xe2\x80\x93", "\xe2\x80\x91", "\xe3\x80\x80",
        "\xef\xbc\x8d", "\xc2\xad", "\xe2\x80\x8b",
        "  ", "--", ", ", "\r\n", "-\xc2\xa0", " - ", "...",
        /* as JSON spells them */
        "\\t", "\\n", "\\r\\n", "\\/", "\\u00a0", "\\u00A0", "\\u0020",
        "\\u2013", "\\u0009\\u000a"
    };

    for (i = 0; i < COUNT(separators); i++) {
        snprintf(text, sizeof(text), "4111%s1111%s1111%s1111", separators[i],
                 separators[i], separators[i]);
        found(text);
        snprintf(text, sizeof(text), "x %s3782%s822463%s10005%s y",
                 separators[i], separators[i], separators[i], separators[i]);
        found(text);
        snprintf(text, sizeof(text), "4%s1%s1%s1%s1%s1%s1%s1%s1%s1%s1%s1%s1%s"
                 "1%s1%s1", separators[i], separators[i], separators[i],
                 separators[i], separators[i], separators[i], separators[i],
                 separators[i], separators[i], separators[i], separators[i],
                 separators[i], separators[i], separators[i], separators[i]);
        found(text);
    }
}


Test(pay_pan, what_is_no_separator_parts_numbers)
{
    clean("4111    1111    1111    1111");         /* columns */
    clean("4111:1111:1111:1111");
    clean("4111;1111;1111;1111");
    clean("4111\"1111\"1111\"1111");
    clean("4111 x 1111 x 1111 x 1111");
    clean("4111\\\\1111\\\\1111\\\\1111");
    clean("4111\\u00a1" "1111\\u00a1" "1111\\u00a1" "1111");
    clean("4111\xc2\xa1" "1111\xc2\xa1" "1111\xc2\xa1" "1111");
    clean("4111\xe2\x80" "1111\xe2\x80" "1111\xe2\x80" "1111");
}


Test(pay_pan, full_width_and_escaped_digits_are_digits)
{
    size_t  i, n;
    char    text[256];

    for (i = 0, n = 0; i < 16; i++) {
        n += (size_t) snprintf(text + n, sizeof(text) - n, "\xef\xbc%c",
                               0x90 + "4111111111111111"[i] - '0');
    }

    found(text);
    text[3] = '5';                                 /* half of a character */
    clean(text);

    found("\xef\xbc\x94" "111 1111 1111 1111");
    found("4\\u0031\\u0031\\uFF111111111111" "11");
    found("\\uff14111-1111-1111-1111");
    clean("\\u41111111111111111");
    clean("\\u004111111111111111");
}


Test(pay_pan, groups_that_no_card_prints_are_clean)
{
    clean("411111111111-1111");
    clean("41-11-11-11-11-11-11-11");
    clean("411111-1111-111111");
    clean("411111-1111111111");
    clean("41111111-1111-1111");
}


Test(pay_pan, other_first_digits_are_clean)
{
    static const char *const  heads[] = {
        "000000000000000", "100000000000000", "700000000000000",
        "800000000000000", "900000000000000", "200000000000000",
        "210000000000000", "280000000000000", "290000000000000"
    };
    char    text[32];
    size_t  i;

    for (i = 0; i < COUNT(heads); i++) {
        snprintf(text, sizeof(text), "%s%u", heads[i], luhn_digit(heads[i]));
        clean(text);
    }
}


Test(pay_pan, times_of_this_century_are_clean)
{
    char      text[64];
    unsigned  second;

    for (second = 0; second < 20000; second++) {
        snprintf(text, sizeof(text), "%u%02u%02u%02u%02u%02u",
                 2024 + second % 60, 1 + second % 12, 1 + second % 28,
                 second % 24, second / 60 % 60, second % 60);
        cr_assert_not(pay_pan_found(pay_str_of(text)), "%s", text);

        snprintf(text, sizeof(text), "%u", 1700000000 + second * 7919);
        cr_assert_not(pay_pan_found(pay_str_of(text)), "%s", text);

        snprintf(text, sizeof(text), "1%012u", 700000000 + second * 7919);
        cr_assert_not(pay_pan_found(pay_str_of(text)), "%s", text);

        snprintf(text, sizeof(text), "2026-%02u-%02uT%02u:%02u:%02u.%06uZ",
                 1 + second % 12, 1 + second % 28, second % 24,
                 second / 60 % 60, second % 60, second * 49);
        cr_assert_not(pay_pan_found(pay_str_of(text)), "%s", text);
    }
}


Test(pay_pan, phone_numbers_and_amounts_are_clean)
{
    clean("+49 30 1234 5678");
    clean("+1-202-555-0143");
    clean("+44 20 7946 0958");
    clean("0049 6123 4567 890");
    clean("+33 1 23 45 67 89 01 23");
    clean("12.34");
    clean("999999999999999");
    clean("4,000,000,000,000,006.00");
    clean("sizes 36 38 40 42 44 46 48 50");
    clean("4,000,000,000,000,006.00");
    clean("+49.30.4111.1111");
    clean("(0)30/4111-1111");
    clean("+1 (555) 510-5105 ext. 105");
    clean("3,3,3,3,3,3,3,3,3,3,3,3");
    clean("192.168.100.200, 10.20.30.40, 5105:5105::5105");
    clean("[4999,4999,4999]");
    clean("3.5/4.1/5.1.1");
}


/* A fraction is no number of its own: coordinates and ratios have up to 17
 * digits, and every tenth would fit. */
Test(pay_pan, fractions_are_clean)
{
    clean("52.4111111111111111");
    clean("-0.378282246310005");
    clean("{\"lat\":48.5555555555554444,\"lon\":-122.30569309025904}");
    found("no.4111111111111111");
    found("4711.4111111111111111");
    found("4111111111111111.52");
}


/* Each of these has a number of which the check digit fits a card. */
Test(pay_pan, account_numbers_are_clean)
{
    char      text[64];
    unsigned  i, country, rest;
    uint64_t  account;

    static const char *const  countries[] = { "BE", "DK", "FI", "NO", "EE" };
    static const int  sizes[] = { 12, 14, 14, 11, 16 };
    static const unsigned  letters[] = { 1114, 1320, 1518, 2324, 1414 };

    srand(13616);

    for (i = 0; i < 20000; i++) {
        country = i % 5;
        account = ((uint64_t) rand() << 31 | (uint64_t) rand())
                  % (country == 3 ? 100000000000 : country == 0 ? 1000000000000
                     : country == 4 ? 10000000000000000 : 100000000000000);

        /* ISO 13616: the whole with "CC00" behind it leaves 98 - check */
        rest = (unsigned) ((account % 97 * (1000000 % 97)
                            + letters[country] * 100) % 97);

        snprintf(text, sizeof(text), "%s%02u%0*llu", countries[country],
                 98 - rest, sizes[country], (unsigned long long) account);
        clean(text);

        if (country == 4) {
            memmove(text + 24, text + 20, 1);
            memmove(text + 20, text + 16, 4);
            memmove(text + 15, text + 12, 4);
            memmove(text + 10, text + 8, 4);
            memmove(text + 5, text + 4, 4);
            text[4] = text[9] = text[14] = text[19] = ' ';
            text[24] = '\0';
            clean(text);
        }
    }

    clean("DE89370400440532013000");
    clean("DE89 3704 0044 0532 0130 00");
    clean("GB29 NWBK 6016 1331 9268 19");
}


/* German, Japanese, British … article numbers begin as Visa's did. */
Test(pay_pan, barcodes_are_clean)
{
    char      text[32];
    unsigned  i, k, sum;

    for (i = 0; i < 20000; i++) {
        snprintf(text, sizeof(text), "4%011u", i * 104729u);

        for (k = 0, sum = 0; k < 12; k++) {
            sum += (unsigned) (text[k] - '0') * (k % 2 == 1 ? 3 : 1);
        }

        snprintf(text + 12, 8, "%u", (10 - sum % 10) % 10);
        clean(text);
    }
}


Test(pay_pan, order_numbers_and_references_are_clean)
{
    clean("2026-000123-4567");
    clean("ORD-20261122-0001-4711");
    clean("8825408195409505");                     /* Adyen */
    clean("7914073381342284");
    clean("1712345678901234567");
    clean("INV/2026/11/22/000815");
    clean("9400111899223197428490");               /* parcel */
    clean("1Z999AA10123456784");
    clean("356938035643809");                      /* IMEI, Luhn of 15 */
    clean("978-3-16-148410-0");
    clean("4.0.30319.42000");
    clean("00:1a:2b:3c:4d:5e");
}


Test(pay_pan, psp_ids_are_clean)
{
    clean("cs_test_a11YYufWQzNY63zpQ6QSNRQhkUpVph4WRmzW0zWJO2znZKdVujZ0N0S22u");
    clean("pi_3MtwBwLkdIwHu7ix28a3tqPa");
    clean("evt_1NG8Du2eZvKYlo2CUI79vXWy");
    clean("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    clean("CS12345678901234");
    clean("sha256//4111111111111111AbCdE7f=");
}


static void
fill(unsigned char *bytes, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        bytes[i] = (unsigned char) (rand() >> 7);
    }
}


/* The rate over 10,000 random UUIDs of either version must be zero, and is
 * by construction: no shape of a card fits 8-4-4-4-12. */
Test(pay_pan, no_uuid_of_ten_thousand_trips)
{
    char           text[PAY_UUID_TEXT + 32];
    unsigned       i;
    unsigned char  b[16];

    srand(20260101);

    for (i = 0; i < 10000; i++) {
        fill(b, sizeof(b));

        snprintf(text, sizeof(text),
                 "%02x%02x%02x%02x-%02x%02x-4%01x%02x-a%01x%02x-"
                 "%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3], b[4],
                 b[5], b[6] & 15, b[7], b[8] & 15, b[9], b[10], b[11], b[12],
                 b[13], b[14], b[15]);
        cr_assert_not(pay_pan_found(pay_str_of(text)), "%s", text);

        memset(text, 0, sizeof(text));
        pay_uuid7(1767225600000 + i * 977, b, text);
        cr_assert_not(pay_pan_found(pay_str_of(text)), "%s", text);
    }
}


/* The worst UUIDs: digits only, so that nothing but the shape can help. */
Test(pay_pan, no_uuid_of_digits_alone_trips)
{
    char      text[64];
    unsigned  i;

    srand(4);

    for (i = 0; i < 10000; i++) {
        snprintf(text, sizeof(text), "%04u%04u-%04u-4%03u-8%03u-%04u%04u%04u",
                 4000 + rand() % 1000, rand() % 10000, 4000 + rand() % 1000,
                 rand() % 1000, rand() % 1000, 4000 + rand() % 1000,
                 rand() % 10000, rand() % 10000);
        cr_assert_not(pay_pan_found(pay_str_of(text)), "%s", text);

        /* not even where track 1 would have its number */
        snprintf(text, sizeof(text), "%%B%04u%04u-%04u-4%03u-8%03u-"
                 "%04u%04u%04u^", 4000 + rand() % 1000, rand() % 10000,
                 4000 + rand() % 1000, rand() % 1000, rand() % 1000,
                 4000 + rand() % 1000, rand() % 10000, rand() % 10000);
        cr_assert_not(pay_pan_found(pay_str_of(text)), "%s", text);
    }
}


/* Short hex ids: letters at both ends must not uncover the digits. */
Test(pay_pan, hardly_any_hex_id_trips)
{
    char           text[64];
    unsigned       i, k, tripped;
    unsigned char  b[16];

    static const unsigned  sizes[] = { 8, 12, 16 };

    srand(16);
    tripped = 0;

    for (i = 0; i < 30000; i++) {
        fill(b, sizeof(b));

        for (k = 0; k < sizes[i % 3]; k++) {
            snprintf(text + 2 * k, 3, "%02x", b[k]);
        }

        tripped += (unsigned) pay_pan_found(pay_str_of(text));
    }

    cr_expect_leq(tripped, 1, "%u of 30,000", tripped);
}


/* A text of digits and separators costs the same however it is made: what
 * was quadratic took 15 ms for 60 kB.  The clock is left out of it; see
 * tests/bench/scan.c. */
Test(pay_pan, long_texts_are_scanned_to_their_end)
{
    size_t          i, k;
    pay_str_t       text;
    unsigned char  *data;

    static const char *const  pieces[] = {
        "3 ", "0", "4", "4444 ", "4-", "  ", "a", "\\u0034 ", "\xef\xbc\x94",
        "4111 1111 1111 1112 ", "DK5000400440116243 "
    };

    data = malloc(200040);
    cr_assert_not_null(data);

    for (i = 0; i < COUNT(pieces); i++) {
        for (k = 0; k < 200000; k += strlen(pieces[i])) {
            memcpy(data + k, pieces[i], strlen(pieces[i]));
        }

        text = (pay_str_t) { k, data };
        cr_expect_eq(pay_pan_found(text), 0, "%s", pieces[i]);

        memcpy(data + k, " ;4111111111111111", 18);
        text.len = k + 18;
        cr_expect_eq(pay_pan_found(text), 1, "%s", pieces[i]);
    }

    free(data);
}


/* The scan reads 64 characters at once: what stands before a number moves it
 * over each place where one such part ends. */
Test(pay_pan, numbers_are_found_wherever_they_begin)
{
    size_t  i, k, n, step;
    char    text[1024];

    static const char *const  before[] = {
        " ", "3 ", "33 ", "4444 ", "x", "3333333333 -- ", "\\u0033 ",
        "\xef\xbc\x93-", "\\\\", "\xc2\xa0", "9    "
    };

    static const char *const  numbers[] = {
        "4111111111111111", "4111 1111 1111 1111", "3782 822463 10005",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "4000 0000 0000 0000 006",
        "\\u0034111\xc2\xa0" "1111-1111 111\xef\xbc\x91",
        "00000004111111111111111"
    };

    for (i = 0; i < COUNT(before); i++) {
        step = strlen(before[i]);

        for (n = 0; n + step < 300; n += step) {

            for (k = 0; k < COUNT(numbers); k++) {
                memset(text, 0, sizeof(text));
                memset(text, 'x', 3);

                for (size_t at = 0; at < n; at += step) {
                    memcpy(text + 3 + at, before[i], step);
                }

                memcpy(text + 3 + n, "    ", 4);
                memcpy(text + 3 + n + 4, numbers[k], strlen(numbers[k]));
                found(text);

                text[strlen(text) - 1] ^= 1;
                clean(text);
            }
        }
    }
}


static void
redacts(const char *from, size_t max, const char *to)
{
    pay_str_t    safe = { 0, NULL };
    pay_heap_t  *heap;

    heap = pay_heap_create();
    cr_assert_eq(pay_redact(pay_heap_arena(heap), pay_str_of(from), max,
                            &safe), PAY_OK);
    cr_expect(pay_str_is(safe, to), "%s became %.*s", from, pay_fmt(safe));
    pay_heap_destroy(heap);
}


Test(pay_pan, redact_leaves_plain_text)
{
    redacts("an id: 8e03978e-40d5-43dd (201)", 100,
            "an id: 8e03978e-40d5-43dd (201)");
    redacts("", 100, "");
    redacts("", 0, "");
}


Test(pay_pan, redact_masks_digits_and_keeps_separators)
{
    redacts("no 4111 1111-1111 1111!", 100, "no **** ****-**** ****!");
    redacts("4111111111111111 and 378282246310005", 100,
            "**************** and ***************");
    redacts("4111111111111112", 100, "4111111111111112");
    redacts("%B4012888888881881^DOE/J", 100, "%B****************^DOE/J");
    redacts("\xef\xbc\x94" "111,1111,1111,1111", 100, "******,****,****,****");
    redacts("4\\u0031" "11 1111 1111 1111 \n", 100,
            "********* **** **** **** \\x0a");
}


/* "\x04" before fifteen digits spells sixteen. */
Test(pay_pan, redact_masks_what_its_escapes_complete)
{
    redacts("\x04" "111111111111111", 100, "\\x0****************");
}


/* docs/security.md F5: a decoded %0a forged a log line. */
Test(pay_pan, redact_escapes_what_could_forge_a_log_line)
{
    redacts("a\r\n[alert] b\x1b[31m", 100,
            "a\\x0d\\x0a[alert] b\\x1b[31m");
    redacts("say \"x\" 'y' \\", 100,
            "say \\x22x\\x22 \\x27y\\x27 \\x5c");
    redacts("\x7f\xc3\xa9\xe2\x80\xa8", 100,
            "\\x7f\\xc3\\xa9\\xe2\\x80\\xa8");
    redacts("\t", 100, "\\x09");
}


Test(pay_pan, redact_escapes_nul)
{
    pay_str_t    safe;
    pay_heap_t  *heap;

    heap = pay_heap_create();
    cr_assert_eq(pay_redact(pay_heap_arena(heap),
                            (pay_str_t) { 3, (const unsigned char *) "a\0b" },
                            10, &safe), PAY_OK);
    cr_expect(pay_str_is(safe, "a\\x00b"));
    pay_heap_destroy(heap);
}


Test(pay_pan, redact_cuts_and_never_within_an_escape)
{
    redacts("abcdef", 6, "abcdef");
    redacts("abcdef", 5, "abcde...");
    redacts("abc", 0, "...");
    redacts("ab\ncd", 6, "ab\\x0a...");
    redacts("ab\ncd", 5, "ab...");
    redacts("ab\n", 6, "ab\\x0a");
}


Test(pay_pan, redact_masks_a_number_that_the_cut_goes_through)
{
    redacts("x 4111111111111111", 10, "x ********...");
}


Test(pay_pan, redacted_text_holds_no_card_and_only_plain_bytes)
{
    size_t         i, n;
    unsigned       round;
    pay_str_t      safe;
    pay_heap_t    *heap;
    unsigned char  text[64];

    static const char  letters[] = "4411111111 -\n\xff" "a\"";

    srand(5);

    for (round = 0; round < 20000; round++) {
        n = (size_t) rand() % sizeof(text);

        for (i = 0; i < n; i++) {
            text[i] = (unsigned char) letters[(size_t) rand()
                                              % (sizeof(letters) - 1)];
        }

        heap = pay_heap_create();
        cr_assert_eq(pay_redact(pay_heap_arena(heap), (pay_str_t) { n, text },
                                1000, &safe), PAY_OK);
        cr_assert_not(pay_pan_found(safe), "%.*s", pay_fmt(safe));

        for (i = 0; i < safe.len; i++) {
            cr_assert(safe.data[i] >= 0x20 && safe.data[i] < 0x7f);
        }

        pay_heap_destroy(heap);
    }
}


static pay_status_t
redact_once(pay_arena_t *arena, void *result)
{
    return pay_redact(arena, PAY_STR("a\n\n 4111111111111111 "
                                     "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"
                                     "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"),
                      1000, result);
}


Test(pay_pan, redact_survives_each_failing_allocation)
{
    cr_expect(torture(redact_once, sizeof(pay_str_t)) >= 1);
}


Test(pay_pan, redact_refuses_a_limit_that_would_overflow)
{
    pay_str_t    safe;
    pay_heap_t  *heap;

    heap = pay_heap_create();
    cr_expect_eq(pay_redact(pay_heap_arena(heap), PAY_STR("a"), SIZE_MAX,
                            &safe), PAY_BUG);
    pay_heap_destroy(heap);
}
