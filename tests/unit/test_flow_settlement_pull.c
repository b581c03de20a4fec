/*
 * A look at the settlements of a PSP's API: they are pulled page by page, the
 * oldest first, and read again for some days, since the PSP may alter them.
 */

#include "flow_driver.h"

#include "pay_settle.h"


#define OWNER  "host:1:2"
#define SEED   "fedcba9876543210fedcba9876543210"
#define NEXT   "0123456789abcdef0123456789abcdef"


static pay_settlement_row_t
opened(void)
{
    return (pay_settlement_row_t) {
        .file_id = 7, .attempt = 3, .format = PAY_STR("stripe"),
        .state = PAY_STR("received")
    };
}


static void
rows_checked(world_t *world)
{
    expect_db(world, PAY_OP_CHECK_SETTLEMENT);
    world_result(world, PAY_OUTCOME_CHECKED, NULL);
}


#define PAYOUT(id, created)                                                   \
    "{\"id\":\"" id "\",\"object\":\"payout\",\"created\":" created          \
    ",\"status\":\"paid\",\"reconciliation_status\":\"completed\"}"
#define LIST(more, items)                                                     \
    "{\"object\":\"list\",\"has_more\":" more ",\"data\":[" items "]}"
#define WHOLE_PAYOUT                                                          \
    "{\"id\":\"po_1\",\"object\":\"payout\",\"amount\":970,"                   \
    "\"currency\":\"eur\",\"created\":1795236000,\"status\":\"paid\","         \
    "\"arrival_date\":1795236000,\"balance_transaction\":\"txn_p\"}"
#define CHARGE                                                                \
    "{\"id\":\"txn_1\",\"object\":\"balance_transaction\",\"amount\":1000,"    \
    "\"fee\":30,\"net\":970,\"currency\":\"eur\",\"created\":1795236000,"      \
    "\"type\":\"charge\",\"reporting_category\":\"charge\",\"source\":{"       \
    "\"id\":\"ch_1\",\"payment_intent\":\"pi_1\",\"metadata\":{}}}"


static void
page_of(world_t *world, const char *body)
{
    cr_assert_eq(world->effect.kind, PAY_DO_HTTP);
    cr_expect_eq(world->effect.call, PAY_CALL_SETTLEMENT);
    world_http(world, answered(200, pay_str_of(body)));
}


static void
pull_due_with(world_t *world, pay_settle_source_t *pulled, int64_t balance)
{
    world_open(world);
    *pulled = (pay_settle_source_t) {
        .name = PAY_STR("stripe"), .format = PAY_STR("stripe"),
        .merchant_id = PAY_STR("acme"), .psp = &world->psps[WORLD_STRIPE],
        .way = PAY_SETTLE_BY_PULL, .interval_ms = 3600000
    };
    world_made(world, pay_flow_settlement(&world->flow, pulled,
                                          PAY_STR(OWNER), PAY_STR(SEED)));
    world_start(world);
    expect_arg(world, begin_look, way, "pull");
    expect_arg(world, begin_look, psp, "stripe");
    world_result(world, PAY_OUTCOME_DUE,
                 &(pay_look_row_t) { NOW - 10000, balance, 0 });
}


static void
pull_due(world_t *world, pay_settle_source_t *pulled)
{
    pull_due_with(world, pulled, 0);
}


static void
nothing_again(world_t *world)
{
    expect_arg(world, get_reread, source, "stripe");
    world_result(world, PAY_OUTCOME_NOT_FOUND, NULL);
}


