/*
 * Trials: the lines of a file of rules, and stored decisions that are decided
 * anew.  Both come from outside: cut texts, wrong types and numbers that are
 * none are refused, never guessed about.  tests/sql/test_risk_history.py has
 * what a replay says about decisions of the gateway.
 */

#include "pay_risk_trial.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define LINES      10000
#define LINE_SIZE  80

#define FACTS                                                                 \
    "{\"amount\":50000,\"currency\":\"USD\",\"shipping_country\":\"FR\","     \
    "\"billing_country\":\"DE\",\"email\":true,\"account_days\":3,"           \
    "\"counts\":[[\"fast\",4]]}"
#define SCORE                                                                 \
    "{\"parts\":{\"model\":0.5,\"rules\":0,\"velocity\":0.25,\"device\":1}}"


typedef struct {
    pay_heap_t        *heap;
    pay_risk_trial_t   trial;
    unsigned           line;
    pay_err_t          err;
} world_t;


static void
world_open(world_t *world)
{
    memset(world, 0, sizeof(*world));
    world->heap = pay_heap_create();
    cr_assert_not_null(world->heap);
}


static pay_status_t
read_text(world_t *world, pay_str_t text)
{
    return pay_risk_trial_read(pay_heap_arena(world->heap), text,
                               &world->trial, &world->line, &world->err);
}


static void
must_read(world_t *world, const char *text)
{
    cr_assert_eq(read_text(world, pay_str_of(text)), PAY_OK, "%u %s",
                 world->line, world->err.detail);
}


static pay_risk_stored_t
stored(const char *hits, const char *facts, const char *score)
{
    return (pay_risk_stored_t) {
        .merchant_id = PAY_STR("acme"), .currency = PAY_STR("USD"),
        .amount_minor = 50000, .at_s = 1764068400, .hits = pay_str_of(hits),
        .facts = pay_str_of(facts), .score = pay_str_of(score)
    };
}


/* - line: where the refused line begins. */
typedef struct {
    const char  *text;
    unsigned     line;
    const char  *detail;
} refused_t;

