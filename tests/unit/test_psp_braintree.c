/*
 * Braintree's notifications: the form, the XML reader's refusals, and what the
 * texts become.  Each fixture and its cuts: test_conformance.c.
 */

#include "psp_world.h"

#include "pay_crypto.h"


#define NOTE(kind, subject)                                                   \
    "<notification><timestamp type=\"datetime\">2026-11-21T05:47:59Z"         \
    "</timestamp><kind>" kind "</kind><subject>" subject "</subject>"         \
    "</notification>"
#define SETTLED(inside)                                                       \
    NOTE("transaction_settled", "<transaction><id>t1</id>" inside             \
         "</transaction>")
#define MONEY(amount, currency)                                               \
    "<amount>" amount "</amount><currency-iso-code>" currency                 \
    "</currency-iso-code>"


static const pay_psp_adapter_t *
braintree(void)
{
    return pay_psp_find(PAY_STR("braintree"));
}


static pay_status_t
form_read(pay_arena_t *arena, pay_str_t form, pay_psp_event_t *event)
{
    unsigned          count = 0;
    pay_status_t      status;
    pay_psp_event_t   events[PAY_PSP_EVENTS_MAX];

    memset(events, 0xa5, sizeof(events));
    status = braintree()->webhook_events(arena, &account, PAY_STR("ignored"),
                                         form, events, &count, NULL);
    if (status == PAY_OK) {
        cr_assert_eq(count, 1);
        *event = events[0];
    }

    return status;
}


/* The XML in base64, as a form has it. */
static pay_str_t
form_of(pay_arena_t *arena, pay_str_t xml)
{
    pay_buf_t  buf;
    pay_str_t  text, form;

    cr_assert_eq(pay_base64_encode(arena, xml, &text), PAY_OK);
    pay_buf_init(&buf, arena, 4000000);
    pay_buf_text(&buf, "bt_signature=k%7C00&bt_payload=");
    pay_buf_percent(&buf, text);
    cr_assert_eq(pay_buf_done(&buf, &form), PAY_OK);

    return form;
}


static pay_status_t
xml_read(pay_arena_t *arena, const char *xml, pay_psp_event_t *event)
{
    return form_read(arena, form_of(arena, pay_str_of(xml)), event);
}


