/*
 * A look at reports that webhooks have announced: each is downloaded from the
 * configured place alone, read like a file, and tried again when it cannot be
 * had.
 */

#include "flow_driver.h"

#include "pay_settle.h"


#define OWNER    "host:1:2"
#define DIGEST   "0123456789abcdef0123456789abcdef"
#define PLACE    "https://reports.example:8443/download/ACME"
#define REPORT   "settlement_detail_report_batch_7.csv"
#define WHOLE                                                                 \
    "row_id,type,psp_ref,our_ref,occurred_at,gross,fee,net,currency\n"        \
    "r1,sale,pay_1,ord-1,2026-11-20T10:00:00Z,12.00,-0.30,11.70,EUR\n"        \
    "total,1,,,,12.00,-0.30,11.70,EUR\n"


static pay_settle_source_t  source;


static void
look_due(world_t *world)
{
    world_open(world);
    source = (pay_settle_source_t) {
        .name = PAY_STR("reports"), .format = PAY_STR("generic"),
        .merchant_id = PAY_STR("acme"), .psp = &world->psps[WORLD_GENERIC],
        .way = PAY_SETTLE_BY_REPORT, .interval_ms = 60000,
        .reports = PAY_STR(PLACE), .report_user = PAY_STR("me:pass:word")
    };
    world_made(world, pay_flow_settlement(&world->flow, &source,
                                          PAY_STR(OWNER), PAY_STR(DIGEST)));
    world_start(world);
    expect_arg(world, begin_look, way, "report");
    world_result(world, PAY_OUTCOME_DUE, &(pay_look_row_t) { NOW, 0, 0 });
    expect_arg(world, get_report, psp, "generic");
}


static void
announced(world_t *world, const char *name, const char *url)
{
    pay_report_row_t  row = {
        .name = pay_str_of(name), .url = pay_str_of(url)
    };

    world_result(world, PAY_OUTCOME_FOUND, &row);
}


static void
expect_fetch(const world_t *world)
{
    cr_assert_eq(world->effect.kind, PAY_DO_FILE);
    cr_expect_eq(world->effect.file, PAY_FILE_FETCH);
    cr_expect_eq(world->effect.settlement, &source);
    expect_text(world->effect.http.method, "GET");
    expect_text(world->effect.http.url, PLACE "/" REPORT);
    cr_assert_eq(world->effect.http.field_count, 1);
    expect_text(world->effect.http.fields[0].name, "Authorization");
    expect_text(world->effect.http.fields[0].value,
                "Basic bWU6cGFzczp3b3Jk");
}


static void
no_more(world_t *world, const char *code, int64_t files)
{
    world_result(world, PAY_OUTCOME_NOT_FOUND, NULL);
    expect_arg(world, end_look, code, code);
    cr_expect_eq(asked(world, end_look)->files, files);
    world_result(world, PAY_OUTCOME_STORED, NULL);
    cr_expect_eq(world->effect.kind, PAY_DO_DONE);
    world_close(world);
}


static void
opened(world_t *world)
{
    pay_settlement_row_t  row = {
        .file_id = 7, .attempt = 3, .format = PAY_STR("generic"),
        .state = PAY_STR("received")
    };

    world_result(world, PAY_OUTCOME_OPENED, &row);
}


Test(pay_flow_report, one_is_downloaded_read_and_ended)
{
    world_t  world;

    look_due(&world);
    announced(&world, REPORT, PLACE "/" REPORT);
    expect_fetch(&world);
    world_piece(&world, (pay_file_t) { .status = 200,
                                       .sha256 = PAY_STR(DIGEST) });
    expect_arg(&world, open_settlement, name, REPORT);
    expect_arg(&world, open_settlement, sha256, DIGEST);
    opened(&world);
    cr_expect_eq(world.effect.file, PAY_FILE_READ);
    world_piece(&world, (pay_file_t) { .bytes = PAY_STR(WHOLE) });
    world_result(&world, PAY_OUTCOME_STAGED, NULL);
    world_piece(&world, (pay_file_t) { .is_end = 1, .is_same = 1 });
    world_result(&world, PAY_OUTCOME_CHECKED, NULL);
    world_result(&world, PAY_OUTCOME_PROVEN, NULL);
    world_result(&world, PAY_OUTCOME_BOOKED, NULL);
    cr_assert_not_null(world.flow.settled);
    cr_expect_str_eq(world.flow.settled->state, "booked");
    expect_arg(&world, end_report, psp, "generic");
    expect_arg(&world, end_report, name, REPORT);
    expect_arg(&world, end_report, code, NULL);
    cr_expect_eq(asked(&world, end_report)->file_id.number, 7);
    world_result(&world, PAY_OUTCOME_STORED, NULL);
    no_more(&world, NULL, 1);
}


/* for instance imported by hand before */
Test(pay_flow_report, known_bytes_are_not_read_again)
{
    world_t               world;
    pay_settlement_row_t  row = {
        .file_id = 5, .attempt = 1, .format = PAY_STR("generic"),
        .state = PAY_STR("booked")
    };

    look_due(&world);
    announced(&world, REPORT, PLACE "/" REPORT);
    world_piece(&world, (pay_file_t) { .status = 200,
                                       .sha256 = PAY_STR(DIGEST) });
    world_result(&world, PAY_OUTCOME_KNOWN, &row);
    expect_arg(&world, end_report, code, NULL);
    cr_expect_eq(asked(&world, end_report)->file_id.number, 5);
    world_result(&world, PAY_OUTCOME_STORED, NULL);
    no_more(&world, NULL, 1);
}


