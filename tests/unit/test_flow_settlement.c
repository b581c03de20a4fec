/*
 * A look at a source of settlement files: a file is staged piece by piece,
 * proven and booked, or refused whole; whatever ends early is left to the next
 * look.
 */

#include "flow_driver.h"

#include "pay_settle.h"
#include "pay_settle_copy.h"

#include <stdio.h>


#define OWNER   "host:1:2"
#define SEED    "fedcba9876543210fedcba9876543210"
#define DIGEST  "0123456789abcdef0123456789abcdef"
#define HEADER                                                                \
    "row_id,type,psp_ref,our_ref,occurred_at,gross,fee,net,currency\n"
#define SALE    "r1,sale,pay_1,ord-1,2026-11-20T10:00:00Z,12.00,-0.30,11.70," \
                "EUR\n"
#define FEE     "r2,fee,,,2026-11-20T11:00:00Z,0.00,-0.20,-0.20,EUR\n"
#define TOTAL   "total,2,,,,12.00,-0.50,11.50,EUR\n"
#define WHOLE   HEADER SALE FEE TOTAL


static const pay_settle_source_t  source = {
    .name = pay_string("inbox"), .format = pay_string("generic"),
    .merchant_id = pay_string("acme"), .interval_ms = 10000
};


static void
look_start(world_t *world)
{
    world_made(world, pay_flow_settlement(&world->flow, &source,
                                          PAY_STR(OWNER), PAY_STR(SEED)));
    world_start(world);
}


static void
look_due(world_t *world)
{
    world_open(world);
    look_start(world);
    expect_arg(world, begin_look, source, "inbox");
    expect_arg(world, begin_look, format, "generic");
    expect_arg(world, begin_look, merchant_id, "acme");
    expect_arg(world, begin_look, psp, NULL);
    expect_arg(world, begin_look, way, "dir");
    expect_arg(world, begin_look, owner, OWNER);
    expect_arg(world, begin_look, keep, "digest");
    cr_expect_eq(asked(world, begin_look)->interval_ms, 10000);
    world_result(world, PAY_OUTCOME_DUE, &(pay_look_row_t) { NOW, 0, 0 });
}


static void
expect_file(const world_t *world, pay_file_do_t what)
{
    cr_assert_eq(world->effect.kind, PAY_DO_FILE);
    cr_expect_eq(world->effect.file, what);
    cr_expect_eq(world->effect.settlement, &source);
}


static pay_settlement_row_t
opened(void)
{
    return (pay_settlement_row_t) {
        .file_id = 7, .attempt = 3, .format = PAY_STR("generic"),
        .state = PAY_STR("received")
    };
}


static void
found(world_t *world)
{
    pay_settlement_row_t  row = opened();

    expect_file(world, PAY_FILE_NEXT);
    world_piece(world, (pay_file_t) { .name = PAY_STR("day.csv"),
                                      .sha256 = PAY_STR(DIGEST) });
    expect_arg(world, open_settlement, source, "inbox");
    expect_arg(world, open_settlement, name, "day.csv");
    expect_arg(world, open_settlement, sha256, DIGEST);
    world_result(world, PAY_OUTCOME_OPENED, &row);
}


/* a file is found, opened, and its first bytes are asked for */
static void
look_found(world_t *world)
{
    look_due(world);
    found(world);
    expect_file(world, PAY_FILE_READ);
}


static void
piece(world_t *world, const char *bytes)
{
    expect_file(world, PAY_FILE_READ);
    world_piece(world, (pay_file_t) { .bytes = pay_str_of(bytes) });
}


static void
end_of_file(world_t *world, int is_same)
{
    expect_file(world, PAY_FILE_READ);
    world_piece(world, (pay_file_t) { .is_end = 1, .is_same = is_same });
}


/* all rows, in two pieces */
static void
rows_checked(world_t *world)
{
    cr_expect_eq(asked(world, check_settlement)->file_id, 7);
    cr_expect_eq(asked(world, check_settlement)->attempt, 3);
    cr_expect_leq(asked(world, check_settlement)->rows, 5000);
    world_result(world, PAY_OUTCOME_AGAIN, NULL);
    expect_db(world, PAY_OP_CHECK_SETTLEMENT);
    world_result(world, PAY_OUTCOME_CHECKED, NULL);
}


