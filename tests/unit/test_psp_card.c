/*
 * The words of PSPs about cards: read from events and queries, bounded, and
 * never a reason to refuse their event.
 */

#include "conformance.h"


#define STRIPE_CHARGE                                                         \
    "{\"id\":\"evt_1\",\"object\":\"event\",\"livemode\":false,"              \
    "\"type\":\"charge.succeeded\",\"data\":{\"object\":{\"id\":\"ch_1\","    \
    "\"object\":\"charge\",\"metadata\":{\"payment_reference\":\"our-1\"},"   \
    "\"payment_method_details\":{\"card\":{\"fingerprint\":\"Xt5E/W==\","     \
    "\"iin\":\"424242\",\"country\":\"US\",\"funding\":\"prepaid\","          \
    "\"three_d_secure\":{\"result\":\"attempt_acknowledged\"}}},"             \
    "\"outcome\":{\"risk_level\":\"elevated\",\"risk_score\":66}}}}"

#define STRIPE_WARNING                                                        \
    "{\"id\":\"evt_2\",\"object\":\"event\",\"livemode\":false,"              \
    "\"type\":\"radar.early_fraud_warning.created\",\"data\":{\"object\":{"   \
    "\"id\":\"issfr_1\",\"object\":\"radar.early_fraud_warning\","            \
    "\"actionable\":true,\"charge\":\"ch_1\",\"payment_intent\":\"pi_1\","    \
    "\"fraud_type\":\"made_with_lost_card\"}}}"

#define ADYEN_ITEM                                                            \
    "{\"live\":\"false\",\"notificationItems\":[{\"NotificationRequestItem\":" \
    "{\"eventCode\":\"AUTHORISATION\",\"success\":\"true\","                  \
    "\"pspReference\":\"QFQ1\",\"merchantAccountCode\":\"acct\","             \
    "\"merchantReference\":\"our-1\",\"amount\":{\"value\":3000,"             \
    "\"currency\":\"USD\"},\"additionalData\":{\"alias\":\"H1234\","          \
    "\"cardBin\":\"411111\",\"issuerCountry\":\"NL\","                        \
    "\"fundingSource\":\"DEBIT\",\"threeDAuthenticated\":\"true\","           \
    "\"fraudResultType\":\"RED\",\"totalFraudScore\":\"85\"}}}]}"

#define SQUARE_PAYMENT                                                        \
    "{\"event_id\":\"e1\",\"type\":\"payment.updated\",\"data\":{\"object\":" \
    "{\"payment\":{\"id\":\"pay1\",\"order_id\":\"order1\","                  \
    "\"status\":\"COMPLETED\",\"total_money\":{\"amount\":3000,"              \
    "\"currency\":\"USD\"},\"card_details\":{\"card\":{\"bin\":\"540988\","   \
    "\"fingerprint\":\"sq-1-abc\",\"card_type\":\"DEBIT\","                   \
    "\"prepaid_type\":\"PREPAID\"}},"                                         \
    "\"risk_evaluation\":{\"risk_level\":\"MODERATE\"}}}}}"

#define GENERIC_PAID                                                          \
    "{\"type\":\"registration.paid\",\"data\":{\"token\":\"t1\","             \
    "\"payment_id\":\"p1\",\"amount\":\"30.00\",\"currency\":\"USD\","        \
    "\"risk\":{\"card\":\"f1\",\"bin\":\"40000000\",\"country\":\"FR\","      \
    "\"funding\":\"credit\",\"three_d_secure\":\"exempted\","                 \
    "\"level\":\"highest\",\"score\":99,\"warning\":\"stolen\"}}}"

#define MOLLIE_PAYMENT                                                        \
    "{\"id\":\"tr_1\",\"status\":\"paid\",\"amount\":{\"value\":\"30.00\","   \
    "\"currency\":\"USD\"},\"details\":{\"cardFingerprint\":\"fp1\","         \
    "\"cardCountryCode\":\"BE\",\"cardFunding\":\"credit\"}}"

typedef struct {
    const char  *psp;
    const char  *body;
    const char  *said;
} row_t;


static const row_t  rows[] = {
    { "stripe", STRIPE_CHARGE, "ch_1 Xt5E/W== 424242 US prepaid attempted"
      " elevated 66  0" },
    { "stripe", STRIPE_WARNING, "issfr_1       -1 made_with_lost_card 0" },
    { "adyen", ADYEN_ITEM, "QFQ1 H1234 411111 NL debit authenticated highest"
      " 85  1" },
    { "square", SQUARE_PAYMENT, "pay1 sq-1-abc 540988  prepaid  elevated -1"
      "  0" },
    { "generic", GENERIC_PAID, "p1 f1 40000000 FR credit exempted highest 99"
      " stolen 0" }
};


/* attempt, card, bin, country, funding, 3-D Secure, level, score, warning,
 * hint. */
