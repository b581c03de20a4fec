/*
 * Time and whole numbers as text.  The calendar is computed here: libc's
 * would bring time zones and an environment along.
 */

#include "pay_time.h"


#define PAY_DIGITS_MAX   15
#define PAY_DAY_S        86400

/* 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z: RFC 3339 has no others */
#define PAY_TIME_FIRST   INT64_C(-62167219200)
#define PAY_TIME_LAST    INT64_C(253402300799)


typedef struct {
    unsigned   year;
    unsigned   month;
    unsigned   day;
} pay_date_t;


static pay_date_t pay_date_of(uint64_t days);
static void pay_time_put(unsigned char *text, unsigned number,
    unsigned digits);


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