Test(pay_psp_braintree, kind_subject_and_time_stand_in_for_the_missing_id)
{
    size_t            i;
    pay_psp_event_t   event;

    static const struct {
        const char  *xml;
        const char  *id;
    } rows[] = {
        { SETTLED(MONEY("30.00", "USD")),
          "transaction_settled:t1:2026-11-21T05:47:59Z" },
        { NOTE("check", "<check type=\"boolean\">true</check>"),
          "check:-:2026-11-21T05:47:59Z" },
        { NOTE("dispute_won", "<dispute><id>d1</id>" MONEY("30.00", "USD")
               "<transaction><id>t1</id></transaction></dispute>"),
          "dispute_won:d1:2026-11-21T05:47:59Z" },
        { NOTE("local_payment_expired", "<local-payment-expired><payment-id>"
               "p1</payment-id></local-payment-expired>"),
          "local_payment_expired:p1:2026-11-21T05:47:59Z" },
        { NOTE("what_is_new", "<thing><id>a/b</id></thing>"),
          "what_is_new:-:2026-11-21T05:47:59Z" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(xml_read(test_arena(), rows[i].xml, &event),
                     PAY_OK, "%zu", i);
        cr_expect(pay_str_is(event.event_id, rows[i].id), "%.*s",
                  pay_fmt(event.event_id));
    }
}


Test(pay_psp_braintree, our_reference_names_the_registration)
{
    pay_psp_event_t   event;

    cr_assert_eq(xml_read(test_arena(),
                          SETTLED(MONEY("30.00", "USD") "<order-id>" REFERENCE
                                  "</order-id>"), &event), PAY_OK);
    cr_expect(pay_str_is(event.token, REFERENCE));
    cr_expect(pay_str_is(event.reference, "t1"));

    /* one that is not of our alphabet names nothing */
    cr_assert_eq(xml_read(test_arena(),
                          SETTLED(MONEY("30.00", "USD")
                                  "<order-id>a b</order-id>"), &event),
                 PAY_OK);
    cr_expect(pay_str_is(event.token, "t1"));
}


/* Decimals that are left out are filled up; anything else is 0, which no
 * order has. */
Test(pay_psp_braintree, amounts_are_read_exactly)
{
    size_t            i;
    pay_psp_event_t   event;

    static const struct {
        const char  *xml;
        int64_t      minor;
    } rows[] = {
        { SETTLED(MONEY("30.00", "USD")), 3000 },
        { SETTLED(MONEY("30", "USD")), 3000 },
        { SETTLED(MONEY("30.0", "USD")), 3000 },
        { SETTLED(MONEY("30.", "USD")), 3000 },
        { SETTLED(MONEY("3000", "JPY")), 3000 },
        { SETTLED(MONEY("3.0", "KWD")), 3000 },
        { SETTLED(MONEY("9999999999999.99", "USD")), PAY_AMOUNT_MAX_MINOR },
        { SETTLED(MONEY("30.000", "USD")), 0 },
        { SETTLED(MONEY("3000.0", "JPY")), 0 },
        { SETTLED(MONEY("-30.00", "USD")), 0 },
        { SETTLED(MONEY("+30.00", "USD")), 0 },
        { SETTLED(MONEY("030.00", "USD")), 0 },
        { SETTLED(MONEY("30,00", "USD")), 0 },
        { SETTLED(MONEY("3e1", "USD")), 0 },
        { SETTLED(MONEY("30.0.0", "USD")), 0 },
        { SETTLED(MONEY(".5", "USD")), 0 },
        { SETTLED(MONEY("3&#48;.00", "USD")), 0 },
        { SETTLED(MONEY("10000000000000.00", "USD")), 0 },
        { SETTLED(MONEY("30.00", "XXX")), 0 },
        { SETTLED(MONEY("30.00", "ZZZ")), 0 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(xml_read(test_arena(), rows[i].xml, &event),
                     PAY_OK, "%s", rows[i].xml);
        cr_expect(event.has_amount && event.fact == PAY_FACT_PAID);
        cr_expect_eq(event.amount_minor, rows[i].minor, "%s", rows[i].xml);
    }
}


/* What is not an amount and a currency is no proof of money. */
Test(pay_psp_braintree, a_settled_transaction_without_money_is_refused)
{
    size_t            i;
    pay_psp_event_t   event;

    static const char *const  rows[] = {
        SETTLED(""), SETTLED("<amount>30.00</amount>"),
        SETTLED("<currency-iso-code>USD</currency-iso-code>"),
        SETTLED(MONEY("", "USD")), SETTLED(MONEY("30.00", "usd")),
        SETTLED(MONEY("30.00", "US")),
        SETTLED("<x>" MONEY("30.00", "USD") "</x>")
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(xml_read(test_arena(), rows[i], &event),
                     PAY_INVALID, "%s", rows[i]);
    }
}


/* What an XML parser could be led astray with. */
Test(pay_psp_braintree, xml_that_is_not_plain_is_refused)
{
    size_t            i;
    pay_psp_event_t   event;

    static const char *const  rows[] = {
        "", " ", "<", "<>", "</notification>", "notification", "<a/>",
        "<notification>", "<notification/>", "<notification></notification>",
        "<!DOCTYPE a>" SETTLED(MONEY("1", "USD")),
        "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]>"
        SETTLED(MONEY("&b;", "USD")),
        SETTLED(MONEY("&b;", "USD")), SETTLED(MONEY("&", "USD")),
        SETTLED(MONEY("&#;", "USD")), SETTLED(MONEY("&#x;", "USD")),
        SETTLED(MONEY("&#12345678;", "USD")), SETTLED(MONEY("&amp", "USD")),
        SETTLED(MONEY("1", "USD") "<!-- -->"),
        SETTLED(MONEY("<![CDATA[1]]>", "USD")),
        SETTLED(MONEY("1", "USD") "<?php x?>"),
        SETTLED(MONEY("1", "USD") "<amount>2</amount>"),
        SETTLED(MONEY("1", "USD") "text"),
        SETTLED("text" MONEY("1", "USD")),
        SETTLED(MONEY("1", "USD") "<a></b>"),
        SETTLED(MONEY("1", "USD") "<a"),
        SETTLED(MONEY("1", "USD") "<a b></a>"),
        SETTLED(MONEY("1", "USD") "<a b=c></a>"),
        SETTLED(MONEY("1", "USD") "<a b=\"<\"></a>"),
        SETTLED(MONEY("1", "USD") "<a b=\"1\"c=\"2\"></a>"),
        SETTLED(MONEY("1", "USD") "<1a></1a>"),
        SETTLED(MONEY("1", "USD") "< a></a>"),
        SETTLED(MONEY("1", "USD") "<a>\x01</a>"),
        SETTLED(MONEY("1", "USD") "<a>></a>"),
        SETTLED(MONEY("1", "USD")) "<notification></notification>",
        SETTLED(MONEY("1", "USD")) "x",
        "x" SETTLED(MONEY("1", "USD")),
        "\xef\xbb\xbf" SETTLED(MONEY("1", "USD")),
        "<?xml version=\"1.0\"?" SETTLED(MONEY("1", "USD")),
        "<?xml <!ENTITY a>?>" SETTLED(MONEY("1", "USD")),
        "<other><kind>check</kind><timestamp>2026</timestamp></other>",
        NOTE("transaction_settled", "<transaction><id>t1</id>"
             MONEY("1", "USD") "</transaction><transaction><id>t2</id>"
             "</transaction>"),
        NOTE("transaction_settled", "<a><id>t1</id></a><b><id>t2</id></b>"),
        NOTE("a b", "<check>true</check>"), NOTE("", "<check>true</check>"),
        NOTE("check</kind><kind>other", "<check>true</check>"),
        "<notification><kind>check</kind></notification>",
        "<notification><kind>check</kind><timestamp>2026 now</timestamp>"
        "</notification>"
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(xml_read(test_arena(), rows[i], &event),
                     PAY_INVALID, "%s", rows[i]);
    }
}


Test(pay_psp_braintree, harmless_xml_is_taken)
{
    size_t            i;
    pay_psp_event_t   event;

    static const char *const  rows[] = {
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        SETTLED(MONEY("1", "USD")) "\n",
        SETTLED(MONEY(" 1\n", "USD")),
        SETTLED(MONEY("1", "USD") "<a/><b c='d' e=\"f>\"/>"),
        SETTLED(MONEY("1", "USD") "<a>&amp;&lt;&gt;&quot;&apos;&#233;&#xE9;"
                "</a>"),
        SETTLED(MONEY("1", "USD") "<a>caf\xc3\xa9</a>"),
        SETTLED(MONEY("1", "USD") "<amounts><amount>2</amount></amounts>"),
        SETTLED(MONEY("1", "USD") "<a ></a >")
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(xml_read(test_arena(), rows[i], &event), PAY_OK,
                     "%s", rows[i]);
        cr_expect_eq(event.amount_minor, 100, "%s", rows[i]);
    }
}


/* `count` times `open`, then SETTLED's end. */
static pay_str_t
repeated(pay_arena_t *arena, const char *part, unsigned count)
{
    unsigned   i;
    pay_buf_t  buf;
    pay_str_t  out;

    pay_buf_init(&buf, arena, 1000000);
    pay_buf_text(&buf, "<notification>");

    for (i = 0; i < count; i++) {
        pay_buf_text(&buf, part);
    }

    pay_buf_text(&buf, "<kind>check</kind><timestamp>2026</timestamp>"
                       "</notification>");
    cr_assert_eq(pay_buf_done(&buf, &out), PAY_OK);

    return out;
}


Test(pay_psp_braintree, deep_wide_and_long_documents_have_limits)
{
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   event;

    cr_expect_eq(form_read(arena, form_of(arena, repeated(arena, "<a/>",
                                                          4000)), &event),
                 PAY_OK);
    cr_expect_eq(form_read(arena, form_of(arena, repeated(arena, "<a/>",
                                                          4096)), &event),
                 PAY_INVALID);
    cr_expect_eq(form_read(arena, form_of(arena, repeated(arena, "<a>",
                                                          10000)), &event),
                 PAY_INVALID);
    cr_expect_eq(form_read(arena, form_of(arena, repeated(arena, "<a>x</a>",
                                                          60000)), &event),
                 PAY_INVALID);
}


/* A long text is cut, so it must not become another, valid one. */
Test(pay_psp_braintree, a_long_text_is_not_cut_to_a_valid_one)
{
    char              xml[2048], digits[301];
    pay_psp_event_t   event;

    memset(digits, 'a', 300);
    digits[300] = '\0';

    snprintf(xml, sizeof(xml), "<notification><kind>transaction_settlement_"
             "declined</kind><timestamp>2026</timestamp><subject><transaction>"
             "<id>%s</id></transaction></subject></notification>", digits);
    cr_expect_eq(xml_read(test_arena(), xml, &event), PAY_INVALID);

    snprintf(xml, sizeof(xml), "<notification><kind>%s</kind><timestamp>2026"
             "</timestamp></notification>", digits);
    cr_expect_eq(xml_read(test_arena(), xml, &event), PAY_INVALID);
}


/* The scheme has verified one field: no other may be read. */
Test(pay_psp_braintree, the_form_has_one_payload)
{
    size_t            i;
    pay_str_t         good, form;
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   event;

    static const char *const  rows[] = {
        "", "bt_payload", "bt_payload=", "bt_payload=%", "bt_payload=%4",
        "bt_payload=%41", "bt_payload=a+b=", "bt_payload=a b=",
        "bt_payload=####", "bt_payload=PGE", "bt_payload=PGEvPg",
        "BT_PAYLOAD=PGEvPg==", "bt%5Fpayload=PGEvPg==",
        "a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&a&bt_payload=PGEvPg=="
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_expect_eq(form_read(arena, pay_str_of(rows[i]), &event),
                     PAY_INVALID, "%s", rows[i]);
    }

    good = fixture(arena, braintree(), "webhook-transaction-settled.form");
    cr_expect_eq(form_read(arena, good, &event), PAY_OK);

    cr_assert_eq(pay_format(arena, &form, FIXTURE_MAX, "%.*s&bt_payload=PGEv",
                            pay_fmt(good)), PAY_OK);
    cr_expect_eq(form_read(arena, form, &event), PAY_INVALID);
    cr_assert_eq(pay_format(arena, &form, FIXTURE_MAX, "bt_payload=&%.*s",
                            pay_fmt(good)), PAY_OK);
    cr_expect_eq(form_read(arena, form, &event), PAY_INVALID);
    cr_assert_eq(pay_format(arena, &form, FIXTURE_MAX, "bt_payload2=x&%.*s&y",
                            pay_fmt(good)), PAY_OK);
    cr_expect_eq(form_read(arena, form, &event), PAY_OK);
}
