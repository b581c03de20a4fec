/*
 * What follows a sale, adapter by adapter: money that is only held, captures
 * of parts, refunds, disputes and fees.  That each event says the right thing
 * at all is in the fixtures (test_conformance.c); here it is about whose it is
 * and how much.
 */

#include "conformance.h"


#define HELD_ADYEN  REFERENCE "-held"
#define INTENT      "pi_1PgafyB7WZ01zgkWSjxsAJo3"

typedef struct {
    const char  *psp;
    const char  *file;
    unsigned     index;
    const char  *token;
    const char  *reference;
    const char  *object;
    const char  *operation;
    const char  *code;
    int64_t      minor;
    const char  *currency;
} after_t;


static const pay_psp_adapter_t *
psp_of(const char *name)
{
    const pay_psp_adapter_t  *psp = pay_psp_find(pay_str_of(name));

    cr_assert_not_null(psp, "%s", name);

    return psp;
}


static unsigned
told_by(pay_arena_t *arena, const pay_psp_adapter_t *psp, pay_str_t body,
    pay_psp_event_t events[PAY_PSP_EVENTS_MAX])
{
    unsigned           count = 0;
    pay_psp_account_t  ours = kit_account(kit_table(psp));

    cr_assert_eq(psp->webhook_events(arena, &ours, PAY_STR(""), body, events,
                                     &count, NULL), PAY_OK, "%s", psp->name);

    return count;
}