static void
look_over(world_t *world, const char *code, int64_t files, int64_t again)
{
    expect_arg(world, end_look, source, "inbox");
    expect_arg(world, end_look, owner, OWNER);
    expect_arg(world, end_look, code, code);
    cr_expect_eq(asked(world, end_look)->files, files);
    cr_expect_eq(asked(world, end_look)->again, again);
    world_result(world, PAY_OUTCOME_STORED, NULL);
    cr_expect_eq(world->effect.kind, PAY_DO_DONE);
    world_close(world);
}


Test(pay_flow_settlement, a_file_is_staged_proven_and_booked)
{
    world_t                           world;
    const pay_settled_t              *settled;
    const pay_settlement_line_row_t  *line;

    look_found(&world);
    piece(&world, HEADER SALE "r2,fee,,");

    cr_expect_eq(asked(&world, stage_settlement)->file_id, 7);
    cr_expect_eq(asked(&world, stage_settlement)->attempt, 3);
    cr_assert_eq(asked(&world, stage_settlement)->rows_count, 1);
    line = asked(&world, stage_settlement)->rows;
    cr_expect_eq(line->line, 1);
    expect_text(line->row_key, "r1");
    expect_text(line->kind, "sale");
    expect_text(line->psp_ref, "pay_1");
    expect_text(line->our_ref, "ord-1");
    expect_text(line->currency, "EUR");
    cr_expect_eq(line->gross_minor, 1200);
    cr_expect_eq(line->fee_minor, -30);
    cr_expect_eq(line->net_minor, 1170);
    cr_expect(line->occurred_us.is_set);
    cr_expect_not(line->paid_minor.is_set);
    world_result(&world, PAY_OUTCOME_STAGED, NULL);

    piece(&world, FEE + sizeof("r2,fee,,") - 1);
    cr_assert_eq(asked(&world, stage_settlement)->rows_count, 1);
    cr_expect_eq(asked(&world, stage_settlement)->rows->line, 2);
    world_result(&world, PAY_OUTCOME_STAGED, NULL);

    piece(&world, TOTAL);
    end_of_file(&world, 1);
    rows_checked(&world);
    cr_expect_eq(asked(&world, prove_settlement)->file_id, 7);
    cr_expect_eq(asked(&world, prove_settlement)->attempt, 3);
    cr_expect_eq(asked(&world, prove_settlement)->rows, 2);
    expect_arg(&world, prove_settlement, stated,
               "{\"EUR\":{\"rows\":2,\"gross\":1200,\"fee\":-50,\"tax\":0,"
               "\"net\":1150}}");
    world_result(&world, PAY_OUTCOME_PROVEN, NULL);

    cr_expect_eq(asked(&world, advance_settlement)->file_id, 7);
    world_result(&world, PAY_OUTCOME_BOOKING, NULL);
    expect_db(&world, PAY_OP_ADVANCE_SETTLEMENT);
    world_result(&world, PAY_OUTCOME_BOOKED, NULL);

    expect_file(&world, PAY_FILE_BOOKED);
    settled = world.flow.settled;
    cr_assert_not_null(settled);
    cr_expect_str_eq(settled->state, "booked");
    cr_expect_eq(settled->file_id, 7);
    cr_expect_eq(settled->rows, 2);
    cr_expect_null(settled->why);
    world_piece(&world, (pay_file_t) { .is_end = 0 });
    look_over(&world, NULL, 1, 1);
}


static void
copied_due(world_t *world, pay_settle_source_t *copied,
    const pay_keyring_t *ring)
{
    pay_settlement_row_t  row = opened();

    *copied = source;
    copied->keyring = ring;
    world_open(world);
    world_made(world, pay_flow_settlement(&world->flow, copied,
                                          PAY_STR(OWNER), PAY_STR(SEED)));
    world_start(world);
    expect_arg(world, begin_look, keep, "copy");
    world_result(world, PAY_OUTCOME_DUE, &(pay_look_row_t) { NOW, 0, 0 });
    world_piece(world, (pay_file_t) { .name = PAY_STR("day.csv"),
                                      .sha256 = PAY_STR(DIGEST) });
    world_result(world, PAY_OUTCOME_OPENED, &row);
}


