/*
 * Time and whole numbers as text.  The calendar is computed here: libc's
 * would bring time zones and an environment along.
 */

#include "pay_time.h"


/* Below 2^53: the number is the same in readers that know doubles only. */
#define PAY_DIGITS_MAX   15
#define PAY_DAY_S        86400

/* 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z: RFC 3339 has no others */
#define PAY_TIME_FIRST   INT64_C(-62167219200)
#define PAY_TIME_LAST    INT64_C(253402300799)


typedef struct {
    /* Proleptic Gregorian calendar, year 0 to 9999; month and day from 1. */
    unsigned   year;
    unsigned   month;
    unsigned   day;
} pay_date_t;


static int pay_time_take(pay_str_t text, size_t at, unsigned digits,
    unsigned *number);
static int64_t pay_days_of(unsigned year, unsigned month, unsigned day);
static pay_date_t pay_date_of(uint64_t days);
static void pay_time_put(unsigned char *text, unsigned number,
    unsigned digits);


/* Seconds are the precision of all times in the API; times outside of RFC 3339
 * have no text and are PAY_INVALID. */
pay_status_t
pay_time_format(pay_arena_t *arena, int64_t unix_s, pay_str_t *text)
{
    unsigned       second;
    uint64_t       since;
    pay_date_t     date;
    unsigned char  out[] = "0000-00-00T00:00:00Z";

    if (unix_s < PAY_TIME_FIRST || unix_s > PAY_TIME_LAST) {
        return PAY_INVALID;
    }

    since = (uint64_t) (unix_s - PAY_TIME_FIRST);
    date = pay_date_of(since / PAY_DAY_S);
    second = (unsigned) (since % PAY_DAY_S);

    pay_time_put(out, date.year, 4);
    pay_time_put(out + 5, date.month, 2);
    pay_time_put(out + 8, date.day, 2);
    pay_time_put(out + 11, second / 3600, 2);
    pay_time_put(out + 14, second / 60 % 60, 2);
    pay_time_put(out + 17, second % 60, 2);

    return pay_dup(arena, (pay_str_t) { sizeof(out) - 1, out }, text);
}


/* Reads one form, that of times in the event log, with six decimals and "Z". A
 * day that does not exist is found by converting back: 31 February comes out
 * as a day of March. */
pay_status_t
pay_time_parse(pay_str_t text, int64_t *unix_us)
{
    size_t       i;
    int64_t      days;
    unsigned     year, month, day, hour, minute, second, micro;
    pay_date_t   date;
    const char  *form = "dddd-dd-ddTdd:dd:dd.ddddddZ";

    if (text.len != strlen(form)) {
        return PAY_INVALID;
    }

    for (i = 0; i < text.len; i++) {
        if (form[i] != 'd' && text.data[i] != (unsigned char) form[i]) {
            return PAY_INVALID;
        }
    }

    /* No leap second: PostgreSQL and POSIX time have none, so 60 is no
     * second. */
    if (!pay_time_take(text, 0, 4, &year) || !pay_time_take(text, 5, 2, &month)
        || !pay_time_take(text, 8, 2, &day)
        || !pay_time_take(text, 11, 2, &hour)
        || !pay_time_take(text, 14, 2, &minute)
        || !pay_time_take(text, 17, 2, &second)
        || !pay_time_take(text, 20, 6, &micro)
        || hour > 23 || minute > 59 || second > 59
        || month < 1 || month > 12 || day < 1 || day > 31)
    {
        return PAY_INVALID;
    }

    days = pay_days_of(year, month, day);
    date = pay_date_of((uint64_t) days);

    if (date.year != year || date.month != month || date.day != day) {
        return PAY_INVALID;
    }

    *unix_us = (PAY_TIME_FIRST + days * PAY_DAY_S + hour * 3600 + minute * 60
                + second) * 1000000 + micro;

    return PAY_OK;
}


size_t
pay_digits_count(pay_str_t text, size_t from)
{
    size_t  at;

    for (at = from; at < text.len; at++) {
        if (text.data[at] < '0' || text.data[at] > '9') {
            break;
        }
    }

    return at > from ? at - from : 0;
}


/* For numbers of protocols that are digits alone: a sign, a blank or an
 * exponent would be a second spelling.  Leading zeros are accepted. */
pay_status_t
pay_digits_parse(pay_str_t text, int64_t *value)
{
    size_t   i;
    int64_t  number = 0;

    if (text.len == 0 || text.len > PAY_DIGITS_MAX) {
        return PAY_INVALID;
    }

    for (i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return PAY_INVALID;
        }

        number = number * 10 + (text.data[i] - '0');
    }

    *value = number;

    return PAY_OK;
}


/* 0 when one of the digits is none; the caller has checked that they are
 * there. */
static int
pay_time_take(pay_str_t text, size_t at, unsigned digits, unsigned *number)
{
    unsigned  i;

    for (i = 0, *number = 0; i < digits; i++) {
        if (text.data[at + i] < '0' || text.data[at + i] > '9') {
            return 0;
        }

        *number = *number * 10 + (text.data[at + i] - '0');
    }

    return 1;
}


/* The inverse of pay_date_of().  (153 · months + 2) / 5 is the number of days
 * before a month that is counted from March. */
static int64_t
pay_days_of(unsigned year, unsigned month, unsigned day)
{
    int64_t  years = (int64_t) year + 400 - (month <= 2);
    int64_t  months = month <= 2 ? month + 9 : month - 3;

    return 365 * years + years / 4 - years / 100 + years / 400
           + (153 * months + 2) / 5 + day - 1 - (146097 - 60);
}


/* Days since 0000-01-01 of the Gregorian calendar → date.  Years are counted
 * from March, so that the leap day is a year's last. */
static pay_date_t
pay_date_of(uint64_t days)
{
    unsigned    month;
    uint64_t    era, day, year;
    pay_date_t  date;

    /* 400 years before 0000-03-01, which is day 60 of the leap year 0 */
    days += 146097 - 60;

    era = days / 146097;
    day = days % 146097;
    /* Leap days that have passed within the era of 400 years are taken out
     * before the days are divided by 365. */
    year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= 365 * year + year / 4 - year / 100;
    month = (unsigned) ((5 * day + 2) / 153);

    date.day = (unsigned) (day - (153 * month + 2) / 5 + 1);
    date.month = month < 10 ? month + 3 : month - 9;
    date.year = (unsigned) (era * 400 + year + (date.month <= 2) - 400);

    return date;
}


static void
pay_time_put(unsigned char *text, unsigned number, unsigned digits)
{
    while (digits > 0) {
        text[--digits] = (unsigned char) ('0' + number % 10);
        number /= 10;
    }
}