static const after_t  afters[] = {
    { "generic", "webhook-capture-done.json", 0, "reg_01JD8Z", "pay_77",
      "chg_01JD95", OPERATION, "", 2500, "USD" },
    { "generic", "webhook-refund-done.json", 0, "", "pay_77", "chg_01JD97",
      OPERATION, "", 3000, "USD" },
    { "generic", "webhook-refund-done.json", 1, "", "pay_77", "", "", "", 30,
      "USD" },
    { "generic", "webhook-refund-failed.json", 0, "reg_01JD8Z", "pay_77",
      "chg_01JD97", "", "account_closed", 3000, "USD" },
    { "generic", "webhook-paid-fee.json", 1, "reg_01JD8Z", "pay_77", "", "",
      "", 117, "EUR" },
    { "generic", "webhook-dispute-opened.json", 0, "reg_01JD8Z", "pay_77",
      "dsp_01JDA0", "", "fraudulent", 3000, "USD" },
    { "generic", "webhook-fee-charged.json", 0, "reg_01JD8Z", "pay_77",
      "fee_01JDA1", "", "", 117, "EUR" },
    { "stripe", "webhook-intent-held.json", 0, REFERENCE, INTENT, "", "", "",
      3000, "USD" },
    { "stripe", "webhook-intent-captured.json", 0, REFERENCE, INTENT, "",
      OPERATION, "", 1000, "USD" },
    { "stripe", "webhook-intent-captured-part.json", 0, REFERENCE, INTENT,
      "", "", "", 1000, "USD" },
    { "stripe", "webhook-refund-updated.json", 0, "", INTENT,
      "re_1Pgc72B7WZ01zgkWqPvrRrPE", OPERATION, "", 3000, "USD" },
    { "stripe", "webhook-refund-failed.json", 0, "", INTENT,
      "re_1Pgc72B7WZ01zgkWqPvrRrPE", OPERATION, "expired_or_canceled_card",
      3000, "USD" },
    { "stripe", "webhook-dispute-lost.json", 0, "", INTENT,
      "dp_1Pgc71B7WZ01zgkWMevJiAUx", "", "fraudulent", 3000, "USD" },
    { "stripe", "webhook-dispute-withdrawn.json", 1, "", INTENT, "", "", "",
      1500, "USD" },
    { "adyen", "webhook-authorisation-held.json", 0, HELD_ADYEN,
      "993617894903480A", "", "", "", 3000, "USD" },
    { "adyen", "webhook-capture-held.json", 0, "", "993617894903480A",
      "QFQTPCQ8HXSKGK82", OPERATION, "", 3000, "USD" },
    { "adyen", "webhook-capture-outside.json", 0, HELD_ADYEN,
      "993617894903480A", "WNS7WQ756L2GWR82", "", "", 1200, "USD" },
    { "adyen", "webhook-capture-refused-held.json", 0, "",
      "993617894903480A", "QFQTPCQ8HXSKGK82", OPERATION,
      "insufficient_balance_on_payment", 0, "USD" },
    { "adyen", "webhook-refund-done.json", 0, "", "993617894903480A",
      "QFQTPCQ8HXSKGK82", OPERATION, "", 3000, "USD" },
    { "adyen", "webhook-chargeback.json", 0, REFERENCE, "993617894903480A",
      "QFQTPCQ8HXSKGK82", "", "", 3000, "USD" },
    { "adyen", "webhook-second-chargeback.json", 0, REFERENCE,
      "993617894903480A", "QFQTPCQ8HXSKGK82-second", "", "", 3000, "USD" },
    { "mollie", "webhook-refund.json", 0, "tr_7UhSN1zuXS8Lwb4vYpQk2",
      "tr_7UhSN1zuXS8Lwb4vYpQk2", "re_4qqhO89gsT", OPERATION, "", 3000,
      "USD" },
    { "mollie", "webhook-capture-succeeded.json", 0,
      "tr_7UhSN1zuXS8Lwb4vYpQk2", "tr_7UhSN1zuXS8Lwb4vYpQk2",
      "cpt_vytxeTZskVKR7C7WgdSP3d", OPERATION, "", 1200, "USD" },
    { "mollie", "webhook-capture-outside.json", 0,
      "tr_7UhSN1zuXS8Lwb4vYpQk2", "tr_7UhSN1zuXS8Lwb4vYpQk2",
      "cpt_mNepDkEtco6ah3QNPUGYH", "", "", 700, "USD" },
    { "mollie", "webhook-chargeback-received.json", 0,
      "tr_7UhSN1zuXS8Lwb4vYpQk2", "tr_7UhSN1zuXS8Lwb4vYpQk2",
      "chb_xFzwUN4ci8HAmSGUACS4J", "", "ac01", 3000, "USD" },
    { "square", "webhook-paid-fees.json", 1, "o4b7saqp4HzhNttf5AJxC0Srjd4F",
      "R2B3Z8WMVt3EAmzYWLZvz7Y69EbZY", "", "", "", 117, "USD" },
    { "square", "webhook-paid-fees.json", 2, "o4b7saqp4HzhNttf5AJxC0Srjd4F",
      "R2B3Z8WMVt3EAmzYWLZvz7Y69EbZY", "", "", "", 20, "USD" },
    { "square", "webhook-refund-updated.json", 1, "",
      "KkAkhdMsgzn59SM8A89WgKwekxLZY", "", "", "", 59, "USD" },
    { "square", "webhook-dispute-lost.json", 0, "",
      "fbmsaEOpoARDKxiSGH1fqPuqoqFZY", "ORSEVtZAJxb37RA1EiGw", "",
      "amount_differs", 8801, "USD" },
    { "razorpay", "webhook-refund-processed.json", 0, "",
      "pay_MeJSOYP4oB16qr", "rfnd_FP8QHiV938haTz", "", "", 3000, "USD" },
    { "razorpay", "webhook-dispute-lost.json", 0, "", "pay_FPoJKWQQ8lK13n",
      "disp_EsIAlDcoUr8CaQ", "", "processing_error", 3000, "USD" },
    { "braintree", "webhook-dispute-opened.form", 0, "", "yzqvrv", "k9lbpk",
      "", "", 3000, "USD" }
};


static void
check_told(const after_t *row, const pay_psp_event_t *event)
{
    const char  *where = row->file;

    cr_expect(pay_str_is(event->token, row->token), "%s: %.*s", where,
              pay_fmt(event->token));
    cr_expect(pay_str_is(event->reference, row->reference), "%s: %.*s",
              where, pay_fmt(event->reference));
    cr_expect(pay_str_is(event->object, row->object), "%s: %.*s", where,
              pay_fmt(event->object));
    cr_expect(pay_str_is(event->operation, row->operation), "%s: %.*s",
              where, pay_fmt(event->operation));
    cr_expect(pay_str_is(event->code, row->code), "%s: %.*s", where,
              pay_fmt(event->code));
    cr_expect(event->has_amount, "%s", where);
    cr_expect_eq(event->amount_minor, row->minor, "%s: %lld", where,
                 (long long) event->amount_minor);
    cr_expect(pay_str_is(event->currency, row->currency), "%s", where);
}