static pay_keyring_t
a_ring(void)
{
    pay_keyring_t  ring;

    cr_assert_eq(pay_keyring_read(PAY_STR(
        "new AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="), &ring, NULL),
        PAY_OK);

    return ring;
}


/* the plain text of the next piece; returns its length */
static size_t
expect_piece(world_t *world, const pay_keyring_t *ring, int64_t number,
    int is_last, unsigned char *plain)
{
    size_t                             len;
    pay_settle_piece_t                 piece;
    const pay_settlement_piece_row_t  *row;

    cr_assert_eq(asked(world, keep_settlement)->pieces_count, 1);
    cr_expect_eq(asked(world, keep_settlement)->file_id, 7);
    cr_expect_eq(asked(world, keep_settlement)->attempt, 3);
    row = asked(world, keep_settlement)->pieces;
    cr_expect_eq(row->number, number);
    cr_expect_eq(row->is_last, is_last);
    expect_text(row->kid, "new");
    cr_assert_eq(row->nonce.len, PAY_KEYRING_NONCE);

    piece = (pay_settle_piece_t) {
        .kid = row->kid, .number = number, .is_last = is_last,
        .bytes = row->bytes
    };
    memcpy(piece.nonce, row->nonce.data, sizeof(piece.nonce));
    cr_assert_eq(pay_settle_copy_open(ring, (const unsigned char *) DIGEST,
                                      &piece, plain, &len), PAY_OK);

    return len;
}


Test(pay_flow_settlement, a_copy_is_kept_behind_the_last_byte)
{
    world_t                world;
    pay_keyring_t          ring = a_ring();
    unsigned char          plain[PAY_COPY_PIECE];
    pay_settle_source_t    copied;

    copied_due(&world, &copied, &ring);
    world_piece(&world, (pay_file_t) { .bytes = PAY_STR(HEADER SALE) });
    cr_assert_eq(asked(&world, stage_settlement)->rows_count, 1);
    world_result(&world, PAY_OUTCOME_STAGED, NULL);
    world_piece(&world, (pay_file_t) { .bytes = PAY_STR(FEE TOTAL) });
    world_result(&world, PAY_OUTCOME_STAGED, NULL);
    world_piece(&world, (pay_file_t) { .is_end = 1, .is_same = 1 });

    cr_expect_eq(expect_piece(&world, &ring, 1, 1, plain),
                 sizeof(WHOLE) - 1);
    cr_expect_arr_eq(plain, WHOLE, sizeof(WHOLE) - 1);
    world_result(&world, PAY_OUTCOME_KEPT, NULL);
    rows_checked(&world);
    world_close(&world);
}


/* The rows that were read with a full piece are staged behind it, and no nonce
 * comes twice. */
