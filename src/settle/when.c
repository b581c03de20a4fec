/*
 * Times of settlement files.  The text is always kept; an instant is given
 * only where the text surely means one: with an offset, in UTC, or with a word
 * for a zone that has one meaning.  Others are PostgreSQL's business, which
 * knows the zones by name (this code reads no files).
 */

#include "pay_time.h"
#include "settle/settle.h"


#define WHEN_HOUR  3600
#define WHEN_DAY   86400

/* How summer time begins and ends.  EU: at the same instant everywhere, so the
 * local hour depends on the zone; US: at the same local hour in each zone. */
typedef enum { WHEN_FIXED, WHEN_EU, WHEN_US } when_rule_t;

/* A word and the offset it names.  With a rule: this is the word of winter,
 * and some write it all year for the zone. */
typedef struct {
    const char   *word;
    int           offset_s;
    when_rule_t   rule;
} when_zone_t;

/* Memory for one text of pay_time_format(), aligned as an arena's must be. */
typedef struct {
    _Alignas(16) unsigned char  data[32];
} when_bytes_t;


static void *when_alloc(void *owner, size_t size);
static int when_take(pay_str_t *rest, unsigned digits, unsigned char *to);
static int when_take_one(pay_str_t *rest, const char *of);
static int when_date(pay_str_t *rest, unsigned char *canonical);
static int when_time(pay_str_t *rest, unsigned char *canonical);
static int when_offset(pay_str_t *rest, pay_settle_when_t *when);
static int64_t when_summer(int64_t local_s, when_rule_t rule, int at_end);
static int64_t when_day_of(int year, int month, int day);
static int when_year(int64_t local_s);


/* CST, IST, BST and others are several zones: they are not here.  EST and MST
 * are also words of places without summer time, so a text of summer with them
 * has two meanings (see pay_settle_zone()). */
static const when_zone_t  zones[] = {
    { "UTC", 0, WHEN_FIXED }, { "GMT", 0, WHEN_FIXED },
    { "Z", 0, WHEN_FIXED },
    { "WET", 0, WHEN_EU }, { "WEST", WHEN_HOUR, WHEN_FIXED },
    { "CET", WHEN_HOUR, WHEN_EU }, { "CEST", 2 * WHEN_HOUR, WHEN_FIXED },
    { "EET", 2 * WHEN_HOUR, WHEN_EU }, { "EEST", 3 * WHEN_HOUR, WHEN_FIXED },
    { "PST", -8 * WHEN_HOUR, WHEN_US }, { "PDT", -7 * WHEN_HOUR, WHEN_FIXED },
    { "MST", -7 * WHEN_HOUR, WHEN_US }, { "MDT", -6 * WHEN_HOUR, WHEN_FIXED },
    { "EST", -5 * WHEN_HOUR, WHEN_US }, { "EDT", -4 * WHEN_HOUR, WHEN_FIXED },
    { NULL, 0, WHEN_FIXED }
};


/* pay_time_parse() knows the calendar: the text is brought into its form. */
pay_status_t
pay_settle_when(pay_str_t text, pay_settle_when_t *when)
{
    int64_t            us;
    pay_str_t          rest = text;
    unsigned char      canonical[] = "0000-00-00T00:00:00.000000Z";
    pay_settle_when_t  made;

    memset(&made, 0, sizeof(made));

    if (!when_date(&rest, canonical)) {
        return PAY_INVALID;
    }

    if (rest.len != 0 && (!when_take_one(&rest, " T")
                          || !when_time(&rest, canonical)
                          || !when_offset(&rest, &made) || rest.len != 0))
    {
        return PAY_INVALID;
    }

    PAY_TRY(pay_time_parse((pay_str_t) { sizeof(canonical) - 1, canonical },
                           &us));

    made.micro = us % 1000000;
    made.local_s = us / 1000000;

    if (made.micro < 0) {
        made.micro += 1000000;
        made.local_s--;
    }

    memcpy(made.day, canonical, sizeof(made.day) - 1);
    *when = made;

    return PAY_OK;
}