Test(pay_flow_settlement_pull, settlements_are_pulled_the_oldest_first)
{
    world_t               world;
    pay_settle_source_t   pulled;
    pay_settlement_row_t  row = opened();

    row.format = PAY_STR("stripe");
    pull_due(&world, &pulled);
    page_of(&world, LIST("true", PAYOUT("po_2", "1795236500")));
    page_of(&world, LIST("false", PAYOUT("po_1", "1795236000")));

    expect_arg(&world, open_settlement, source, "stripe");
    expect_arg(&world, open_settlement, name, "po_1");
    cr_expect_eq(asked(&world, open_settlement)->sha256.len, 32);
    world_result(&world, PAY_OUTCOME_OPENED, &row);
    page_of(&world, WHOLE_PAYOUT);
    page_of(&world, LIST("false", CHARGE));

    /* the second one is the payout's own, which the list does not have */
    cr_assert_eq(asked(&world, stage_settlement)->rows_count, 2);
    expect_text(asked(&world, stage_settlement)->rows->row_key, "txn_1");
    expect_text(asked(&world, stage_settlement)->rows->parent_ref, "pi_1");
    expect_text(asked(&world, stage_settlement)->rows->payout_ref, "po_1");
    world_result(&world, PAY_OUTCOME_STAGED, NULL);

    rows_checked(&world);
    cr_expect_eq(asked(&world, prove_settlement)->digest.len, 32);
    world_result(&world, PAY_OUTCOME_PROVEN, NULL);
    world_result(&world, PAY_OUTCOME_BOOKED, NULL);

    expect_arg(&world, open_settlement, name, "po_2");
    cr_assert_not_null(world.flow.settled);
    cr_assert_not_null(world.flow.settled->state);
    cr_expect_str_eq(world.flow.settled->state, "booked");
    cr_expect_eq(world.flow.settled->rows, 2);
    row.state = PAY_STR("booked");
    world_result(&world, PAY_OUTCOME_KNOWN, &row);
    nothing_again(&world);
    expect_arg(&world, end_look, code, NULL);
    cr_expect_eq(asked(&world, end_look)->files, 1);
    cr_expect_eq(asked(&world, end_look)->again, 0);
    cr_expect(asked(&world, end_look)->seen_s.is_set);
    cr_expect_eq(asked(&world, end_look)->seen_s.number, NOW);
    world_result(&world, PAY_OUTCOME_STORED, NULL);
    cr_expect_eq(world.effect.kind, PAY_DO_DONE);
    world_close(&world);
}


/* the position stays, and the next look begins again */
Test(pay_flow_settlement_pull, a_pull_that_breaks_off_is_begun_again)
{
    world_t               world;
    pay_settle_source_t   pulled;
    pay_settlement_row_t  row = opened();

    row.format = PAY_STR("stripe");
    pull_due(&world, &pulled);
    world_no_answer(&world, PAY_SENT_SOME, PAY_FAILURE_TIMEOUT);
    expect_arg(&world, end_look, code, "timeout");
    cr_expect_not(asked(&world, end_look)->seen_s.is_set);
    world_close(&world);

    pull_due(&world, &pulled);
    page_of(&world, LIST("false", PAYOUT("po_1", "1795236000")));
    world_result(&world, PAY_OUTCOME_OPENED, &row);
    page_of(&world, WHOLE_PAYOUT);
    world_http(&world, answered(500, PAY_STR("{}")));
    expect_arg(&world, end_look, code, "http-error");
    cr_expect_eq(asked(&world, end_look)->again, 0);
    cr_expect_not(asked(&world, end_look)->seen_s.is_set);
    world_close(&world);
}


#define BALANCE                                                               \
    "{\"object\":\"balance\",\"available\":[{\"amount\":120,"               \
    "\"currency\":\"eur\"},{\"amount\":-7,\"currency\":\"usd\"}],"            \
    "\"pending\":[{\"amount\":30,\"currency\":\"eur\"}],"                   \
    "\"risk_reserved\":{\"available\":[{\"amount\":5,"                       \
    "\"currency\":\"usd\"}]}}"