static const char *
words_of(const pay_psp_card_t *said)
{
    pay_str_t  text;

    cr_assert_eq(pay_format(test_arena(), &text, 1024,
                            "%.*s %.*s %.*s %.*s %.*s %.*s %.*s %d %.*s %d",
                            pay_fmt(said->attempt), pay_fmt(said->card),
                            pay_fmt(said->bin), pay_fmt(said->country),
                            pay_fmt(said->funding), pay_fmt(said->three_d),
                            pay_fmt(said->level),
                            said->has_score ? (int) said->score : -1,
                            pay_fmt(said->warning), said->is_hint), PAY_OK);

    return (const char *) text.data;
}


static pay_psp_event_t
read_event(const char *name, pay_str_t body)
{
    unsigned           count = 0;
    pay_err_t          err;
    pay_psp_event_t    events[PAY_PSP_EVENTS_MAX];
    pay_psp_account_t  ours = { .account = PAY_STR("acct"), .live = -1 };

    memset(events, 0, sizeof(events));
    cr_assert_eq(pay_psp_find(pay_str_of(name))->webhook_events(
                     test_arena(), &ours, PAY_STR("msg_1"), body, events,
                     &count, &err), PAY_OK, "%s: %s", name, err.detail);
    cr_assert_geq(count, 1);

    return events[0];
}


Test(pay_psp_card, each_psp_says_it_in_its_own_words)
{
    size_t           i;
    pay_psp_event_t  event;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        event = read_event(rows[i].psp, pay_str_of(rows[i].body));
        cr_expect_str_eq(words_of(&event.card), rows[i].said, "%s: %s",
                         rows[i].psp, words_of(&event.card));
        cr_expect(pay_psp_card_says(&event.card));
    }
}


Test(pay_psp_card, a_charge_and_a_warning_move_nothing)
{
    pay_psp_event_t  event;

    event = read_event("stripe", PAY_STR(STRIPE_CHARGE));
    cr_expect_eq(event.fact, PAY_FACT_NONE);
    cr_expect_eq(event.must_ask, 0);
    cr_expect(pay_str_is(event.token, "our-1"));

    event = read_event("stripe", PAY_STR(STRIPE_WARNING));
    cr_expect_eq(event.fact, PAY_FACT_NONE);
    cr_expect(pay_str_is(event.reference, "pi_1"));
}


Test(pay_psp_card, a_query_of_mollie_has_it)
{
    int                known = 0;
    pay_psp_event_t    event;
    pay_http_answer_t  answer = {
        .sent = PAY_ANSWERED, .status = 200,
        .body = PAY_STR(MOLLIE_PAYMENT)
    };

    cr_assert_eq(pay_psp_find(PAY_STR("mollie"))->query_answer(
                     test_arena(), PAY_STR("tr_1"), &answer, &event, &known),
                 PAY_OK);
    cr_assert(known);
    cr_expect_str_eq(words_of(&event.card), "tr_1 fp1  BE credit   -1  0");
}


/* Each value in its place alone; the event is taken all the same. */
Test(pay_psp_card, a_value_of_another_form_is_not_said)
{
    size_t           i;
    pay_str_t        text;
    pay_psp_event_t  event;

    static const char *const  wrong[][3] = {
        { "\"f1\"", "\"\"", "p1  40000000 FR" },
        { "\"f1\"", "\"a b\"", "p1  40000000 FR" },
        { "\"f1\"", "\"\\u00e9\"", "p1  40000000 FR" },
        { "\"f1\"", "{}", "p1  40000000 FR" },
        { "\"40000000\"", "\"4000000000000002\"", "p1 f1  FR" },
        { "\"40000000\"", "\"40000\"", "p1 f1  FR" },
        { "\"40000000\"", "40000000", "p1 f1  FR" },
        { "\"FR\"", "\"fr\"", "p1 f1 40000000  credit" },
        { "\"FR\"", "\"FRA\"", "p1 f1 40000000  credit" },
        { "\"credit\"", "\"charge\"", "p1 f1 40000000 FR  exempted" },
        { "\"exempted\"", "true", "p1 f1 40000000 FR credit  highest" },
        { "\"highest\"", "\"high\"", "p1 f1 40000000 FR credit exempted  99" },
        { ":99", ":101", "p1 f1 40000000 FR credit exempted highest -1" },
        { ":99", ":-1", "p1 f1 40000000 FR credit exempted highest -1" },
        { ":99", ":\"1e1\"", "p1 f1 40000000 FR credit exempted highest -1" },
        { ":99", ":1.5", "p1 f1 40000000 FR credit exempted highest -1" }
    };

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        text = replaced(test_arena(), PAY_STR(GENERIC_PAID), wrong[i][0],
                        wrong[i][1]);
        event = read_event("generic", text);
        cr_expect_eq(event.fact, PAY_FACT_PAID);
        cr_expect_eq(strncmp(words_of(&event.card), wrong[i][2],
                             strlen(wrong[i][2])), 0, "%s: %s", wrong[i][1],
                     words_of(&event.card));
    }
}


Test(pay_psp_card, without_them_nothing_is_said)
{
    pay_psp_event_t  event;

    event = read_event("generic", replaced(test_arena(),
                                           PAY_STR(GENERIC_PAID),
                                           "\"risk\"", "\"other\""));
    cr_expect_eq(event.fact, PAY_FACT_PAID);
    cr_expect_not(pay_psp_card_says(&event.card));
}