/* pay_time_format() needs memory of an arena: twenty bytes here are one. */
int
pay_settle_day_of(int64_t unix_s, unsigned char *day)
{
    pay_str_t      text;
    when_bytes_t   bytes = { 0 };
    pay_arena_t    arena = { when_alloc, &bytes };

    if (unix_s < 0 || pay_time_format(&arena, unix_s, &text) != PAY_OK) {
        return 0;
    }

    memcpy(day, text.data, 10);

    return 1;
}


/* With dashes only, as PostgreSQL stores it. */
int
pay_settle_is_day(pay_str_t text)
{
    pay_settle_when_t  when;

    return text.len == 10 && text.data[4] == '-'
           && pay_settle_when(text, &when) == PAY_OK;
}


/* 0 for a word with no or several meanings.  The rules are those of today;
 * files of before 1996 (EU) and 2007 (US) are not expected. */
int
pay_settle_zone(pay_str_t word, int64_t local_s, int64_t *offset_s,
    int *ambiguous)
{
    int64_t             begin, end;
    const when_zone_t  *zone = zones;

    *ambiguous = 0;

    while (zone->word != NULL && !pay_str_is(word, zone->word)) {
        zone++;
    }

    if (zone->word == NULL) {
        return 0;
    }

    *offset_s = zone->offset_s;

    if (zone->rule == WHEN_FIXED) {
        return 1;
    }

    /* local time of winter at which summer time begins, and of summer at
     * which it ends */
    begin = when_summer(local_s, zone->rule, 0)
            + (zone->rule == WHEN_EU ? zone->offset_s : 0);
    end = when_summer(local_s, zone->rule, 1)
          + (zone->rule == WHEN_EU ? zone->offset_s + WHEN_HOUR : 0);

    if (local_s < begin || local_s >= end) {
        return 1;
    }

    /* the hour before the end comes twice, the hour behind the begin never:
     * the word is believed */
    if (local_s >= end - WHEN_HOUR || local_s < begin + WHEN_HOUR) {
        *ambiguous = 1;
        return 1;
    }

    /* the word of winter in summer: it names the zone, unless there are
     * places with that word and no summer time */
    if (zone->offset_s == -5 * WHEN_HOUR || zone->offset_s == -7 * WHEN_HOUR) {
        return 0;
    }

    *offset_s = zone->offset_s + WHEN_HOUR;

    return 1;
}


/* An arena of one allocation. */
static void *
when_alloc(void *owner, size_t size)
{
    when_bytes_t  *bytes = owner;

    return size <= sizeof(bytes->data) ? bytes->data : NULL;
}


/* EU since 1996: 01:00 UTC of the last Sundays of March and October.  US since
 * 2007: 02:00 local of the second Sunday of March and the first of November.
 * 1 January 1970 was a Thursday: (day + 4) % 7 is 0 on Sundays. */
static int64_t
when_summer(int64_t local_s, when_rule_t rule, int at_end)
{
    int      year = when_year(local_s);
    int64_t  day;

    if (rule == WHEN_EU) {
        day = when_day_of(year, at_end ? 10 : 3, 31);
        day -= (day + 4) % 7;
        return day * WHEN_DAY + WHEN_HOUR;
    }

    day = when_day_of(year, at_end ? 11 : 3, at_end ? 1 : 8);
    day += (7 - (day + 4) % 7) % 7;

    return day * WHEN_DAY + 2 * WHEN_HOUR;
}


/* Days since 1970 of a date from 1970 to 9999. */
static int64_t
when_day_of(int year, int month, int day)
{
    int64_t        us = 0;
    unsigned char  text[] = "0000-00-00T00:00:00.000000Z";

    text[0] = (unsigned char) ('0' + year / 1000 % 10);
    text[1] = (unsigned char) ('0' + year / 100 % 10);
    text[2] = (unsigned char) ('0' + year / 10 % 10);
    text[3] = (unsigned char) ('0' + year % 10);
    text[5] = (unsigned char) ('0' + month / 10);
    text[6] = (unsigned char) ('0' + month % 10);
    text[8] = (unsigned char) ('0' + day / 10);
    text[9] = (unsigned char) ('0' + day % 10);

    if (pay_time_parse((pay_str_t) { sizeof(text) - 1, text }, &us)
        != PAY_OK)
    {
        return 0;
    }

    return us / 1000000 / WHEN_DAY;
}