Test(pay_flow_settlement_pull, a_pull_ends_with_the_balance_of_the_psp)
{
    world_t                       world;
    pay_settle_source_t           pulled;
    const pay_psp_balance_row_t  *rows;

    pull_due_with(&world, &pulled, 1);
    page_of(&world, LIST("false", ""));
    nothing_again(&world);
    page_of(&world, BALANCE);

    expect_arg(&world, store_balance, source, "stripe");
    expect_arg(&world, store_balance, owner, OWNER);
    expect_arg(&world, store_balance, code, NULL);
    cr_expect_eq(asked(&world, store_balance)->is_complete, 1);
    cr_assert_eq(asked(&world, store_balance)->rows_count, 2);
    rows = asked(&world, store_balance)->rows;
    expect_text(rows[0].currency, "EUR");
    cr_expect_eq(rows[0].available_minor, 120);
    cr_expect_eq(rows[0].pending_minor, 30);
    cr_expect_not(rows[0].reserved_minor.is_set);
    expect_text(rows[1].currency, "USD");
    cr_expect_eq(rows[1].available_minor, -7);
    cr_expect_eq(rows[1].reserved_minor.number, 5);
    world_result(&world, PAY_OUTCOME_STORED, NULL);

    expect_arg(&world, end_look, code, NULL);
    cr_expect_eq(asked(&world, end_look)->seen_s.number, NOW);
    cr_expect_eq(asked(&world, end_look)->again, 0);
    world_close(&world);
}


/* the settlements were pulled: the next look goes on behind them */
Test(pay_flow_settlement_pull, a_balance_that_says_nothing_holds_no_pull_up)
{
    world_t              world;
    pay_settle_source_t  pulled;

    pull_due_with(&world, &pulled, 1);
    page_of(&world, LIST("false", ""));
    nothing_again(&world);
    world_http(&world, answered(403, PAY_STR("{}")));
    expect_arg(&world, store_balance, code, "http-error");
    cr_expect_eq(asked(&world, store_balance)->rows_count, 0);
    world_result(&world, PAY_OUTCOME_STORED, NULL);
    expect_arg(&world, end_look, code, "http-error");
    cr_expect_eq(asked(&world, end_look)->seen_s.number, NOW);
    world_close(&world);

    pull_due_with(&world, &pulled, 1);
    page_of(&world, LIST("false", ""));
    nothing_again(&world);
    page_of(&world, "{\"object\":\"balance\"}");
    expect_arg(&world, store_balance, code, "not-readable");
    world_result(&world, PAY_OUTCOME_GONE, NULL);
    expect_arg(&world, end_look, code, "overtaken");
    cr_expect_not(asked(&world, end_look)->seen_s.is_set);
    world_close(&world);

    /* a pull that has failed asks for nothing */
    pull_due_with(&world, &pulled, 1);
    world_no_answer(&world, PAY_SENT_SOME, PAY_FAILURE_TIMEOUT);
    expect_arg(&world, end_look, code, "timeout");
    world_close(&world);
}


#define REFUND                                                                \
    "{\"id\":\"txn_2\",\"object\":\"balance_transaction\",\"amount\":-200,"    \
    "\"fee\":0,\"net\":-200,\"currency\":\"eur\",\"created\":1795236000,"      \
    "\"type\":\"refund\",\"reporting_category\":\"refund\",\"source\":{"       \
    "\"id\":\"re_1\",\"payment_intent\":\"pi_1\",\"metadata\":{}}}"
#define OTHER_PAYOUT                                                          \
    "{\"id\":\"po_1\",\"object\":\"payout\",\"amount\":770,"                   \
    "\"currency\":\"eur\",\"created\":1795236000,\"status\":\"paid\","         \
    "\"arrival_date\":1795236000,\"balance_transaction\":\"txn_p\"}"
/* the bank's number comes days later */
#define TRACED_PAYOUT                                                         \
    "{\"id\":\"po_1\",\"object\":\"payout\",\"amount\":770,"                   \
    "\"currency\":\"eur\",\"created\":1795236000,\"status\":\"paid\","         \
    "\"trace_id\":{\"status\":\"supported\",\"value\":\"T123456789\"},"        \
    "\"arrival_date\":1795236000,\"balance_transaction\":\"txn_p\"}"