Test(pay_flow_settlement, a_full_piece_is_kept_before_its_rows_are_staged)
{
    size_t                 i, n, len = 0;
    world_t                world;
    pay_str_t              line = PAY_STR(FEE);
    pay_keyring_t          ring = a_ring();
    unsigned char         *file, plain[PAY_COPY_PIECE];
    unsigned char          nonce[PAY_KEYRING_NONCE];
    pay_settle_source_t    copied;

    copied_due(&world, &copied, &ring);
    file = pay_alloc(world.flow.arena, 2 * PAY_COPY_PIECE);
    memcpy(file, HEADER, sizeof(HEADER) - 1);
    for (len = sizeof(HEADER) - 1; len <= PAY_COPY_PIECE; len += line.len) {
        memcpy(file + len, line.data, line.len);
    }

    for (i = 0; i < len; i += n) {
        n = len - i < 60000 ? len - i : 60000;
        world_piece(&world, (pay_file_t) { .bytes = { n, file + i } });

        if (i != 0) {
            cr_expect_eq(expect_piece(&world, &ring, 1, 0, plain),
                         PAY_COPY_PIECE);
            cr_expect_arr_eq(plain, file, PAY_COPY_PIECE);
            memcpy(nonce, asked(&world, keep_settlement)->pieces->nonce.data,
                   sizeof(nonce));
            world_result(&world, PAY_OUTCOME_KEPT, NULL);
        }

        cr_expect_gt(asked(&world, stage_settlement)->rows_count, 100);
        expect_text(asked(&world, stage_settlement)->rows->row_key, "r2");
        world_result(&world, PAY_OUTCOME_STAGED, NULL);
    }

    n = (len - sizeof(HEADER) + 1) / line.len;
    snprintf((char *) file + len, PAY_COPY_PIECE / 2,
             "total,%zu,,,,0.00,-%zu.%zu0,-%zu.%zu0,EUR\n", n, n / 5,
             n % 5 * 2, n / 5, n % 5 * 2);
    n = strlen((char *) file + len);
    world_piece(&world, (pay_file_t) { .bytes = { n, file + len } });
    world_piece(&world, (pay_file_t) { .is_end = 1, .is_same = 1 });

    len += n;
    cr_assert_eq(expect_piece(&world, &ring, 2, 1, plain),
                 len - PAY_COPY_PIECE);
    cr_expect_arr_eq(plain, file + PAY_COPY_PIECE, len - PAY_COPY_PIECE);
    cr_expect_arr_neq(asked(&world, keep_settlement)->pieces->nonce.data,
                      nonce, sizeof(nonce));
    world_result(&world, PAY_OUTCOME_KEPT, NULL);
    rows_checked(&world);
    world_close(&world);
}


/* a file that is not copied is not booked */
Test(pay_flow_settlement, without_its_copy_a_file_goes_no_further)
{
    size_t                 i;
    world_t                world;
    pay_keyring_t          ring = a_ring();
    pay_settle_source_t    copied;

    for (i = 0; i <= DB_FAILURES; i++) {
        copied_due(&world, &copied, &ring);
        world_piece(&world, (pay_file_t) { .bytes = PAY_STR(WHOLE) });
        world_result(&world, PAY_OUTCOME_STAGED, NULL);
        world_piece(&world, (pay_file_t) { .is_end = 1, .is_same = 1 });
        expect_db(&world, PAY_OP_KEEP_SETTLEMENT);

        if (i == DB_FAILURES) {
            world_result(&world, PAY_OUTCOME_INVALID, NULL);
            look_over(&world, "overtaken", 0, 0);

        } else {
            world_db_failed(&world, (pay_db_failure_t) i);
            look_over(&world, "not-stored", 0, 0);
        }
    }
}


Test(pay_flow_settlement, nothing_is_asked_where_there_is_no_file)
{
    world_t  world;

    look_due(&world);
    expect_file(&world, PAY_FILE_NEXT);
    world_piece(&world, (pay_file_t) { .is_end = 0 });
    look_over(&world, NULL, 0, 0);
}


Test(pay_flow_settlement, what_is_not_due_is_left)
{
    size_t   i;
    world_t  world;

    static const struct {
        pay_outcome_t  outcome;
        const char    *said;
    } ends[] = {
        { PAY_OUTCOME_NOT_DUE, "not-due" },
        { PAY_OUTCOME_EXISTS, "exists" },
        { PAY_OUTCOME_INVALID, "invalid" }
    };

    for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        world_open(&world);
        look_start(&world);
        world_result(&world, ends[i].outcome, NULL);
        cr_expect_eq(world.effect.kind, PAY_DO_DONE);
        cr_expect_str_eq(world.flow.outcome, ends[i].said);
        world_close(&world);
    }

    for (i = 0; i < DB_FAILURES; i++) {
        world_open(&world);
        look_start(&world);
        world_db_failed(&world, (pay_db_failure_t) i);
        cr_expect_eq(world.effect.kind, PAY_DO_DONE);
        cr_expect_str_eq(world.flow.outcome, "not-asked");
        world_close(&world);
    }
}


/* a file that another worker has read is booked by both */
static void
look_helps(world_t *world)
{
    world_open(world);
    look_start(world);
    world_result(world, PAY_OUTCOME_BOOKING,
                 &(pay_look_row_t) { 0, 0, 9 });
    cr_expect_eq(asked(world, advance_settlement)->file_id, 9);
}