static const refused_t  refused[] = {
    { "payments_risk_rule", 1, "needs a ; at its end" },
    { "payments_risk_rule a if orders>1 then=block", 1,
      "needs a ; at its end" },
    { "# a remark\n\npayments_risk_rule a if orders>1 then=bl", 3,
      "needs a ; at its end" },
    { "payments_risk_rule a if orders>1 then=block;\npayments_risk_sco", 2,
      "needs a ; at its end" },
    { "payments_risk_rule \"a if orders>1 then=block;", 1,
      "needs a ; at its end" },
    { "payments_risk_rule 'a\n' if orders>1 then=block;", 1,
      "has one of" },
    { "payments_risk_rule \"a\"if orders>1 then=block;", 1,
      "needs a blank behind a word in quotes" },
    { "payments_risk_rule a\"b\" if orders>1 then=block;", 1, "has one of" },
    { "payments_risk_rule $a if orders>1 then=block;", 1, "has one of" },
    { "payments_risk_rule a if orders>1 then=block }", 1, "has one of" },
    { ";", 1, "is none of" },
    { "payments_risk on;", 1, "is none of" },
    { "payments_risk_rule;", 1, "needs a name" },
    { "payments_risk_rule a=b if orders>1 then=block;", 1, "needs a name" },
    { "payments_risk_rule aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa if orders>1 "
      "then=block;", 1, "needs a name" },
    { "payments_risk_rule a if orders>1 then=block;\n"
      "payments_risk_velocity a key=ip window=1m limit=1 then=block;", 2,
      "has the name of another line" },
    { "payments_risk_rule a if orders>1;", 1, "needs then=" },
    { "payments_risk_rule a if orders>1 then=sell;", 1, "needs then=" },
    { "payments_risk_rule a if orders>1000000000 then=block;", 1,
      "needs a whole number of at most 9 digits" },
    { "payments_risk_rule a if orders>-1 then=block;", 1,
      "needs a whole number" },
    { "payments_risk_rule a if orders>1e3 then=block;", 1,
      "needs a whole number" },
    { "payments_risk_rule a if orders>nan then=block;", 1,
      "needs a whole number" },
    { "payments_risk_rule a if amount>99999999999999999999.00USD then=block;",
      1, "needs an amount" },
    { "payments_risk_rule a if amount>1.00XXX then=block;", 1,
      "needs an amount" },
    { "payments_risk_rule a if country>DE then=block;", 1,
      "a text is compared by = or !=" },
    { "payments_risk_rule a if country=:orders then=block;", 1,
      "needs an attribute of the same type" },
    { "payments_risk_velocity a key=ip window=1m then=block;", 1,
      "needs a number as its limit=" },
    { "payments_risk_velocity a key=ip window=1m limit=0 then=block;", 1,
      "needs a number as its limit=" },
    { "payments_risk_velocity a key=ip window=1m limit=9999999999 "
      "then=block;", 1, "needs a number as its limit=" },
    { "payments_risk_velocity a key=ip window=31d limit=1 then=block;", 1,
      "has an option or a value that is not known" },
    { "payments_risk_velocity a key=ip window=99999999999999999d limit=1 "
      "then=block;", 1, "has an option or a value that is not known" },
    { "payments_risk_velocity a key=soul window=1m limit=1 then=block;", 1,
      "has an option or a value that is not known" },
    { "payments_risk_velocity a key=ip window=1m limit=1 then=allow;", 1,
      "needs key=" },
    { "payments_risk_velocity a key=ip window=1h limit=5 of=amount "
      "then=block;", 1, "needs an amount as its limit=" },
    { "payments_risk_score model=nan;", 1, "has an option that is not known" },
    { "payments_risk_score model=1e0 rules=0;", 1,
      "has an option that is not known" },
    { "payments_risk_score model=0.50001;", 1,
      "has an option that is not known" },
    { "payments_risk_score model=1.001;", 1,
      "has an option that is not known" },
    { "payments_risk_score model=1;", 1, "needs weights that add up to 1" },
    { "payments_risk_score challenge=0.5 review=0.5;", 1,
      "needs thresholds that rise" }
};


Test(pay_risk_trial, refuses_lines_that_the_gateway_would_read_otherwise)
{
    size_t   i;
    world_t  world;

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        world_open(&world);
        cr_assert_eq(read_text(&world, pay_str_of(refused[i].text)),
                     PAY_INVALID, "%s", refused[i].text);
        cr_expect_not_null(strstr(world.err.detail, refused[i].detail),
                           "%s: %s", refused[i].text, world.err.detail);
        cr_expect_eq(world.line, refused[i].line, "%s: %u", refused[i].text,
                     world.line);
        pay_heap_destroy(world.heap);
    }
}


Test(pay_risk_trial, a_text_that_is_cut_anywhere_is_refused_or_has_less)
{
    size_t      i;
    world_t     world;
    const char  *text = "payments_risk_rule a if orders>1 then=block;"
                        "payments_risk_velocity b key=ip window=1m limit=2 "
                        "then=review;payments_risk_score review=0.5;";

    for (i = 0; i <= strlen(text); i++) {
        world_open(&world);

        if (read_text(&world, (pay_str_t) { i, (const unsigned char *) text })
            == PAY_OK)
        {
            cr_expect(i == 0 || text[i - 1] == ';', "%zu bytes", i);
        }

        cr_expect_eq(world.trial.rule_count, i >= 44, "%zu bytes", i);
        pay_heap_destroy(world.heap);
    }
}


Test(pay_risk_trial, ten_thousand_lines_are_refused_at_the_first_too_many)
{
    char    *text = calloc(LINES, LINE_SIZE);
    size_t   i, len = 0;
    world_t  world;

    cr_assert_not_null(text);

    for (i = 0; i < LINES; i++) {
        len += (size_t) snprintf(text + len, LINE_SIZE, "payments_risk_rule "
                                 "r%zu if orders>%zu then=review;\n", i, i);
    }

    world_open(&world);
    cr_assert_eq(read_text(&world, pay_str_of(text)), PAY_INVALID);
    cr_expect_eq(world.line, 65);
    cr_expect_not_null(strstr(world.err.detail, "there may be 64"));
    pay_heap_destroy(world.heap);
    free(text);
}