/* the digest with which these answers are proven */
static pay_str_t
digest_of(const char *payout, const char *items,
    unsigned char digest[PAY_SHA256_SIZE])
{
    world_t               world;
    pay_str_t             said;
    pay_settle_source_t   pulled;
    pay_settlement_row_t  row = opened();

    pull_due(&world, &pulled);
    page_of(&world, LIST("false", PAYOUT("po_1", "1795236000")));
    world_result(&world, PAY_OUTCOME_OPENED, &row);
    page_of(&world, payout);
    page_of(&world, items);
    world_result(&world, PAY_OUTCOME_STAGED, NULL);
    rows_checked(&world);
    said = asked(&world, prove_settlement)->digest;
    cr_assert_eq(said.len, PAY_SHA256_SIZE);
    memcpy(digest, said.data, said.len);
    world_close(&world);

    return (pay_str_t) { PAY_SHA256_SIZE, digest };
}


/* po_1 is due to be read again; its rows had that digest */
static void
again_due(world_t *world, pay_settle_source_t *pulled, pay_str_t digest,
    int64_t is_begun)
{
    pull_due(world, pulled);
    page_of(world, LIST("false", ""));
    expect_arg(world, get_reread, source, "stripe");
    world_result(world, PAY_OUTCOME_FOUND, &(pay_reread_row_t) {
        .file_id = 5, .name = PAY_STR("po_1"), .digest = digest,
        .next_sha256 = PAY_STR(NEXT), .is_begun = is_begun,
        .format = PAY_STR("stripe")
    });
}


static void
again_ended(world_t *world, int64_t pause_ms)
{
    cr_expect_eq(asked(world, end_reread)->file_id, 5);
    cr_expect_eq(asked(world, end_reread)->pause_ms, pause_ms);
    world_result(world, PAY_OUTCOME_STORED, NULL);
}


#define DAY_MS   86400000
#define HOUR_MS  3600000
#define ITEMS    LIST("false", CHARGE "," REFUND)


Test(pay_flow_settlement_pull, the_same_rows_in_any_order_are_nothing_new)
{
    size_t               i;
    world_t              world;
    pay_str_t            digest;
    pay_settle_source_t  pulled;
    unsigned char        bytes[PAY_SHA256_SIZE];

    static const char *const  payouts[] = { OTHER_PAYOUT, TRACED_PAYOUT };

    digest = digest_of(OTHER_PAYOUT, ITEMS, bytes);

    for (i = 0; i < 2; i++) {
        again_due(&world, &pulled, digest, 0);
        page_of(&world, payouts[i]);
        page_of(&world, LIST("true", REFUND));
        page_of(&world, LIST("false", CHARGE));
        again_ended(&world, DAY_MS);
        nothing_again(&world);
        expect_arg(&world, end_look, code, NULL);
        cr_expect_eq(asked(&world, end_look)->files, 0);
        cr_expect_eq(asked(&world, end_look)->again, 0);
        cr_expect_eq(asked(&world, end_look)->seen_s.number, NOW);
        world_close(&world);
    }
}


