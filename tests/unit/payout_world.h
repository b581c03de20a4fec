/*
 * What the tests of pay-out adapters share: an item and its parcel, the cases
 * of tests/fixtures/payout/<adapter>/cases.txt, answers made of text.
 */

#ifndef PAYOUT_WORLD_H
#define PAYOUT_WORLD_H

#include <criterion/criterion.h>

#include "pay_payout.h"
#include "torture.h"
#include "../answer.h"

#include <stdio.h>
#include <stdlib.h>


#define ITEM_KEY     "0123456789abcdef0123456789abcdef-1"
#define OTHER_KEY    "0123456789abcdef0123456789abcdef-2"
#define SECRET       "kit_CANARY_id:kit_CANARY_secret"
#define CASES_MAX    128
#define CASE_TEXT    8192
#define CASE_WORD    128

typedef struct {
    char              where[160];
    char              operation[16];   /* send0 … send3, ask, find, cancel,
                                          hook */
    unsigned          status;
    char              outcome[16];
    char              code[CASE_WORD]; /* CODE[:REFERENCE] */
    char              events[CASE_WORD];
    char             *body;
} payout_case_t;

typedef struct {
    char           name[32];           /* of a text */
    char          *body;
} payout_let_t;

typedef struct {
    char               currency[8];
    long long          minor;
    char               to[16];
    char               payee[CASE_WORD];
    char               ids[PAY_PAYOUT_STEPS_MAX][CASE_WORD];
    char               account[CASE_WORD];
    payout_let_t       lets[32];
    unsigned           let_count;
    payout_case_t      cases[CASES_MAX];
    unsigned           count;
    pay_payout_item_t  item;
} payout_table_t;


/* The cases of an adapter; they live until the next call. */
const payout_table_t *payout_table(const pay_payout_adapter_t *adapter);
/* The parcel of the table's one item, with all ids. */
pay_payout_parcel_t payout_parcel(const payout_table_t *table);
pay_payout_account_t payout_account(const payout_table_t *table);
/* The call and the step of an operation; 0 for a hook. */
int payout_call(const char *operation, pay_payout_call_t *call,
    unsigned *step);
/* "done" … "unknown" */
const char *payout_outcome(pay_psp_outcome_t outcome);
/* "paid,failed:account_closed,failed:no_funds!,unknown?" */
void payout_events(const pay_payout_event_t *events, unsigned count,
    char *text, size_t size);


static inline pay_str_t
str(const char *text)
{
    return pay_str_of(text);
}


static inline const pay_currency_t *
currency_of(const char *code)
{
    const pay_currency_t  *currency;

    cr_assert_eq(pay_currency_find(pay_str_of(code), &currency, NULL), PAY_OK,
                 "%s", code);

    return currency;
}


static inline pay_http_answer_t
answered(unsigned status, pay_str_t body)
{
    pay_http_answer_t  answer = answer_blank(PAY_ANSWERED);

    answer.status = status;
    answer.body = body;

    return answer;
}


#define EACH_PROVIDER(adapter)                                                \
    for (const pay_payout_adapter_t *const *row_ = pay_payout_table();        \
         *row_ != NULL && ((adapter) = *row_, 1); row_++)

#define EACH_CASE(row, table)                                                 \
    for ((row) = (table)->cases; (row) < (table)->cases + (table)->count;     \
         (row)++)


#endif /* PAYOUT_WORLD_H */