Test(pay_risk_trial, ten_thousand_remarks_are_no_lines)
{
    char    *text = calloc(LINES + 1, LINE_SIZE);
    size_t   i, len = 0;
    world_t  world;

    cr_assert_not_null(text);

    for (i = 0; i < LINES; i++) {
        len += (size_t) snprintf(text + len, LINE_SIZE, "# remark; {\n");
    }

    memcpy(text + len, "payments", sizeof("payments"));
    world_open(&world);
    cr_assert_eq(read_text(&world, pay_str_of(text)), PAY_INVALID);
    cr_expect_eq(world.line, LINES + 1);
    text[len] = '\0';
    cr_expect_eq(read_text(&world, pay_str_of(text)), PAY_OK);
    pay_heap_destroy(world.heap);
    free(text);
}


/* Each is no row that the gateway has written. */
static const struct {
    const char  *hits;
    const char  *facts;
    const char  *score;
} broken[] = {
    { "[", "", "" },
    { "[{\"then\":\"block\"", "", "" },
    { "{\"then\":\"block\"}", "", "" },
    { "[{}]", "", "" },
    { "[7]", "", "" },
    { "[{\"then\":7}]", "", "" },
    { "[{\"then\":\"sell\"}]", "", "" },
    { "[]", "{\"amount\":\"much\"}", "" },
    { "[]", "{\"amount\":1.5}", "" },
    { "[]", "{\"amount\":null}", "" },
    { "[]", "{\"amount\":99999999999999999999}", "" },
    { "[]", "{\"amount\":NaN}", "" },
    { "[]", "{\"currency\":7}", "" },
    { "[]", "[1]", "" },
    { "[]", FACTS "}", "" },
    { "[]", "{\"amount\":1,\"amount\":2}", "" },
    { "[]", "", "{\"parts\":{\"model\":1e999}}" },
    { "[]", "", "{\"parts\":" },
    { "[]", "", "[]" }
};


Test(pay_risk_trial, refuses_rows_that_the_gateway_has_not_written)
{
    size_t             i;
    world_t            world;
    pay_risk_tried_t   tried;
    pay_risk_stored_t  row;

    world_open(&world);
    must_read(&world, "payments_risk_rule a if amount>1.00USD then=review;");

    for (i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        row = stored(broken[i].hits, broken[i].facts, broken[i].score);
        cr_expect_eq(pay_risk_try(&world.trial, &row, &tried), PAY_INVALID,
                     "%s %s %s", broken[i].hits, broken[i].facts,
                     broken[i].score);
    }

    row = stored("[]", FACTS, "");
    row.currency = PAY_STR("US");
    cr_expect_eq(pay_risk_try(&world.trial, &row, &tried), PAY_INVALID);
    row.currency = PAY_STR("");
    cr_expect_eq(pay_risk_try(&world.trial, &row, &tried), PAY_INVALID);
    pay_heap_destroy(world.heap);
}


Test(pay_risk_trial, refuses_a_row_with_ten_thousand_hits)
{
    char              *hits = calloc(LINES + 1, LINE_SIZE);
    size_t             i, len = 1;
    world_t            world;
    pay_risk_tried_t   tried;
    pay_risk_stored_t  row;

    cr_assert_not_null(hits);
    hits[0] = '[';

    for (i = 0; i < LINES; i++) {
        len += (size_t) snprintf(hits + len, LINE_SIZE,
                                 "{\"then\":\"review\"},");
    }

    hits[len - 1] = ']';
    world_open(&world);
    row = stored(hits, "", "");
    cr_expect_eq(pay_risk_try(&world.trial, &row, &tried), PAY_INVALID);
    pay_heap_destroy(world.heap);
    free(hits);
}