Test(pay_flow_settlement, a_worker_that_finds_a_file_being_booked_helps)
{
    size_t   i;
    world_t  world;

    static const pay_outcome_t  ends[] = {
        PAY_OUTCOME_BOOKED, PAY_OUTCOME_INVALID, PAY_OUTCOME_NOT_FOUND
    };

    for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        look_helps(&world);
        world_result(&world, PAY_OUTCOME_BOOKING, NULL);
        expect_db(&world, PAY_OP_ADVANCE_SETTLEMENT);
        world_result(&world, ends[i], NULL);
        cr_expect_null(world.flow.settled);
        look_over(&world, NULL, 0, 0);
    }
}


/* the worker that has the look begins the file again, and says so */
Test(pay_flow_settlement, a_helper_whose_step_fails_leaves_quietly)
{
    size_t   i;
    world_t  world;

    for (i = 0; i < DB_FAILURES; i++) {
        look_helps(&world);
        world_db_failed(&world, (pay_db_failure_t) i);
        look_over(&world, NULL, 0, 0);
    }
}


Test(pay_flow_settlement, a_helper_renews_its_own_lease)
{
    world_t  world;

    look_helps(&world);
    world.now_s += 41;
    world_result(&world, PAY_OUTCOME_BOOKING, NULL);
    expect_arg(&world, keep_look, owner, OWNER);
    world_result(&world, PAY_OUTCOME_KEPT, NULL);
    expect_db(&world, PAY_OP_ADVANCE_SETTLEMENT);
    world_result(&world, PAY_OUTCOME_BOOKED, NULL);
    look_over(&world, NULL, 0, 0);
}


/* Page 2 of 3 of a report of PayPal, with one row. */
#define PAGE                                                                  \
    "RH,2026/11/21 04:00:00 -0800,X,ACCT,9\nFH,2\n"                          \
    "SH,2026/11/20 00:00:00 +0100,2026/11/20 23:59:59 +0100,ACCT\n"           \
    "CH,Transaction ID,Invoice ID,PayPal Reference ID,Transaction Event "     \
    "Code,Transaction Completion Date,Transaction Debit or Credit,Gross "     \
    "Transaction Amount,Gross Transaction Currency,Fee Debit or Credit,Fee "  \
    "Amount,Fee Currency\n"                                                   \
    "SB,TX,ord-1,,T0006,2026/11/20 11:00:00 +0100,CR,1200,EUR,DR,50,EUR\n"    \
    "SF,EUR,1200,0,0,50,CR,0,CR,1150,1\nSC,1\nFF,1\n"


static void
page_found(world_t *world, pay_outcome_t outcome)
{
    pay_settlement_row_t  row = opened();

    look_due(world);
    world_piece(world, (pay_file_t) { .name = PAY_STR("STL.02.CSV"),
                                      .sha256 = PAY_STR(DIGEST) });
    row.format = PAY_STR("paypal");
    world_result(world, outcome, &row);
}


/* The file is put where pages wait, and another look goes on with the next one:
 * a page holds up no other file. */
Test(pay_flow_settlement, a_page_of_a_report_waits_for_the_others)
{
    world_t  world;

    page_found(&world, PAY_OUTCOME_OPENED);
    piece(&world, PAGE);
    cr_assert_eq(asked(&world, stage_settlement)->rows_count, 1);
    world_result(&world, PAY_OUTCOME_STAGED, NULL);
    end_of_file(&world, 1);
    rows_checked(&world);
    expect_arg(&world, prove_settlement, batch_key, "ACCT/2026-11-20");
    expect_arg(&world, prove_settlement, page,
               "{\"number\":2,\"last\":false,\"own\":{\"EUR\":{\"rows\":1,"
               "\"in\":1200,\"out\":0,\"fee_in\":0,\"fee_out\":50}},"
               "\"all\":{}}");
    world_result(&world, PAY_OUTCOME_PROVEN, NULL);
    expect_db(&world, PAY_OP_ADVANCE_SETTLEMENT);
    world_result(&world, PAY_OUTCOME_BOOKING, NULL);
    world_result(&world, PAY_OUTCOME_STAGED, NULL);
    expect_file(&world, PAY_FILE_STAGED);
    cr_expect_str_eq(world.flow.settled->state, "staged");
    world_piece(&world, (pay_file_t) { .is_end = 0 });
    look_over(&world, NULL, 1, 1);
}