Test(pay_psp_after, each_event_says_whose_it_is_and_how_much)
{
    size_t                    i;
    pay_heap_t               *heap;
    pay_psp_event_t           events[PAY_PSP_EVENTS_MAX];
    const pay_psp_adapter_t  *psp;

    for (i = 0; i < sizeof(afters) / sizeof(afters[0]); i++) {
        heap = pay_heap_create();
        psp = psp_of(afters[i].psp);
        cr_assert_lt(afters[i].index,
                     told_by(pay_heap_arena(heap), psp,
                             fixture(pay_heap_arena(heap), psp,
                                     afters[i].file), events), "%s",
                     afters[i].file);
        check_told(&afters[i], &events[afters[i].index]);
        pay_heap_destroy(heap);
    }
}


/* What is stored under one id counts once: a fee's event has its own, and the
 * same one in each message that repeats the fee. */
Test(pay_psp_after, a_fee_has_an_id_that_no_repetition_changes)
{
    size_t                    i;
    pay_heap_t               *heap;
    pay_psp_event_t           events[PAY_PSP_EVENTS_MAX];
    const pay_psp_adapter_t  *psp;

    static const struct {
        const char  *psp;
        const char  *file;
        unsigned     index;
        const char  *id;
    } rows[] = {
        { "generic", "webhook-paid-fee.json", 1, "evt_01JEPAIDFEE:fee" },
        { "stripe", "webhook-dispute-withdrawn.json", 1,
          "txn_1Withdrawn:fee" },
        { "stripe", "webhook-dispute-reinstated.json", 1,
          "txn_1Withdrawn:fee" },
        { "stripe", "webhook-dispute-reinstated.json", 2,
          "txn_1Reinstated:fee" },
        { "square", "webhook-paid-fees.json", 1,
          "R2B3Z8WMVt3EAmzYWLZvz7Y69EbZY:0:fee" },
        { "square", "webhook-paid-fees.json", 2,
          "R2B3Z8WMVt3EAmzYWLZvz7Y69EbZY:1:fee" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        heap = pay_heap_create();
        psp = psp_of(rows[i].psp);
        cr_assert_lt(rows[i].index,
                     told_by(pay_heap_arena(heap), psp,
                             fixture(pay_heap_arena(heap), psp,
                                     rows[i].file), events));
        cr_expect(pay_str_is(events[rows[i].index].event_id, rows[i].id),
                  "%s: %.*s", rows[i].file,
                  pay_fmt(events[rows[i].index].event_id));
        pay_heap_destroy(heap);
    }
}


Test(pay_psp_after, a_disputes_fee_is_told_with_it_where_the_psp_says_so)
{
    pay_arena_t              *arena = test_arena();
    pay_psp_event_t           events[PAY_PSP_EVENTS_MAX];
    const pay_psp_adapter_t  *psp = psp_of("generic");

    cr_assert_eq(told_by(arena, psp,
                         fixture(arena, psp, "webhook-dispute-opened.json"),
                         events), 1);
    cr_expect(events[0].has_fee);
    cr_expect_eq(events[0].fee_minor, 1500);
    cr_expect(pay_str_is(events[0].fee_currency, "USD"));

    cr_assert_eq(told_by(arena, psp,
                         fixture(arena, psp, "webhook-dispute-won.json"),
                         events), 1);
    cr_expect_not(events[0].has_fee);
}


/* docs/console.md#pages */
Test(pay_psp_after, the_deadline_for_evidence_is_told_where_the_psp_says_so)
{
    size_t                    i;
    pay_arena_t              *arena = test_arena();
    pay_psp_event_t           events[PAY_PSP_EVENTS_MAX];
    const pay_psp_adapter_t  *psp;

    static const struct {
        const char  *psp;
        const char  *file;
        int64_t      until_s;
    } rows[] = {
        { "stripe", "webhook-dispute-withdrawn.json", 1723679999 },
        { "adyen", "webhook-chargeback.json", 1627693387 },
        { "generic", "webhook-dispute-opened.json", 0 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        psp = psp_of(rows[i].psp);
        cr_assert_geq(told_by(arena, psp, fixture(arena, psp, rows[i].file),
                              events), 1);
        cr_expect_eq(events[0].evidence_until_s, rows[i].until_s, "%s",
                     rows[i].psp);
    }
}


/* A fee that is none must not hold up the money that it came with. */
Test(pay_psp_after, a_fee_that_is_no_amount_is_left_out)
{
    size_t                    i;
    pay_str_t                 body;
    pay_heap_t               *heap;
    pay_psp_event_t           events[PAY_PSP_EVENTS_MAX];
    const pay_psp_adapter_t  *psp = psp_of("generic");

    static const char *const  fees[] = {
        "\"fee\":\"-1.00\"", "\"fee\":\"0.00\"", "\"fee\":1.17",
        "\"fee\":\"1.1\"", "\"fee\":\"1.17\",\"fee_currency\":\"XXQ\"",
        "\"fee\":\"99999999999999999999.00\"", "\"fee\":\"\"",
        "\"fee\":\"1.17\",\"fee_currency\":\"eur\""
    };

    for (i = 0; i < sizeof(fees) / sizeof(fees[0]); i++) {
        heap = pay_heap_create();
        cr_assert_eq(pay_format(pay_heap_arena(heap), &body, 512,
                                "{\"type\":\"registration.paid\",\"id\":\"e\","
                                "\"data\":{\"token\":\"t\",\"amount\":"
                                "\"30.00\",\"currency\":\"USD\",%s}}",
                                fees[i]), PAY_OK);
        cr_expect_eq(told_by(pay_heap_arena(heap), psp, body, events), 1,
                     "%s", fees[i]);
        cr_expect_eq(events[0].fact, PAY_FACT_PAID);
        pay_heap_destroy(heap);
    }
}


/* Ids of changes are UUIDs of ours; what else comes back is nobody's. */
Test(pay_psp_after, an_operation_that_is_no_uuid_is_not_ours)
{
    size_t                    i;
    pay_str_t                 body;
    pay_heap_t               *heap;
    pay_psp_event_t           events[PAY_PSP_EVENTS_MAX];
    const pay_psp_adapter_t  *psp = psp_of("generic");

    static const char *const  nonces[] = {
        ":refund", "refund", "order-1:refund", OPERATION, OPERATION ":capture",
        OPERATION ":refund:refund", "0199C0DE-0000-7000-8000-0000000000C1"
        ":refund", "0199c0de-0000-7000-8000-0000000000c1\\u0000:refund",
        "0199c0de_0000-7000-8000-0000000000c1:refund"
    };

    for (i = 0; i < sizeof(nonces) / sizeof(nonces[0]); i++) {
        heap = pay_heap_create();
        cr_assert_eq(pay_format(pay_heap_arena(heap), &body, 512,
                                "{\"type\":\"refund.done\",\"id\":\"e\","
                                "\"data\":{\"token\":\"t\",\"id\":\"r\","
                                "\"nonce\":\"%s\",\"amount\":\"30.00\","
                                "\"currency\":\"USD\"}}", nonces[i]), PAY_OK);

        if (strstr(nonces[i], "\\u0000") == NULL) {
            cr_expect_eq(told_by(pay_heap_arena(heap), psp, body, events), 1);
            cr_expect_eq(events[0].operation.len, 0, "%s", nonces[i]);
            cr_expect_eq(events[0].about, PAY_ABOUT_REFUND);
        }

        pay_heap_destroy(heap);
    }
}


/* --- Money that is only held ------------------------------------------ */

static pay_http_request_t
registration(pay_arena_t *arena, const pay_psp_adapter_t *psp, int later)
{
    pay_psp_checkout_t  checkout = order_make();
    pay_psp_account_t   ours = kit_account(kit_table(psp));
    pay_http_request_t  request;

    checkout.capture_later = later;
    cr_assert_eq(psp->register_request(arena, &ours, &checkout, &request, NULL),
                 PAY_OK, "%s", psp->name);

    return request;
}


/* Two PSPs have a word for 3-D Secure; nobody else's request changes. */
Test(pay_psp_after, a_challenge_is_asked_for_where_there_is_a_word)
{
    pay_heap_t               *heap;
    pay_psp_account_t         ours;
    pay_psp_checkout_t        checkout;
    pay_http_request_t        plain, asked;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        if (psp->register_request == NULL) {
            continue;
        }

        heap = pay_heap_create();
        ours = kit_account(kit_table(psp));
        checkout = order_make();
        checkout.challenge = 1;
        plain = registration(pay_heap_arena(heap), psp, 0);
        cr_assert_eq(psp->register_request(pay_heap_arena(heap), &ours,
                                           &checkout, &asked, NULL), PAY_OK);

        if (psp == pay_psp_find(PAY_STR("stripe"))) {
            cr_expect(contains(asked.body, "payment_method_options%5Bcard%5D"
                               "%5Brequest_three_d_secure%5D=any"));

        } else if (psp == pay_psp_find(PAY_STR("generic"))) {
            cr_expect(contains(asked.body, "\"challenge\":true"));

        } else {
            cr_expect(pay_str_eq(plain.body, asked.body), "%s", psp->name);
        }

        pay_heap_destroy(heap);
    }
}


/* An adapter that takes capture_later says so to its PSP, and to that alone
 * when it was asked for. */
Test(pay_psp_after, who_can_hold_money_asks_for_it)
{
    pay_heap_t               *heap;
    pay_http_request_t        plain, held;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        if (psp->register_request == NULL) {
            cr_expect_eq(psp->traits & PAY_PSP_AUTHORIZES, 0);
            continue;
        }

        heap = pay_heap_create();
        plain = registration(pay_heap_arena(heap), psp, 0);
        held = registration(pay_heap_arena(heap), psp, 1);
        cr_expect_eq(!pay_str_eq(plain.body, held.body),
                     (psp->traits & PAY_PSP_AUTHORIZES) != 0, "%s",
                     psp->name);
        cr_expect_not(contains(plain.body, "anual"), "%s", psp->name);

        if (psp->traits & PAY_PSP_AUTHORIZES) {
            cr_expect(contains(held.body, "anual"), "%s", psp->name);
        }

        pay_heap_destroy(heap);
    }
}


