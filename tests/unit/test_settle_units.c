/*
 * Amounts and times of settlement files: the exponent of each (PSP, medium),
 * zones by a word, hours that come twice.
 */

#include <criterion/criterion.h>

#include "settle/settle.h"


typedef struct {
    const char  *word;
    const char  *local;
    int          is_known;
    int          is_ambiguous;
    const char  *utc;
} zone_case_t;


static int64_t
seconds(const char *text)
{
    pay_settle_when_t  when;

    cr_assert_eq(pay_settle_when(pay_str_of(text), &when), PAY_OK, "%s", text);

    return when.local_s - when.offset_s;
}


Test(pay_settle_amount, known_payments_come_out_of_every_unit)
{
    const char  *unit = "";

    cr_expect_eq(pay_settle_self_test(&unit), PAY_OK, "%s", unit);
}


Test(pay_settle_when, knows_the_spellings_of_all_media)
{
    cr_expect_eq(seconds("2026-11-20T10:00:00Z"), 1795168800);
    cr_expect_eq(seconds("2026-11-20T11:00:00+01:00"), 1795168800);
    cr_expect_eq(seconds("2026/11/20 11:00:00 +0100"), 1795168800);
    cr_expect_eq(seconds("2026-11-20 02:00:00 -0800"), 1795168800);
    cr_expect_eq(seconds("2026-11-20 10:00"), 1795168800);
    cr_expect_eq(seconds("2026-11-20T10:00:00.123456789Z"), 1795168800);
    cr_expect_eq(seconds("2026-11-20"), 1795132800);
    cr_expect_eq(seconds("1969-12-31T23:59:59.5Z"), -1);
}


Test(pay_settle_when, refuses_what_is_no_time)
{
    size_t             i;
    pay_settle_when_t  when;

    static const char *const  texts[] = {
        "", "2026", "2026-02-29", "2026-13-01", "2026-1-2", "2026-11/20",
        "2026-11-20T", "2026-11-20T24:00:00Z", "2026-11-20T10:00:60Z",
        "2026-11-20T10:00:00.Z", "2026-11-20T10:00:00+1", "+2026-11-20",
        "2026-11-20T10:00:00+15:00", "2026-11-20T10:00:00 ",
        "2026-11-20T10:00:00.1234567890Z", "2026-11-20T10:00:00ZZ",
        "2026-11-20x10:00:00"
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cr_expect_eq(pay_settle_when(pay_str_of(texts[i]), &when),
                     PAY_INVALID, "%s", texts[i]);
    }
}


/* Summer time ends on 1 November 2026 in the US, on 25 October in Europe, and
 * begins on 8 March and 29 March. */
Test(pay_settle_when, a_word_for_a_zone_is_believed_only_when_it_means_one)
{
    size_t   i;
    int      known, ambiguous;
    int64_t  offset;

    static const zone_case_t  cases[] = {
        { "UTC", "2026-07-01 10:00:00", 1, 0, "2026-07-01T10:00:00Z" },
        { "PST", "2026-01-01 10:00:00", 1, 0, "2026-01-01T18:00:00Z" },
        { "PDT", "2026-07-01 10:00:00", 1, 0, "2026-07-01T17:00:00Z" },
        /* the word of winter for the zone, in summer */
        { "PST", "2026-07-01 10:00:00", 1, 0, "2026-07-01T17:00:00Z" },
        { "CET", "2026-07-01 10:00:00", 1, 0, "2026-07-01T08:00:00Z" },
        { "CEST", "2026-07-01 10:00:00", 1, 0, "2026-07-01T08:00:00Z" },
        { "CET", "2026-12-31 23:59:59", 1, 0, "2026-12-31T22:59:59Z" },
        /* hours that come twice: the word decides */
        { "PDT", "2026-11-01 01:30:00", 1, 0, "2026-11-01T08:30:00Z" },
        { "PST", "2026-11-01 01:30:00", 1, 1, "2026-11-01T09:30:00Z" },
        { "CEST", "2026-10-25 02:30:00", 1, 0, "2026-10-25T00:30:00Z" },
        { "CET", "2026-10-25 02:30:00", 1, 1, "2026-10-25T01:30:00Z" },
        /* the seconds around them */
        { "PST", "2026-11-01 00:59:59", 1, 0, "2026-11-01T07:59:59Z" },
        { "PST", "2026-11-01 02:00:00", 1, 0, "2026-11-01T10:00:00Z" },
        { "CET", "2026-10-25 01:59:59", 1, 0, "2026-10-24T23:59:59Z" },
        { "CET", "2026-10-25 03:00:00", 1, 0, "2026-10-25T02:00:00Z" },
        { "PST", "2026-03-08 01:59:59", 1, 0, "2026-03-08T09:59:59Z" },
        /* an hour that never comes */
        { "PST", "2026-03-08 02:30:00", 1, 1, "2026-03-08T10:30:00Z" },
        { "PST", "2026-03-08 03:00:00", 1, 0, "2026-03-08T10:00:00Z" },
        { "CET", "2026-03-29 03:00:00", 1, 0, "2026-03-29T01:00:00Z" },
        /* Panama has no summer time, New York has */
        { "EST", "2026-01-01 10:00:00", 1, 0, "2026-01-01T15:00:00Z" },
        { "EST", "2026-07-01 10:00:00", 0, 0, NULL },
        { "EDT", "2026-07-01 10:00:00", 1, 0, "2026-07-01T14:00:00Z" },
        /* three zones, two zones, none */
        { "CST", "2026-01-01 10:00:00", 0, 0, NULL },
        { "IST", "2026-01-01 10:00:00", 0, 0, NULL },
        { "", "2026-01-01 10:00:00", 0, 0, NULL }
    };

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        offset = 0;
        known = pay_settle_zone(pay_str_of(cases[i].word),
                                seconds(cases[i].local), &offset, &ambiguous);

        cr_expect_eq(known, cases[i].is_known, "%s %s", cases[i].local,
                     cases[i].word);
        cr_expect_eq(ambiguous, cases[i].is_ambiguous, "%s %s",
                     cases[i].local, cases[i].word);

        if (cases[i].utc != NULL) {
            cr_expect_eq(seconds(cases[i].local) - offset,
                         seconds(cases[i].utc), "%s %s", cases[i].local,
                         cases[i].word);
        }
    }
}


Test(pay_settle_text, utf8_is_what_rfc_3629_says)
{
    size_t  i;

    static const char *const  bad[] = {
        "\xff", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf0\x80\x80\x80", "\x80", "a\xc3("
    };
    static const char *const  good[] = {
        "", "a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
        "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_not(pay_settle_is_utf8(pay_str_of(bad[i])), "%zu", i);
    }

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        cr_expect(pay_settle_is_utf8(pay_str_of(good[i])), "%zu", i);
    }
}


Test(pay_settle_kind, every_kind_has_a_name_of_its_own)
{
    unsigned   kind;
    pay_str_t  name;

    for (kind = 0; kind < PAY_SETTLE_KIND_COUNT; kind++) {
        name = pay_str_of(pay_settle_kind_name((pay_settle_kind_t) kind));
        cr_expect_gt(name.len, 0);
        cr_expect_eq((unsigned) pay_settle_kind(name), kind);
    }

    cr_expect_eq(pay_settle_kind(PAY_STR("chargeback")), PAY_SETTLE_UNKNOWN);
}
