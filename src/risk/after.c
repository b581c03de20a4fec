/*
 * The terms by which PostgreSQL judges the words of PSPs about cards: the
 * windows by card and issuer number, and the effect of a block.  They are the
 * same for each event, so that they are made once.
 */

#include "risk.h"


static void add_window(pay_buf_t *buf, const pay_risk_t *risk,
    const pay_risk_velocity_t *velocity);
static void text_member(pay_buf_t *buf, const char *name, pay_str_t text);
static void int_member(pay_buf_t *buf, const char *name, int64_t number);


pay_status_t
pay_risk_after(pay_arena_t *arena, const pay_risk_t *risk, pay_str_t *json)
{
    int         has_some = 0;
    unsigned    i;
    pay_buf_t   buf;

    pay_buf_init(&buf, arena, PAY_RISK_DOCUMENT_MAX);
    pay_buf_text(&buf, risk->is_shadow ? "{\"shadow\":true"
                                       : "{\"shadow\":false");
    text_member(&buf, "version", pay_str_of(risk->version));
    text_member(&buf, "block", pay_str_of(risk->voids ? "void" : "hold"));

    if (risk->review.len != 0) {
        pay_buf_text(&buf, ",\"review\":");
        pay_buf_add(&buf, risk->review);
    }

    pay_buf_text(&buf, ",\"windows\":[");

    for (i = 0; i < risk->velocity_count; i++) {
        if (pay_risk_is_after(risk->velocities[i].key)) {
            pay_buf_text(&buf, has_some ? "," : "");
            add_window(&buf, risk, &risk->velocities[i]);
            has_some = 1;
        }
    }

    pay_buf_text(&buf, "]}");

    return pay_buf_done(&buf, json);
}


static void
add_window(pay_buf_t *buf, const pay_risk_t *risk,
    const pay_risk_velocity_t *velocity)
{
    pay_buf_text(buf, velocity->is_shadow || risk->is_shadow
                      ? "{\"shadow\":true" : "{\"shadow\":false");
    text_member(buf, "name", velocity->name);
    text_member(buf, "key", pay_str_of(pay_risk_key_name(velocity->key)));
    text_member(buf, "of", pay_str_of(pay_risk_of_name(velocity->of)));
    text_member(buf, "then", pay_str_of(pay_risk_action_name(velocity->then)));
    int_member(buf, "seconds", velocity->window_s);
    int_member(buf, "limit", velocity->limit);

    if (velocity->merchant_id.len != 0) {
        text_member(buf, "merchant", velocity->merchant_id);
    }

    if (velocity->currency != NULL) {
        text_member(buf, "currency", pay_str_of(velocity->currency->code));
    }

    pay_buf_text(buf, "}");
}


static void
text_member(pay_buf_t *buf, const char *name, pay_str_t text)
{
    pay_buf_text(buf, ",\"");
    pay_buf_text(buf, name);
    pay_buf_text(buf, "\":\"");
    pay_buf_json(buf, text);
    pay_buf_text(buf, "\"");
}


static void
int_member(pay_buf_t *buf, const char *name, int64_t number)
{
    pay_buf_text(buf, ",\"");
    pay_buf_text(buf, name);
    pay_buf_text(buf, "\":");
    pay_buf_int(buf, number);
}