/* A review must end before its money is free again (flow_begin.c). */
Test(pay_psp_after, only_who_can_hold_money_says_for_how_long)
{
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        cr_expect((psp->traits & PAY_PSP_AUTHORIZES) || psp->hold_hours == 0,
                  "%s", psp->name);
        cr_expect(psp->hold_hours == 0 || psp->hold_hours > 24, "%s",
                  psp->name);
    }
}


Test(pay_psp_after, several_captures_need_held_money_and_a_capture)
{
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        cr_expect(!(psp->traits & PAY_PSP_MULTICAPTURE)
                  || (psp->traits & PAY_PSP_AUTHORIZES), "%s", psp->name);
        cr_expect(!(psp->traits & PAY_PSP_AUTHORIZES)
                  || (kit_can(psp, PAY_PSP_CAPTURE)
                      && kit_can(psp, PAY_PSP_CANCEL)), "%s", psp->name);
    }
}


Test(pay_psp_after, held_money_is_asked_for_in_these_words)
{
    size_t              i;
    pay_http_request_t  request;

    static const struct {
        const char  *psp;
        const char  *part;
    } rows[] = {
        { "generic", "\"capture\":\"manual\"" },
        { "stripe", "&payment_intent_data%5Bcapture_method%5D=manual" },
        { "stripe", "&payment_intent_data%5Bmetadata%5D"
          "%5Bpayment_reference%5D=" REFERENCE },
        { "stripe", "&metadata%5Bcapture%5D=manual" },
        { "adyen", "\"manualCapture\":true" },
        { "adyen", "\"reference\":\"" HELD_ADYEN "\"" },
        { "mollie", "\"captureMode\":\"manual\"" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        request = registration(test_arena(), psp_of(rows[i].psp), 1);
        cr_expect(contains(request.body, rows[i].part), "%s: %.*s",
                  rows[i].part, pay_fmt(request.body));
    }
}


/* A bridge that does not know the word would take the money at once. */
Test(pay_psp_after, a_generic_psp_repeats_that_it_holds_the_money)
{
    size_t                i;
    pay_str_t             body;
    pay_arena_t          *arena = test_arena();
    pay_psp_checkout_t    order = order_make();
    pay_psp_registered_t  result;

    static const struct {
        const char        *member;
        int                later;
        pay_psp_outcome_t  outcome;
    } rows[] = {
        { "", 0, PAY_PSP_DONE },
        { ",\"capture\":\"automatic\"", 0, PAY_PSP_DONE },
        { ",\"capture\":\"manual\"", 0, PAY_PSP_UNKNOWN },
        { ",\"capture\":\"manual\"", 1, PAY_PSP_DONE },
        { ",\"capture\":\"automatic\"", 1, PAY_PSP_UNKNOWN },
        { ",\"capture\":\"MANUAL\"", 1, PAY_PSP_UNKNOWN },
        { ",\"capture\":true", 1, PAY_PSP_UNKNOWN },
        { "", 1, PAY_PSP_UNKNOWN }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(pay_format(arena, &body, 1024,
                                "{\"token\":\"reg_1\",\"nonce\":\"" NONCE "\","
                                "\"status\":\"open\",\"amount\":\"30.00\","
                                "\"currency\":\"USD\",\"hosted_url\":"
                                "\"https://p.example/x\"%s}", rows[i].member),
                     PAY_OK);
        order.capture_later = rows[i].later;
        result = register_judged(arena, generic(), &order,
                                 answered(201, body));
        cr_expect_eq(result.outcome, rows[i].outcome, "%zu", i);

        if (rows[i].outcome == PAY_PSP_UNKNOWN) {
            cr_expect(pay_str_is(result.code, "answer_mismatch"), "%zu", i);
        }
    }
}


/* Events about held money come before anybody knows the payment's id. */
Test(pay_psp_after, held_registrations_have_a_second_name)
{
    pay_str_t             body, adyen;
    pay_arena_t          *arena = test_arena();
    pay_psp_checkout_t    order = order_make();
    pay_psp_registered_t  result;

    order.capture_later = 1;
    body = fixture(arena, stripe(), "register-answer.json");
    result = register_judged(arena, stripe(), &order, answered(200, body));
    cr_assert_eq(result.outcome, PAY_PSP_DONE);
    cr_expect(pay_str_is(result.alias, REFERENCE));

    body = fixture(arena, psp_of("adyen"), "register-answer.json");
    result = register_judged(arena, psp_of("adyen"), &order,
                             answered(201, body));
    cr_expect(pay_str_is(result.code, "answer_mismatch"));

    cr_assert_eq(pay_format(arena, &adyen, 1024,
                            "{\"id\":\"PL1\",\"reference\":\"" HELD_ADYEN
                            "\",\"amount\":{\"value\":3000,\"currency\":"
                            "\"USD\"},\"url\":\"https://test.adyen.link/PL1\""
                            ",\"manualCapture\":true}"), PAY_OK);
    result = register_judged(arena, psp_of("adyen"), &order,
                             answered(201, adyen));
    cr_assert_eq(result.outcome, PAY_PSP_DONE);
    cr_expect(pay_str_is(result.alias, HELD_ADYEN));
}


/* --- Captures of parts ------------------------------------------------- */

static const struct {
    const char      *psp;
    const char      *file;
    pay_fact_t       fact;
    pay_psp_about_t  about;
    int64_t          minor;
} states[] = {
    { "generic", "query-authorized.json", PAY_FACT_AUTHORIZED,
      PAY_ABOUT_PAYMENT, 3000 },
    { "generic", "query-captured-part.json", PAY_FACT_NONE,
      PAY_ABOUT_CAPTURE, 1200 },
    { "generic", "query-captured-final.json", PAY_FACT_NONE,
      PAY_ABOUT_CAPTURE, 1200 },
    { "generic", "query-paid-captured.json", PAY_FACT_PAID,
      PAY_ABOUT_PAYMENT, 3000 },
    { "stripe", "query-authorized.json", PAY_FACT_AUTHORIZED,
      PAY_ABOUT_PAYMENT, 3000 },
    { "stripe", "query-captured-part.json", PAY_FACT_NONE,
      PAY_ABOUT_CAPTURE, 1000 },
    { "stripe", "query-paid-captured.json", PAY_FACT_PAID,
      PAY_ABOUT_PAYMENT, 3000 },
    { "adyen", "query-authorized.json", PAY_FACT_AUTHORIZED,
      PAY_ABOUT_PAYMENT, 3000 },
    { "mollie", "query-authorized.json", PAY_FACT_AUTHORIZED,
      PAY_ABOUT_PAYMENT, 3000 },
    { "mollie", "query-captured-part.json", PAY_FACT_NONE,
      PAY_ABOUT_CAPTURE, 1200 }
};


Test(pay_psp_after, a_question_tells_what_is_held_and_what_was_captured)
{
    int                       known;
    size_t                    i;
    pay_heap_t               *heap;
    pay_arena_t              *arena;
    pay_psp_event_t           event;
    pay_http_answer_t         answer;
    const pay_psp_adapter_t  *psp;

    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        heap = pay_heap_create();
        arena = pay_heap_arena(heap);
        psp = psp_of(states[i].psp);
        answer = answered(200, fixture(arena, psp, states[i].file));
        cr_assert_eq(psp->query_answer(arena,
                                       pay_str_of(kit_table(psp)->token),
                                       &answer, &event, &known), PAY_OK);
        cr_assert(known, "%s", states[i].file);
        cr_expect_eq(event.fact, states[i].fact, "%s/%s", psp->name,
                     states[i].file);
        cr_expect_eq(event.about, states[i].about, "%s/%s", psp->name,
                     states[i].file);
        cr_expect_eq(event.amount_minor, states[i].minor, "%s/%s: %lld",
                     psp->name, states[i].file,
                     (long long) event.amount_minor);
        pay_heap_destroy(heap);
    }
}


