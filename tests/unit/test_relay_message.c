/*
 * The relay's messages: their keys and headers, and the rows that they are made
 * of.
 */

#include <criterion/criterion.h>

#include "relay/message.h"

#include <libpq-fe.h>


#define COLUMNS  7

static relay_row_t
row_of(const char *merchant, const char *subject)
{
    return (relay_row_t) {
        .merchant_id = merchant, .subject = subject, .message_id = "evt_1",
        .type = "payment.succeeded"
    };
}


Test(relay_message, a_key_is_merchant_and_subject)
{
    char         key[RELAY_KEY];
    size_t       size;
    relay_row_t  row = row_of("acme", "payment/order-1");

    cr_assert(relay_message_key(&row, key, &size));
    cr_expect_str_eq(key, "acme/payment/order-1");
    cr_expect_eq(size, strlen("acme/payment/order-1"));
}


/* A part of a key is the key of other messages, whose order it would break. */
Test(relay_message, a_key_is_whole_or_none)
{
    char         key[RELAY_KEY], subject[RELAY_KEY + 1] = "";
    size_t       size = 77;
    relay_row_t  row = row_of("acme", subject);

    memset(subject, 's', sizeof(subject));
    subject[RELAY_KEY - 1 - strlen("acme/")] = '\0';
    cr_assert(relay_message_key(&row, key, &size));
    cr_expect_eq(size, RELAY_KEY - 1);

    size = 77;
    memset(subject, 's', sizeof(subject));
    subject[RELAY_KEY - strlen("acme/")] = '\0';
    cr_expect_not(relay_message_key(&row, key, &size));
    cr_expect_eq(size, 77);
}


Test(relay_message, headers_repeat_id_and_type)
{
    size_t          i;
    relay_row_t     row = row_of("acme", "payment/order-1");
    relay_header_t  headers[RELAY_HEADERS];

    static const char  *const expected[RELAY_HEADERS][2] = {
        { "content-type", "application/cloudevents+json; charset=UTF-8" },
        { "ce_id", "evt_1" },
        { "ce_type", "payment.succeeded" }
    };

    relay_message_headers(&row, headers);

    for (i = 0; i < RELAY_HEADERS; i++) {
        cr_expect_str_eq(headers[i].name, expected[i][0]);
        cr_expect_str_eq(headers[i].value, expected[i][1]);
        cr_expect_eq(headers[i].size, strlen(expected[i][1]));
    }
}


/* As pay_relay.claim_messages answers; a body may be of any length. */
static PGresult *
claimed(void)
{
    int        i;
    PGresult  *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    char       names[COLUMNS][12] = {
        "outcome", "position", "merchant_id", "message_id", "type", "subject",
        "body"
    };
    char       values[COLUMNS][20] = {
        "found", "9007199254740993", "acme", "evt_1", "payment.failed",
        "payment/o1", "{\"a\":\"\303\244\"}"
    };
    PGresAttDesc  columns[COLUMNS];

    memset(columns, 0, sizeof(columns));

    for (i = 0; i < COLUMNS; i++) {
        columns[i].name = names[i];
    }

    cr_assert(PQsetResultAttrs(result, COLUMNS, columns));

    for (i = 0; i < COLUMNS; i++) {
        cr_assert(PQsetvalue(result, 0, i, values[i],
                             (int) strlen(values[i])));
    }

    return result;
}


Test(relay_message, a_row_is_read_by_the_order_of_its_columns)
{
    relay_row_t   row;
    relay_rows_t  rows = { claimed(), 1 };

    row = relay_rows_at(&rows, 0);
    cr_expect_eq(row.position, 9007199254740993);
    cr_expect_str_eq(row.merchant_id, "acme");
    cr_expect_str_eq(row.message_id, "evt_1");
    cr_expect_str_eq(row.type, "payment.failed");
    cr_expect_str_eq(row.subject, "payment/o1");
    cr_expect_str_eq(row.body, "{\"a\":\"\303\244\"}");
    cr_expect_eq(row.body_size, strlen(row.body));

    relay_rows_free(&rows);
    cr_expect_null(rows.result);
    cr_expect_eq(rows.count, 0);
    relay_rows_free(&rows);
}
