/*
 * Razorpay's events: what stands in for an id that nobody signs, and whose
 * amount counts.  Each fixture: test_conformance.c.
 */

#include "psp_world.h"


static const pay_psp_adapter_t *
razorpay(void)
{
    return pay_psp_find(PAY_STR("razorpay"));
}


static pay_status_t
event_read(pay_arena_t *arena, pay_str_t body, const char *header,
    pay_psp_event_t *event)
{
    unsigned          count = 0;
    pay_status_t      status;
    pay_psp_event_t   events[PAY_PSP_EVENTS_MAX];

    status = razorpay()->webhook_events(arena, &account, pay_str_of(header),
                                        body, events, &count, NULL);
    if (status == PAY_OK) {
        cr_assert_eq(count, 1);
        *event = events[0];
    }

    return status;
}


static pay_status_t
event_with(pay_arena_t *arena, const char *file, const char *from,
    const char *to, pay_psp_event_t *event)
{
    return event_read(arena, replaced(arena, fixture(arena, razorpay(), file),
                                      from, to), "", event);
}


/* A replayed body under another header is the same event. */
Test(pay_psp_razorpay, the_id_is_made_of_what_is_signed)
{
    size_t            i;
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   event;

    static const char *const  headers[] = { "", "MffBVrCjBgbeFj", "other" };

    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        cr_assert_eq(event_read(arena,
                                fixture(arena, razorpay(),
                                        "webhook-payment-link-paid.json"),
                                headers[i], &event), PAY_OK);
        cr_expect(pay_str_is(event.event_id, "payment_link.paid:"
                             "plink_QPNWTCDtoLDvn6:1795238300"), "%.*s",
                  pay_fmt(event.event_id));
    }
}


Test(pay_psp_razorpay, links_and_orders_are_named_by_their_ids)
{
    size_t            i;
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   event;

    static const struct {
        const char  *file;
        const char  *token;
        const char  *reference;
    } rows[] = {
        { "webhook-payment-link-paid.json", "plink_QPNWTCDtoLDvn6",
          "pay_MeJSOYP4oB16qr" },
        { "webhook-payment-link-expired.json", "plink_QPNWTCDtoLDvn6", "" },
        { "webhook-order-paid.json", "order_NEcNvfm7gxXoi4",
          "pay_MeJSOYP4oB16qr" },
        { "webhook-payment-captured.json", "order_NEcNvfm7gxXoi4",
          "pay_MeJSOYP4oB16qr" },
        { "webhook-payment-captured-orderless.json", "",
          "pay_MeJSOYP4oB16qr" },
        { "webhook-payment-failed.json", "", "" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(event_read(arena, fixture(arena, razorpay(),
                                               rows[i].file), "", &event),
                     PAY_OK);
        cr_expect(pay_str_is(event.token, rows[i].token), "%s",
                  rows[i].file);
        cr_expect(pay_str_is(event.reference, rows[i].reference), "%s",
                  rows[i].file);
    }
}


/* What came in, not what the link asked for. */
Test(pay_psp_razorpay, the_payments_amount_counts)
{
    pay_arena_t      *arena = test_arena();
    pay_psp_event_t   event;

    cr_assert_eq(event_with(arena, "webhook-payment-link-paid.json",
                            "\"entity\": \"payment\",\n        \"amount\": "
                            "3000", "\"entity\": \"payment\",\n        "
                            "\"amount\": 2999", &event), PAY_OK);
    cr_expect_eq(event.amount_minor, 2999);
}