Test(pay_flow_report, one_that_stands_elsewhere_is_never_called)
{
    size_t   i;
    world_t  world;

    static const char *const  urls[] = {
        NULL,
        "https://reports.example:8443/download/ACME",
        "https://reports.example:8443/download/ACME/",
        "https://reports.example:8443/download/ACME/other_report_batch_07.csv",
        "https://reports.example:8443/download/OTHER/" REPORT,
        "https://reports.example:8443/download/ACME/../" REPORT,
        "http://reports.example:8443/download/ACME/" REPORT,
        "https://reports.example/download/ACME/" REPORT,
        "https://reports.example:8444/download/ACME/" REPORT,
        "https://reports.example.evil.example:8443/download/ACME/" REPORT,
        "https://evil.example:8443/download/ACME/" REPORT,
        "https://169.254.169.254:8443/download/ACME/" REPORT,
        "https://me:pw@reports.example:8443/download/ACME/" REPORT,
        "https://reports.example:8443@evil.example/download/ACME/" REPORT,
        "https://reports.example:8443/download/ACME/" REPORT "?x=1",
        "https://reports.example:8443/download/ACME/" REPORT "#x",
        "HTTPS://reports.example:8443/download/ACME/" REPORT,
        "https://REPORTS.example:8443/download/ACME/" REPORT,
        "file:///etc/passwd"
    };

    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        look_due(&world);
        announced(&world, REPORT, urls[i]);
        expect_arg(&world, end_report, code, "foreign-url");
        cr_expect_eq(asked(&world, end_report)->again_ms, 0, "for good");
        cr_assert_not_null(world.flow.settled);
        cr_expect_str_eq(world.flow.settled->state, "refused");
        cr_expect_str_eq(world.flow.settled->why, "foreign-url");
        world_result(&world, PAY_OUTCOME_STORED, NULL);
        expect_arg(&world, get_report, psp, "generic");
        no_more(&world, "foreign-url", 0);
    }
}


/* No redirect is followed, and nothing of such an answer is read. */
Test(pay_flow_report, one_that_cannot_be_had_is_tried_again_later)
{
    size_t   i;
    world_t  world;

    static const struct {
        pay_file_t   file;
        const char  *code;
    } rows[] = {
        { { .failure = PAY_FAILURE_TIMEOUT }, "timeout" },
        { { .failure = PAY_FAILURE_TOO_LARGE, .status = 200 }, "too-large" },
        { { .failure = PAY_FAILURE_NO_FILE }, "no-file" },
        { { .status = 301, .sha256 = pay_string(DIGEST) }, "redirect" },
        { { .status = 307, .sha256 = pay_string(DIGEST) }, "redirect" },
        { { .status = 401, .sha256 = pay_string(DIGEST) }, "auth" },
        { { .status = 403, .sha256 = pay_string(DIGEST) }, "auth" },
        { { .status = 404, .sha256 = pay_string(DIGEST) }, "http-error" },
        { { .status = 204, .sha256 = pay_string(DIGEST) }, "http-error" },
        { { .status = 500, .sha256 = pay_string(DIGEST) }, "http-error" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        look_due(&world);
        announced(&world, REPORT, PLACE "/" REPORT);
        world_piece(&world, rows[i].file);
        expect_arg(&world, end_report, code, rows[i].code);
        cr_expect_eq(asked(&world, end_report)->again_ms, 60000);
        cr_expect_not(asked(&world, end_report)->file_id.is_set);
        world_result(&world, PAY_OUTCOME_STORED, NULL);
        no_more(&world, rows[i].code, 0);
    }
}


/* The bytes may be a page of a server in trouble. */
Test(pay_flow_report, one_whose_bytes_are_refused_is_tried_again_later)
{
    world_t  world;

    look_due(&world);
    announced(&world, REPORT, PLACE "/" REPORT);
    world_piece(&world, (pay_file_t) { .status = 200,
                                       .sha256 = PAY_STR(DIGEST) });
    opened(&world);
    world_piece(&world, (pay_file_t) { .bytes = PAY_STR("<html>\n") });
    expect_db(&world, PAY_OP_REFUSE_SETTLEMENT);
    world_result(&world, PAY_OUTCOME_REFUSED, NULL);
    cr_expect_str_eq(world.flow.settled->state, "refused");
    cr_expect(asked(&world, end_report)->code.len != 0);
    cr_expect_eq(asked(&world, end_report)->again_ms, 60000);
    cr_expect_eq(asked(&world, end_report)->file_id.number, 7);
    world_close(&world);
}


/* It stays as it is, so that another worker begins it anew. */
Test(pay_flow_report, one_that_is_not_read_to_its_end_is_left)
{
    world_t  world;

    look_due(&world);
    announced(&world, REPORT, PLACE "/" REPORT);
    world_piece(&world, (pay_file_t) { .status = 200,
                                       .sha256 = PAY_STR(DIGEST) });
    opened(&world);
    world_piece(&world, (pay_file_t) { .failure = PAY_FAILURE_UNREADABLE });
    expect_arg(&world, end_look, code, "unreadable");
    world_close(&world);

    look_due(&world);
    announced(&world, REPORT, PLACE "/" REPORT);
    world.is_stopping = 1;
    world_piece(&world, (pay_file_t) { .status = 200,
                                       .sha256 = PAY_STR(DIGEST) });
    expect_arg(&world, end_look, code, "stopped");
    cr_expect_eq(asked(&world, end_look)->again, 1);
    world_close(&world);
}