/* A first guess by the mean length of a year, then corrected by the
 * calendar. */
static int
when_year(int64_t local_s)
{
    int  year = (int) (1970 + local_s / (365 * WHEN_DAY + WHEN_DAY / 4));

    while (when_day_of(year + 1, 1, 1) * WHEN_DAY <= local_s) {
        year++;
    }

    while (year > 1970 && when_day_of(year, 1, 1) * WHEN_DAY > local_s) {
        year--;
    }

    return year;
}


/* 2026-11-20 or 2026/11/20 */
static int
when_date(pay_str_t *rest, unsigned char *canonical)
{
    unsigned char  dash;

    if (!when_take(rest, 4, canonical) || rest->len == 0) {
        return 0;
    }

    dash = rest->data[0];

    return (dash == '-' || dash == '/')
           && when_take_one(rest, dash == '-' ? "-" : "/")
           && when_take(rest, 2, canonical + 5)
           && when_take_one(rest, dash == '-' ? "-" : "/")
           && when_take(rest, 2, canonical + 8);
}


/* 10:00, 10:00:00, 10:00:00.123456789 */
static int
when_time(pay_str_t *rest, unsigned char *canonical)
{
    unsigned  i;

    if (!when_take(rest, 2, canonical + 11) || !when_take_one(rest, ":")
        || !when_take(rest, 2, canonical + 14))
    {
        return 0;
    }

    if (!when_take_one(rest, ":")) {
        return 1;
    }

    if (!when_take(rest, 2, canonical + 17)) {
        return 0;
    }

    if (!when_take_one(rest, ".")) {
        return 1;
    }

    for (i = 0; rest->len != 0 && rest->data[0] >= '0'
                && rest->data[0] <= '9'; i++)
    {
        if (i < 6) {
            canonical[20 + i] = rest->data[0];
        }

        rest->data++;
        rest->len--;
    }

    return i > 0 && i <= 9;
}


/* Nothing, Z, +01:00, +0100 or +01, a blank before it. */
static int
when_offset(pay_str_t *rest, pay_settle_when_t *when)
{
    int            is_west;
    int64_t        hours, minutes;
    unsigned char  digits[4] = { '0', '0', '0', '0' };

    if (rest->len == 0) {
        return 1;
    }

    when->has_offset = 1;
    (void) when_take_one(rest, " ");

    if (when_take_one(rest, "Z")) {
        return 1;
    }

    if (rest->len == 0) {
        return 0;
    }

    is_west = rest->data[0] == '-';

    if (!when_take_one(rest, "+-") || !when_take(rest, 2, digits)) {
        return 0;
    }

    if (rest->len != 0) {
        (void) when_take_one(rest, ":");
        if (!when_take(rest, 2, digits + 2)) {
            return 0;
        }
    }

    hours = (digits[0] - '0') * 10 + (digits[1] - '0');
    minutes = (digits[2] - '0') * 10 + (digits[3] - '0');
    when->offset_s = hours * WHEN_HOUR + minutes * 60;

    if (is_west) {
        when->offset_s = -when->offset_s;
    }

    return hours <= 14 && minutes <= 59;
}


/* Takes that many digits; *rest stays as it is when there are fewer. */
static int
when_take(pay_str_t *rest, unsigned digits, unsigned char *to)
{
    unsigned  i;

    if (rest->len < digits) {
        return 0;
    }

    for (i = 0; i < digits; i++) {
        if (rest->data[i] < '0' || rest->data[i] > '9') {
            return 0;
        }

        to[i] = rest->data[i];
    }

    rest->data += digits;
    rest->len -= digits;

    return 1;
}


/* Takes one of these characters. */
static int
when_take_one(pay_str_t *rest, const char *of)
{
    if (rest->len == 0 || rest->data[0] == '\0'
        || strchr(of, rest->data[0]) == NULL)
    {
        return 0;
    }

    rest->data++;
    rest->len--;

    return 1;
}
