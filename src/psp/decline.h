/*
 * The rows of PSPs' decline codes, between decline_table.c (which has them) and
 * decline.c (which searches them).  No other file includes this.
 */

#ifndef PAY_SRC_PSP_DECLINE_H
#define PAY_SRC_PSP_DECLINE_H


/* One row: the PSP's code, and the gateway's code that it means. */
typedef struct {
    const char  *theirs;       /* as pay_psp_safe() makes it */
    const char  *ours;
} pay_decline_code_t;

/* The rows of one adapter, by its name. */
typedef struct {
    const char                *adapter;
    const pay_decline_code_t  *codes;  /* ends with NULL */
} pay_decline_codes_t;


/* Ends with an adapter of NULL. */
extern const pay_decline_codes_t  pay_decline_codes[];


#endif /* PAY_SRC_PSP_DECLINE_H */