/* - score: of the total; is_known, decision: of the whole. */
static const struct {
    const char         *score;
    pay_risk_truth_t    hits;
    int                 is_known;
    pay_risk_action_t   decision;
} scores[] = {
    /* 0.4 · 0.5 + 0.2 · 0.25 + 0.1 · 1 = 0.35 */
    { SCORE, PAY_RISK_YES, 1, PAY_RISK_REVIEW },
    { "{\"parts\":{\"model\":0.49,\"rules\":0,\"velocity\":0.25,"
      "\"device\":1}}", PAY_RISK_NO, 1, PAY_RISK_ALLOW },
    /* whole numbers are numbers */
    { "{\"parts\":{\"model\":1,\"rules\":0,\"velocity\":0,\"device\":0}}",
      PAY_RISK_YES, 1, PAY_RISK_REVIEW },
    /* a part that is none makes the total unknown, and the decision */
    { "", PAY_RISK_UNKNOWN, 0, PAY_RISK_ALLOW },
    { "{\"parts\":7}", PAY_RISK_UNKNOWN, 0, PAY_RISK_ALLOW },
    { "{\"parts\":{\"model\":\"0.5\",\"rules\":0,\"velocity\":0.25,"
      "\"device\":1}}", PAY_RISK_UNKNOWN, 0, PAY_RISK_ALLOW },
    { "{\"parts\":{\"model\":-0.5,\"rules\":0,\"velocity\":0.25,"
      "\"device\":1}}", PAY_RISK_UNKNOWN, 0, PAY_RISK_ALLOW },
    { "{\"parts\":{\"model\":1e300,\"rules\":0,\"velocity\":0.25,"
      "\"device\":1}}", PAY_RISK_UNKNOWN, 0, PAY_RISK_ALLOW },
    { "{\"parts\":{\"model\":null,\"rules\":0,\"velocity\":0.25,"
      "\"device\":1}}", PAY_RISK_UNKNOWN, 0, PAY_RISK_ALLOW }
};


Test(pay_risk_trial, a_total_is_made_of_numbers_alone)
{
    size_t             i;
    world_t            world;
    pay_risk_tried_t   tried;
    pay_risk_stored_t  row;

    world_open(&world);
    must_read(&world, "payments_risk_score review=0.35;");

    for (i = 0; i < sizeof(scores) / sizeof(scores[0]); i++) {
        row = stored("[]", FACTS, scores[i].score);
        cr_assert_eq(pay_risk_try(&world.trial, &row, &tried), PAY_OK);
        cr_expect_eq(tried.score, scores[i].hits, "%s", scores[i].score);
        cr_expect_eq(tried.is_known, scores[i].is_known);
        cr_expect_eq(tried.decision, scores[i].decision);
    }

    pay_heap_destroy(world.heap);
}


Test(pay_risk_trial, facts_of_a_later_version_are_passed_over)
{
    world_t            world;
    pay_risk_tried_t   tried;
    pay_risk_stored_t  row;

    world_open(&world);
    must_read(&world,
              "payments_risk_rule a if shipping_country!=:billing_country "
              "then=challenge;\n"
              "payments_risk_rule b if email=a@b.example then=block;\n"
              "payments_risk_velocity fast key=email window=1m limit=3 "
              "then=review;");
    row = stored("[{\"by\":\"moon\",\"then\":\"challenge\"}]",
                 "{\"mood\":[NULL]}", "");
    cr_assert_eq(pay_risk_try(&world.trial, &row, &tried), PAY_INVALID);

    row.facts = pay_str_of("{\"mood\":[null],\"shipping_country\":\"FR\","
                           "\"billing_country\":\"DE\",\"email\":true,"
                           "\"counts\":[7,[\"fast\"],[\"fast\",\"9\"],"
                           "[\"fast\",4],[\"fast\",2]]}");
    cr_assert_eq(pay_risk_try(&world.trial, &row, &tried), PAY_OK);
    cr_expect_eq(tried.lines[0], PAY_RISK_YES);
    cr_expect_eq(tried.lines[1], PAY_RISK_UNKNOWN, "the address is not kept");
    cr_expect_eq(tried.lines[2], PAY_RISK_YES, "the greatest count");
    cr_expect_eq(tried.is_known, 0);
    pay_heap_destroy(world.heap);
}