Test(pay_psp_after, a_part_that_was_captured_is_not_the_payment)
{
    pay_arena_t       *arena = test_arena();
    pay_psp_change_t   change = kit_change(kit_table(stripe()),
                                           PAY_PSP_CAPTURE);
    pay_psp_changed_t  result;

    result = kit_changed(arena, stripe(), &change,
                         answered(200, fixture(arena, stripe(),
                                               "capture-done-part.json")));
    cr_assert(result.outcome == PAY_PSP_DONE && result.known);
    cr_expect_eq(result.event.about, PAY_ABOUT_CAPTURE);
    cr_expect_eq(result.event.fact, PAY_FACT_NONE);
    cr_expect_eq(result.event.amount_minor, 3000);
    cr_expect(pay_str_is(result.event.operation, OPERATION));
}


Test(pay_psp_after, the_last_capture_says_that_it_is)
{
    int                  final;
    pay_psp_change_t     change = kit_change(kit_table(generic()),
                                             PAY_PSP_CAPTURE);
    pay_http_request_t   request;

    for (final = 0; final < 2; final++) {
        change.is_final = final;
        cr_assert_eq(generic()->change_request(test_arena(), &account,
                                               &change, &request, NULL),
                     PAY_OK);
        cr_expect_eq(contains(request.body, "\"final\":true"), final);
        cr_expect(final || !contains(request.body, "final"));
    }
}


