/*
 * A cell of a CSV (RFC 4180) that a spreadsheet does not run: texts come from
 * buyers, PSPs and banks, and a spreadsheet would take one that begins like a
 * formula for one (https://owasp.org/www-community/attacks/CSV_Injection).
 * The lists of the API and of payctl are written with it.
 */

#ifndef PAY_CSV_H
#define PAY_CSV_H

#include "pay_arena.h"
#include "pay_str.h"


/* Adds the text in quotes, with an apostrophe in front of a formula. */
void pay_csv_text(pay_str_t text, pay_buf_t *buf);

/* Adds a decimal number (-12.34) as it stands, nothing for an empty text, and
 * any other text as pay_csv_text() does. */
void pay_csv_cell(pay_str_t text, pay_buf_t *buf);

/* 1 for a decimal number: -12.34 */
int pay_csv_is_number(pay_str_t text);


#endif /* PAY_CSV_H */
