/* Numbers of bank accounts: IBAN (ISO 13616) and BIC (ISO 9362). */

#ifndef PAY_IBAN_H
#define PAY_IBAN_H

#include "pay_arena.h"


#define PAY_IBAN_MAX  34               /* bytes */

/* 1 for upper case without blanks, a country of the registry with its length,
 * check digits that fit (mod 97). */
int pay_iban_is_valid(pay_str_t iban);
/* The same from the text that a person typed (untrusted, at most 64 bytes):
 * blanks go, small letters become capitals.  PAY_INVALID "destination-invalid"
 * with the reason: its characters, the country, the length, the check
 * digits. */
pay_status_t pay_iban_read(pay_arena_t *arena, pay_str_t text,
    pay_str_t *iban, pay_err_t *err) PAY_MUST_CHECK;
/* 1 for 8 or 11 characters, upper case: the bank, the country, the place, and
 * the branch. */
int pay_bic_is_valid(pay_str_t bic);


#endif /* PAY_IBAN_H */