/* The PSP's echo is how a webhook finds the change: refunds name it wherever
 * there is a place for it. */
Test(pay_psp_after, a_refund_carries_our_id_of_the_change)
{
    pay_heap_t               *heap;
    pay_psp_change_t          change;
    pay_psp_account_t         ours;
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp;

    EACH_ROW(psp) {
        if (!kit_can(psp, PAY_PSP_REFUND)) {
            continue;
        }

        heap = pay_heap_create();
        ours = kit_account(kit_table(psp));
        change = kit_change(kit_table(psp), PAY_PSP_REFUND);
        cr_assert_eq(psp->change_request(pay_heap_arena(heap), &ours, &change,
                                         &request, NULL), PAY_OK);
        cr_expect(contains(request.body, OPERATION), "%s: %.*s", psp->name,
                  pay_fmt(request.body));
        pay_heap_destroy(heap);
    }
}


Test(pay_psp_after, adyen_cancels_under_the_name_of_the_payment)
{
    pay_psp_change_t          change;
    pay_http_request_t        request;
    const pay_psp_adapter_t  *psp = psp_of("adyen");

    change = kit_change(kit_table(psp), PAY_PSP_CANCEL);
    change.alias = PAY_STR(HELD_ADYEN);
    cr_assert_eq(psp->change_request(test_arena(), &account, &change,
                                     &request, NULL), PAY_OK);
    cr_expect(contains(request.body, "\"reference\":\"" HELD_ADYEN "\""));

    change.alias = PAY_STR("");
    cr_assert_eq(psp->change_request(test_arena(), &account, &change,
                                     &request, NULL), PAY_OK);
    cr_expect(contains(request.body, "\"reference\":\"" REFERENCE "\""));

    change.alias = PAY_STR("a\"b");
    cr_expect_eq(psp->change_request(test_arena(), &account, &change,
                                     &request, NULL), PAY_BUG);
}