/* Its worker ended behind the proof: nothing of the file is read once more. */
Test(pay_flow_settlement, a_page_whose_rows_are_there_is_not_read_again)
{
    world_t  world;

    page_found(&world, PAY_OUTCOME_STAGED);
    expect_db(&world, PAY_OP_ADVANCE_SETTLEMENT);
    world_result(&world, PAY_OUTCOME_BOOKED, NULL);
    expect_file(&world, PAY_FILE_BOOKED);
    world_piece(&world, (pay_file_t) { .is_end = 0 });
    look_over(&world, NULL, 1, 1);
}


Test(pay_flow_settlement, pages_that_do_not_hold_together_are_refused)
{
    world_t  world;

    page_found(&world, PAY_OUTCOME_STAGED);
    world_result(&world, PAY_OUTCOME_REFUSED, NULL);
    expect_file(&world, PAY_FILE_REFUSED);
    cr_expect_str_eq(world.flow.settled->why, "sums");
    world_piece(&world, (pay_file_t) { .is_end = 0 });
    look_over(&world, NULL, 1, 1);
}


Test(pay_flow_settlement, known_bytes_are_not_read_again)
{
    world_t               world;
    pay_settlement_row_t  row = opened();

    look_due(&world);
    world_piece(&world, (pay_file_t) { .name = PAY_STR("day.csv"),
                                       .sha256 = PAY_STR(DIGEST) });
    world_result(&world, PAY_OUTCOME_KNOWN, &row);
    expect_file(&world, PAY_FILE_BOOKED);
    cr_expect_str_eq(world.flow.settled->state, "known");
    world_piece(&world, (pay_file_t) { .is_end = 0 });
    look_over(&world, NULL, 1, 1);
}


Test(pay_flow_settlement, a_file_that_cannot_be_read_is_refused_with_its_place)
{
    size_t   i;
    world_t  world;

    static const struct {
        const char  *bytes;
        const char  *why;
        const char  *reason;
    } bad[] = {
        { HEADER "r1,sale,pay_1,,2026-11-20T10:00:00Z,12.00,-0.30,11.00,EUR\n",
          "row-sum", "line 2" },
        { "row_id,type\n", "column-missing", "column psp_ref" },
        { HEADER SALE FEE, "footer-missing", "footer-missing" },
        { HEADER SALE FEE "total,3,,,,12.00,-0.50,11.50,EUR\n",
          "count-differs", "count-differs" }
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        look_found(&world);
        piece(&world, bad[i].bytes);

        if (world.effect.kind == PAY_DO_DB
            && world.effect.op == PAY_OP_STAGE_SETTLEMENT)
        {
            world_result(&world, PAY_OUTCOME_STAGED, NULL);
        }

        if (world.effect.kind == PAY_DO_FILE) {
            end_of_file(&world, 1);
        }

        cr_expect_eq(asked(&world, refuse_settlement)->file_id, 7);
        cr_expect_eq(asked(&world, refuse_settlement)->attempt, 3);
        cr_expect(contains(asked(&world, refuse_settlement)->reason,
                           bad[i].reason), "%.*s",
                  pay_fmt(asked(&world, refuse_settlement)->reason));
        world_result(&world, PAY_OUTCOME_REFUSED, NULL);
        expect_file(&world, PAY_FILE_REFUSED);
        cr_expect_str_eq(world.flow.settled->why, bad[i].why);
        world_piece(&world, (pay_file_t) { .is_end = 0 });
        look_over(&world, NULL, 1, 1);
    }
}


/* and not moved: its new bytes are another file */
Test(pay_flow_settlement, a_file_that_was_changed_meanwhile_is_not_booked)
{
    world_t  world;

    look_found(&world);
    piece(&world, WHOLE);
    world_result(&world, PAY_OUTCOME_STAGED, NULL);
    end_of_file(&world, 0);
    expect_arg(&world, refuse_settlement, reason,
               "it was changed while it was read");
    world_result(&world, PAY_OUTCOME_REFUSED, NULL);
    look_over(&world, "changed", 0, 0);
}