/* nothing is kept by the reading that compares */
Test(pay_flow_settlement_pull, other_rows_are_pulled_as_the_next_version)
{
    world_t               world;
    pay_str_t             digest;
    pay_settle_source_t   pulled;
    pay_settlement_row_t  row = opened();
    unsigned char         bytes[PAY_SHA256_SIZE];

    digest = digest_of(OTHER_PAYOUT, ITEMS, bytes);
    again_due(&world, &pulled, digest, 0);
    page_of(&world, WHOLE_PAYOUT);
    page_of(&world, LIST("false", CHARGE));

    expect_arg(&world, open_settlement, source, "stripe");
    expect_arg(&world, open_settlement, name, "po_1");
    expect_arg(&world, open_settlement, sha256, NEXT);
    world_result(&world, PAY_OUTCOME_OPENED, &row);
    page_of(&world, WHOLE_PAYOUT);
    page_of(&world, LIST("false", CHARGE));
    cr_assert_eq(asked(&world, stage_settlement)->rows_count, 2);
    world_result(&world, PAY_OUTCOME_STAGED, NULL);
    rows_checked(&world);
    cr_expect_eq(asked(&world, prove_settlement)->rows, 2);
    cr_expect_neq(memcmp(asked(&world, prove_settlement)->digest.data, bytes,
                         sizeof(bytes)), 0);
    world_result(&world, PAY_OUTCOME_PROVEN, NULL);
    world_result(&world, PAY_OUTCOME_BOOKED, NULL);
    cr_expect_str_eq(world.flow.settled->state, "booked");
    again_ended(&world, DAY_MS);
    nothing_again(&world);
    cr_expect_eq(asked(&world, end_look)->files, 1);
    world_close(&world);
}


/* whatever the PSP says by now: half of it may be booked */
Test(pay_flow_settlement_pull, a_version_that_was_left_is_gone_on_with)
{
    world_t               world;
    pay_str_t             digest;
    pay_settle_source_t   pulled;
    pay_settlement_row_t  row = opened();
    unsigned char         bytes[PAY_SHA256_SIZE];

    digest = digest_of(OTHER_PAYOUT, ITEMS, bytes);
    again_due(&world, &pulled, digest, 1);
    expect_arg(&world, open_settlement, sha256, NEXT);
    world_result(&world, PAY_OUTCOME_CLEARING, &row);
    expect_arg(&world, open_settlement, sha256, NEXT);
    world_result(&world, PAY_OUTCOME_AGAIN, &row);
    page_of(&world, OTHER_PAYOUT);
    page_of(&world, ITEMS);
    cr_expect_eq(asked(&world, stage_settlement)->rows_count, 3);
    world_close(&world);

    /* another worker has ended it */
    again_due(&world, &pulled, digest, 1);
    world_result(&world, PAY_OUTCOME_KNOWN, &row);
    again_ended(&world, DAY_MS);
    nothing_again(&world);
    expect_db(&world, PAY_OP_END_LOOK);
    world_close(&world);
}


/* an altered settlement whose sums do not hold is refused as a version, once a
 * day, and so is one that cannot be read any more */
Test(pay_flow_settlement_pull, a_version_that_does_not_hold_is_refused)
{
    size_t                i;
    world_t               world;
    pay_str_t             digest;
    pay_settle_source_t   pulled;
    pay_settlement_row_t  row = opened();
    unsigned char         bytes[PAY_SHA256_SIZE];

    static const char *const  items[] = {
        LIST("false", CHARGE), "{\"object\":\"list\",\"has_more\":false,"
        "\"data\":[{\"object\":\"balance_transaction\"}]}"
    };

    digest = digest_of(OTHER_PAYOUT, ITEMS, bytes);

    for (i = 0; i < 2; i++) {
        again_due(&world, &pulled, digest, 0);
        page_of(&world, OTHER_PAYOUT);
        page_of(&world, items[i]);
        expect_arg(&world, open_settlement, sha256, NEXT);
        world_result(&world, PAY_OUTCOME_OPENED, &row);
        page_of(&world, OTHER_PAYOUT);
        page_of(&world, items[i]);

        if (i == 0) {
            world_result(&world, PAY_OUTCOME_STAGED, NULL);
        }

        expect_db(&world, PAY_OP_REFUSE_SETTLEMENT);
        world_result(&world, PAY_OUTCOME_REFUSED, NULL);
        cr_expect_str_eq(world.flow.settled->state, "refused");
        again_ended(&world, DAY_MS);
        nothing_again(&world);
        world_close(&world);
    }
}