/* --- What PayPal's list proves ----------------------------------------- */

Test(pay_psp_after, paypals_list_tells_what_its_webhooks_cannot_prove)
{
    size_t                    i;
    pay_arena_t              *arena = test_arena();
    pay_psp_list_t            list = kit_list();
    pay_psp_listed_t          listed;
    const pay_psp_event_t    *event;
    const pay_psp_adapter_t  *psp = psp_of("paypal");

    static const struct {
        unsigned     index;
        const char  *id;
        const char  *object;
        const char  *operation;
        int64_t      minor;
    } rows[] = {
        { 1, "WH-1GE84257G0350133W-6RW800890C634293G:listed",
          "1JU08902781691411", OPERATION, 3000 },
        { 2, "1JU08902781691411:fee", "", "", 87 },
        { 5, "WH-4M0448861G563140B-2:listed", "PP-D-27803", "", 3000 },
        { 7, "WH-4M0448861G563140B-3:listed", "PP-D-27803", "", 3000 },
        { 9, "WH-4M0448861G563140B-4:listed", "PP-D-27803", "", 3000 }
    };

    listed = kit_listed(arena, psp, kit_table(psp), &list,
                        answered(200, fixture(arena, psp,
                                              "list-after-the-sale.json")));
    cr_assert_eq(listed.count, 11, "%u", listed.count);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        event = &listed.events[rows[i].index];
        cr_expect(pay_str_is(event->event_id, rows[i].id), "%.*s",
                  pay_fmt(event->event_id));
        cr_expect(pay_str_is(event->reference, "3C679366HH908993F"), "%zu",
                  i);
        cr_expect(pay_str_is(event->object, rows[i].object), "%zu", i);
        cr_expect(pay_str_is(event->operation, rows[i].operation), "%zu", i);
        cr_expect_eq(event->amount_minor, rows[i].minor, "%zu", i);
    }
}