Test(pay_flow_settlement, sums_that_postgresql_does_not_find_refuse_it)
{
    world_t  world;

    look_found(&world);
    piece(&world, WHOLE);
    world_result(&world, PAY_OUTCOME_STAGED, NULL);
    end_of_file(&world, 1);
    rows_checked(&world);
    world_result(&world, PAY_OUTCOME_REFUSED, NULL);
    expect_file(&world, PAY_FILE_REFUSED);
    cr_expect_str_eq(world.flow.settled->why, "sums");
    world_piece(&world, (pay_file_t) { .is_end = 0 });
    look_over(&world, NULL, 1, 1);
}


/* another worker has begun the file again: this one touches nothing more */
Test(pay_flow_settlement, a_worker_that_was_too_slow_lets_go)
{
    world_t  world;

    look_found(&world);
    piece(&world, WHOLE);
    world_result(&world, PAY_OUTCOME_INVALID, NULL);
    look_over(&world, "overtaken", 0, 0);

    look_found(&world);
    piece(&world, WHOLE);
    world_result(&world, PAY_OUTCOME_STAGED, NULL);
    end_of_file(&world, 1);
    world_result(&world, PAY_OUTCOME_INVALID, NULL);
    look_over(&world, "overtaken", 0, 0);

    look_found(&world);
    piece(&world, WHOLE);
    world_result(&world, PAY_OUTCOME_STAGED, NULL);
    end_of_file(&world, 1);
    rows_checked(&world);
    world_result(&world, PAY_OUTCOME_INVALID, NULL);
    look_over(&world, "overtaken", 0, 0);
}


/* of an attempt that broke off */
Test(pay_flow_settlement, rows_that_are_left_are_deleted_piece_by_piece)
{
    world_t               world;
    pay_settlement_row_t  row = opened();

    look_due(&world);
    world_piece(&world, (pay_file_t) { .name = PAY_STR("day.csv"),
                                       .sha256 = PAY_STR(DIGEST) });
    world_result(&world, PAY_OUTCOME_CLEARING, &row);
    expect_arg(&world, open_settlement, source, "inbox");
    expect_arg(&world, open_settlement, name, "day.csv");
    expect_arg(&world, open_settlement, sha256, DIGEST);
    world.now_s += 41;
    world_result(&world, PAY_OUTCOME_CLEARING, &row);
    expect_db(&world, PAY_OP_KEEP_LOOK);
    world_result(&world, PAY_OUTCOME_KEPT, NULL);
    expect_arg(&world, open_settlement, name, "day.csv");
    row.attempt = 6;
    world_result(&world, PAY_OUTCOME_AGAIN, &row);
    piece(&world, WHOLE);
    cr_expect_eq(asked(&world, stage_settlement)->attempt, 6);
    world_close(&world);
}


Test(pay_flow_settlement, the_lease_is_renewed_while_a_file_takes_long)
{
    world_t  world;

    look_found(&world);
    world.now_s += 41;
    piece(&world, WHOLE);
    world_result(&world, PAY_OUTCOME_STAGED, NULL);
    expect_arg(&world, keep_look, source, "inbox");
    expect_arg(&world, keep_look, owner, OWNER);
    cr_expect_gt(asked(&world, keep_look)->lease_ms, 41000);
    world_result(&world, PAY_OUTCOME_KEPT, NULL);
    end_of_file(&world, 1);
    rows_checked(&world);
    world_result(&world, PAY_OUTCOME_PROVEN, NULL);
    world.now_s += 41;
    world_result(&world, PAY_OUTCOME_BOOKING, NULL);
    expect_db(&world, PAY_OP_KEEP_LOOK);
    world_result(&world, PAY_OUTCOME_GONE, NULL);
    look_over(&world, "overtaken", 0, 0);
}


