/*
 * Shared by the two files of MT940: mt940.c reads statements, mt940_line.c
 * their lines :61: and the texts :86: behind them.
 */

#ifndef PAY_SETTLE_MT940_H
#define PAY_SETTLE_MT940_H

#include "settle/settle.h"


#define MT940_TEXT_MAX  1023

/* A line :61: as read.  Texts end with NUL and are cut where they do not
 * fit. */
typedef struct {
    int64_t    line;
    int64_t    minor;                  /* signed */
    char       value_on[11];
    char       booked_on[11];
    char       type[12];               /* "RC NTRF" */
    char       customer_ref[64];
    char       bank_ref[64];
    char       details[256];
} mt940_line_t;

/* The text :86: of a line. */
typedef struct {
    char       note[MT940_TEXT_MAX + 1];
    char       end_to_end[128];
} mt940_text_t;


/* Reads the field :61:, whose continuation line is `details`.  The year of the
 * entry date is the one that brings it next to the value date. */
pay_status_t pay_settle_mt940_line(pay_settle_reader_t *reader,
    pay_str_t field, const pay_currency_t *currency, mt940_line_t *line)
    PAY_MUST_CHECK;

/* Joins the lines of the field :86: (free, German ?20…, or /EREF/…) and looks
 * for the end-to-end id in it. */
void pay_settle_mt940_text(pay_str_t field, mt940_text_t *text);

/* YYMMDD → YYYY-MM-DD; 70 to 99 are of the last century.  A day up to 31 that
 * its month does not have is its last one. */
pay_status_t pay_settle_mt940_day(pay_settle_reader_t *reader,
    const char *column, pay_str_t digits, char *day) PAY_MUST_CHECK;
/* Copies as many bytes as fit, without blanks around them. */
void pay_settle_mt940_copy(char *to, size_t size, pay_str_t from);


#endif /* PAY_SETTLE_MT940_H */