/* A dispute that PayPal reopens keeps its id: an old event that comes late was
 * not to be told from a new one. */
Test(pay_psp_after, paypals_time_of_a_dispute_is_told)
{
    size_t                    i;
    pay_arena_t              *arena = test_arena();
    pay_psp_list_t            list = kit_list();
    pay_psp_listed_t          listed;
    const pay_psp_adapter_t  *psp = psp_of("paypal");
    pay_str_t  body, text = fixture(arena, psp, "list-after-the-sale.json");

    static const struct {
        const char  *time;
        int64_t      said_s;
    } rows[] = {
        { "\"update_time\": \"2026-11-21T05:02:00.000Z\"", 1795237320 },
        { "\"update_time\": \"2026-11-21T05:02:01Z\"", 1795237321 },
        { "\"update_time\": \"2026-11-21T05:02:01.9Z\"", 1795237321 },
        { "\"update_time\": \"2026-11-21T05:02:00.0a0Z\"", 0 },
        { "\"update_time\": \"2026-11-21T05:02:00.000\"", 0 },
        { "\"update_time\": \"2026-11-21T05:02:00+00:00Z\"", 0 },
        { "\"update_time\": \"2026-11-21T05:02Z\"", 0 },
        { "\"update_time\": \"2026-13-21T05:02:00.000Z\"", 0 },
        { "\"update_time\": \"1969-11-21T05:02:00.000Z\"", 0 },
        { "\"update_time\": \"\"", 0 },
        { "\"update_time\": 1795237320", 0 },
        { "\"updated\": \"2026-11-21T05:02:00.000Z\"", 0 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        /* the first of them is an inquiry, which is no event */
        body = replaced(arena, text, rows[0].time, "\"x\": 1");
        body = replaced(arena, body, rows[0].time, rows[i].time);
        listed = kit_listed(arena, psp, kit_table(psp), &list,
                            answered(200, body));
        cr_assert_eq(listed.count, 11, "%u", listed.count);
        cr_expect_eq(listed.events[1].said_s, 0);
        cr_expect_eq(listed.events[5].said_s, rows[i].said_s, "%s: %ld",
                     rows[i].time, (long) listed.events[5].said_s);
        cr_expect_eq(listed.events[7].said_s, rows[0].said_s, "%s",
                     rows[i].time);
    }
}


/* Money that PayPal took back was ignored.  A dispute may be about the same
 * money, so that this one is no refund. */
Test(pay_psp_after, a_capture_that_paypal_takes_back_is_one_that_failed)
{
    unsigned                  i;
    pay_str_t                 text;
    pay_arena_t              *arena = test_arena();
    pay_psp_list_t            list = kit_list();
    pay_psp_listed_t          listed;
    const pay_psp_event_t    *event;
    const pay_psp_adapter_t  *psp = psp_of("paypal");

    text = replaced(arena, fixture(arena, psp, "list-after-the-sale.json"),
                    "PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED");

    for (i = 0; i < 2; i++) {
        listed = kit_listed(arena, psp, kit_table(psp), &list,
                            answered(200, text));
        cr_assert_eq(listed.count, 10, "%u", listed.count);

        event = &listed.events[1];
        cr_expect(event->about == PAY_ABOUT_CAPTURE
                  && event->news == PAY_NEWS_FAILED);
        cr_expect(pay_str_is(event->object, "1JU08902781691411"));
        cr_expect(pay_str_is(event->code, "reversed"));
        cr_expect(event->has_amount && event->amount_minor == 3000);
        cr_expect(pay_str_is(event->reference,
                             i == 0 ? "3C679366HH908993F"
                                    : "1JU08902781691411"), "%u", i);

        /* the object may be the capture itself */
        text = (i == 0) ? replaced(arena, text, "/captures/", "/x/") : text;
    }
}