Test(pay_flow_settlement, a_worker_that_ends_leaves_the_rest_to_another)
{
    world_t  world;

    look_found(&world);
    piece(&world, WHOLE);
    world.is_stopping = 1;
    world_result(&world, PAY_OUTCOME_STAGED, NULL);
    look_over(&world, "stopped", 0, 1);

    look_found(&world);
    piece(&world, WHOLE);
    world_result(&world, PAY_OUTCOME_STAGED, NULL);
    end_of_file(&world, 1);
    rows_checked(&world);
    world_result(&world, PAY_OUTCOME_PROVEN, NULL);
    world.is_stopping = 1;
    world_result(&world, PAY_OUTCOME_BOOKING, NULL);
    look_over(&world, "stopped", 0, 1);
}


Test(pay_flow_settlement, what_was_not_stored_is_begun_again_later)
{
    unsigned  i, step;
    world_t   world;

    for (i = 0; i < DB_FAILURES; i++) {
        for (step = 0; step < 5; step++) {
            look_found(&world);
            piece(&world, WHOLE);

            if (step > 0) {
                world_result(&world, PAY_OUTCOME_STAGED, NULL);
                end_of_file(&world, step > 1);
            }

            if (step > 2) {
                world_result(&world, PAY_OUTCOME_CHECKED, NULL);
            }

            if (step > 3) {
                world_result(&world, PAY_OUTCOME_PROVEN, NULL);
            }

            world_db_failed(&world, (pay_db_failure_t) i);
            look_over(&world, "not-stored", 0, 0);
        }
    }
}


Test(pay_flow_settlement, a_file_that_is_gone_or_stuck_is_noted)
{
    world_t               world;
    pay_settlement_row_t  row = opened();

    look_due(&world);
    world_piece(&world, (pay_file_t) { .failure = PAY_FAILURE_UNREADABLE });
    look_over(&world, "unreadable", 0, 0);

    look_found(&world);
    world_piece(&world, (pay_file_t) { .failure = PAY_FAILURE_UNREADABLE });
    look_over(&world, "unreadable", 0, 0);

    look_due(&world);
    world_piece(&world, (pay_file_t) { .name = PAY_STR("day.csv"),
                                       .sha256 = PAY_STR(DIGEST) });
    row.format = PAY_STR("of-a-later-release");
    world_result(&world, PAY_OUTCOME_AGAIN, &row);
    look_over(&world, "format-unknown", 0, 0);

    look_due(&world);
    world_piece(&world, (pay_file_t) { .name = PAY_STR("day.csv"),
                                       .sha256 = PAY_STR(DIGEST) });
    world_result(&world, PAY_OUTCOME_KNOWN, &(pay_settlement_row_t) {
        .file_id = 7, .attempt = 1, .format = PAY_STR("generic"),
        .state = PAY_STR("booked")
    });
    world_piece(&world, (pay_file_t) { .failure = PAY_FAILURE_UNREADABLE });
    look_over(&world, "not-moved", 1, 0);
}


static void
play(world_t *world)
{
    size_t                i;
    pay_settlement_row_t  row = opened();

    static const pay_outcome_t  rest[] = {
        PAY_OUTCOME_CHECKED, PAY_OUTCOME_PROVEN, PAY_OUTCOME_BOOKED
    };

    look_start(world);

    if (!world->ended) {
        world_result(world, PAY_OUTCOME_DUE, &(pay_look_row_t) { NOW, 0, 0 });
        world_piece(world, (pay_file_t) { .name = PAY_STR("day.csv"),
                                          .sha256 = PAY_STR(DIGEST) });
    }

    if (!world->ended) {
        world_result(world, PAY_OUTCOME_OPENED, &row);
        world_piece(world, (pay_file_t) { .bytes = PAY_STR(WHOLE) });
    }

    if (!world->ended) {
        world_result(world, PAY_OUTCOME_STAGED, NULL);
        world_piece(world, (pay_file_t) { .is_end = 1, .is_same = 1 });
    }

    for (i = 0; i < 3 && !world->ended; i++) {
        world_result(world, rest[i], NULL);
    }

    if (!world->ended) {
        world_piece(world, (pay_file_t) { .is_end = 0 });
    }

    if (!world->ended) {
        world_result(world, PAY_OUTCOME_STORED, NULL);
    }
}


Test(pay_flow_settlement, survives_running_out_of_memory)
{
    cr_expect_gt(world_torture(play), 5);
}