/* the next one is read in another look, the balance in this one */
Test(pay_flow_settlement_pull, one_that_cannot_be_read_again_holds_nothing_up)
{
    world_t              world;
    pay_str_t            digest;
    pay_settle_source_t  pulled;
    unsigned char        bytes[PAY_SHA256_SIZE];

    digest = digest_of(OTHER_PAYOUT, ITEMS, bytes);
    again_due(&world, &pulled, digest, 0);
    page_of(&world, OTHER_PAYOUT);
    world_http(&world, answered(404, PAY_STR("{}")));
    again_ended(&world, HOUR_MS);
    expect_arg(&world, end_look, code, "http-error");
    cr_expect_eq(asked(&world, end_look)->again, 0);
    cr_expect_eq(asked(&world, end_look)->seen_s.number, NOW);
    world_close(&world);

    again_due(&world, &pulled, digest, 0);
    world_no_answer(&world, PAY_SENT_SOME, PAY_FAILURE_TIMEOUT);
    world_result(&world, PAY_OUTCOME_STORED, NULL);
    expect_arg(&world, end_look, code, "timeout");
    world_close(&world);
}


/* what was not stored is found again */
Test(pay_flow_settlement_pull, what_is_to_be_read_again_may_not_be_known)
{
    world_t              world;
    pay_str_t            digest;
    pay_settle_source_t  pulled;
    unsigned char        bytes[PAY_SHA256_SIZE];

    pull_due(&world, &pulled);
    page_of(&world, LIST("false", ""));
    world_db_failed(&world, PAY_DB_UNKNOWN);
    expect_arg(&world, end_look, code, "not-asked");
    world_close(&world);

    digest = digest_of(OTHER_PAYOUT, ITEMS, bytes);
    again_due(&world, &pulled, digest, 0);
    page_of(&world, OTHER_PAYOUT);
    page_of(&world, ITEMS);
    world_db_failed(&world, PAY_DB_UNKNOWN);
    expect_arg(&world, end_look, code, "not-stored");
    cr_expect_not(asked(&world, end_look)->seen_s.is_set);
    world_close(&world);
}


/* the memory of readers adds up: the next look goes on at once */
Test(pay_flow_settlement_pull, a_look_reads_a_bounded_number_again)
{
    unsigned             i;
    world_t              world;
    pay_str_t            digest;
    pay_settle_source_t  pulled;
    unsigned char        bytes[PAY_SHA256_SIZE];

    digest = digest_of(OTHER_PAYOUT, ITEMS, bytes);
    again_due(&world, &pulled, digest, 0);

    for (i = 1; i <= 32; i++) {
        page_of(&world, OTHER_PAYOUT);
        page_of(&world, ITEMS);
        again_ended(&world, DAY_MS);

        if (i < 32) {
            world_result(&world, PAY_OUTCOME_FOUND, &(pay_reread_row_t) {
                .file_id = 5, .name = PAY_STR("po_1"), .digest = digest,
                .next_sha256 = PAY_STR(NEXT), .format = PAY_STR("stripe")
            });
        }
    }

    expect_arg(&world, end_look, code, NULL);
    cr_expect_eq(asked(&world, end_look)->again, 1);
    cr_expect_eq(asked(&world, end_look)->seen_s.number, NOW);
    world_close(&world);
}


Test(pay_flow_settlement_pull, a_worker_that_ends_reads_nothing_again)
{
    world_t              world;
    pay_str_t            digest;
    pay_settle_source_t  pulled;
    unsigned char        bytes[PAY_SHA256_SIZE];

    digest = digest_of(OTHER_PAYOUT, ITEMS, bytes);
    again_due(&world, &pulled, digest, 0);
    world.is_stopping = 1;
    page_of(&world, OTHER_PAYOUT);
    expect_arg(&world, end_look, code, "stopped");
    cr_expect_eq(asked(&world, end_look)->again, 1);
    world_close(&world);
}
