/*
 * The document with which PostgreSQL decides: the hits so far, the facts
 * without anything personal, the values that lists are looked up by, and the
 * windows that it counts itself.
 */

#include "risk.h"


/* A comma before each member of a list but the first. */
typedef struct {
    pay_buf_t   buf;
    int         has_some;
} list_t;

typedef struct {
    pay_arena_t             *arena;
    const pay_risk_t        *risk;
    const pay_risk_facts_t  *facts;
    list_t                   list;
    pay_risk_action_t        decision;
    int                      is_allowed;
} document_t;


static void add_rules(document_t *doc);
static void add_counted(document_t *doc, const pay_risk_counts_t *counts);
static void add_hit(document_t *doc, pay_str_t name, pay_risk_action_t then,
    int is_shadow);
static void add_facts(document_t *doc, const pay_risk_counts_t *counts);
static void add_fact(document_t *doc, pay_risk_attribute_t attribute);
static int is_private(pay_risk_attribute_t attribute);
static pay_status_t add_keys(document_t *doc);
static pay_status_t add_key(document_t *doc, const char *kind,
    pay_risk_attribute_t attribute, int is_personal);
static pay_status_t add_networks(document_t *doc);
static pay_status_t add_windows(document_t *doc);
static pay_status_t add_window(document_t *doc,
    const pay_risk_velocity_t *velocity);
static void pair(document_t *doc, const char *kind, pay_str_t value);
static void quoted(pay_buf_t *buf, pay_str_t text);
static void next(list_t *list);
static void text_member(pay_buf_t *buf, const char *name, const char *text);


/* Hits come first in the document, but the decision is known only behind
 * them. */
pay_status_t
pay_risk_document(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_facts_t *facts, const pay_risk_counts_t *counts,
    pay_str_t *json)
{
    pay_buf_t   *buf;
    document_t   doc = {
        .arena = arena, .risk = risk, .facts = facts,
        .decision = PAY_RISK_ALLOW
    };

    buf = &doc.list.buf;
    pay_buf_init(buf, arena, PAY_RISK_DOCUMENT_MAX);
    pay_buf_text(buf, "{\"hits\":[");
    add_rules(&doc);
    add_counted(&doc, counts);
    pay_buf_text(buf, "]");
    text_member(buf, "decision", pay_risk_action_name(doc.decision));
    pay_buf_text(buf, doc.is_allowed ? ",\"allowed\":true"
                                     : ",\"allowed\":false");
    text_member(buf, "version", risk->version);
    add_facts(&doc, counts);
    PAY_TRY(add_keys(&doc));
    PAY_TRY(add_windows(&doc));
    pay_buf_text(buf, "}");

    return pay_buf_done(buf, json);
}


static void
add_rules(document_t *doc)
{
    unsigned                i;
    const pay_risk_rule_t  *rule;

    for (i = 0; i < doc->risk->rule_count; i++) {
        rule = &doc->risk->rules[i];

        if (pay_risk_is_of(rule->merchant_id, doc->facts)
            && pay_risk_rule_hits(rule, doc->facts))
        {
            add_hit(doc, rule->name, rule->then, rule->is_shadow);
        }
    }
}


/* One hit is enough for a checkout with several sellers. */
static void
add_counted(document_t *doc, const pay_risk_counts_t *counts)
{
    unsigned                    i;
    const pay_risk_velocity_t  *velocity, *last = NULL;

    for (i = 0; i < counts->count; i++) {
        velocity = counts->items[i].velocity;

        if (counts->items[i].count > velocity->limit && velocity != last) {
            add_hit(doc, velocity->name, velocity->then, velocity->is_shadow);
            last = velocity;
        }
    }
}


static void
add_hit(document_t *doc, pay_str_t name, pay_risk_action_t then,
    int is_shadow)
{
    pay_buf_t  *buf = &doc->list.buf;

    is_shadow = is_shadow || doc->risk->is_shadow;

    next(&doc->list);
    pay_buf_text(buf, "{\"name\":");
    quoted(buf, name);
    text_member(buf, "then", pay_risk_action_name(then));
    pay_buf_text(buf, is_shadow ? ",\"shadow\":true}" : ",\"shadow\":false}");

    if (!is_shadow) {
        doc->is_allowed |= then == PAY_RISK_ALLOW;

        if (then > doc->decision) {
            doc->decision = then;
        }
    }
}


/* A personal fact is only said to be there. */
static void
add_facts(document_t *doc, const pay_risk_counts_t *counts)
{
    unsigned    i;
    pay_buf_t  *buf = &doc->list.buf;

    pay_buf_text(buf, ",\"facts\":{");
    doc->list.has_some = 0;

    for (i = 0; i < PAY_RISK_ATTRIBUTES; i++) {
        if (doc->facts->values[i].is_known) {
            add_fact(doc, (pay_risk_attribute_t) i);
        }
    }

    pay_buf_text(buf, ",\"counts\":[");
    doc->list.has_some = 0;

    for (i = 0; i < counts->count; i++) {
        next(&doc->list);
        pay_buf_text(buf, "[");
        quoted(buf, counts->items[i].velocity->name);
        pay_buf_text(buf, ",");
        pay_buf_int(buf, counts->items[i].count);
        pay_buf_text(buf, "]");
    }

    pay_buf_text(buf, "]}");
}


static void
add_fact(document_t *doc, pay_risk_attribute_t attribute)
{
    pay_buf_t               *buf = &doc->list.buf;
    const pay_risk_value_t  *value = &doc->facts->values[attribute];

    next(&doc->list);
    quoted(buf, pay_str_of(pay_risk_attributes[attribute].name));
    pay_buf_text(buf, ":");

    if (is_private(attribute)) {
        pay_buf_text(buf, "true");

    } else if (pay_risk_attributes[attribute].type == PAY_RISK_TEXT) {
        quoted(buf, value->text);

    } else {
        pay_buf_int(buf, value->number);
    }
}


static int
is_private(pay_risk_attribute_t attribute)
{
    switch (attribute) {

    case PAY_RISK_ip:
    case PAY_RISK_email:
    case PAY_RISK_email_domain:
    case PAY_RISK_phone:
    case PAY_RISK_buyer:
    case PAY_RISK_device:
    case PAY_RISK_user_agent:
        return 1;

    default:
        return 0;
    }
}


/* In shadow no list is looked at, since a list acts. */
static pay_status_t
add_keys(document_t *doc)
{
    pay_buf_text(&doc->list.buf, ",\"keys\":[");
    doc->list.has_some = 0;

    if (!doc->risk->is_shadow) {
        PAY_TRY(add_key(doc, "email", PAY_RISK_email, 1));
        PAY_TRY(add_key(doc, "email_domain", PAY_RISK_email_domain, 0));
        PAY_TRY(add_key(doc, "phone", PAY_RISK_phone, 1));
        PAY_TRY(add_key(doc, "buyer", PAY_RISK_buyer, 1));
        PAY_TRY(add_key(doc, "device", PAY_RISK_device, 1));
        PAY_TRY(add_key(doc, "country", PAY_RISK_country, 0));
        PAY_TRY(add_key(doc, "country", PAY_RISK_billing_country, 0));
        PAY_TRY(add_key(doc, "country", PAY_RISK_shipping_country, 0));
        PAY_TRY(add_networks(doc));
    }

    pay_buf_text(&doc->list.buf, "]");

    return PAY_OK;
}


/* By each key of hashes: entries are as old as lists are. */
static pay_status_t
add_key(document_t *doc, const char *kind, pay_risk_attribute_t attribute,
    int is_personal)
{
    unsigned                 i;
    pay_str_t                hash;
    const pay_risk_value_t  *value = &doc->facts->values[attribute];

    if (!value->is_known || value->text.len == 0) {
        return PAY_OK;
    }

    if (!is_personal) {
        pair(doc, kind, value->text);
        return PAY_OK;
    }

    for (i = 0; i < doc->risk->key_count; i++) {
        PAY_TRY(pay_risk_hash(doc->arena, doc->risk, i, pay_str_of(kind),
                              value->text, &hash));
        pair(doc, kind, hash);
    }

    return PAY_OK;
}


static pay_status_t
add_networks(document_t *doc)
{
    unsigned                 i;
    pay_str_t                text;
    pay_risk_address_t       address;
    const pay_risk_value_t  *value = &doc->facts->values[PAY_RISK_ip];

    if (!value->is_known) {
        return PAY_OK;
    }

    PAY_TRY(pay_risk_address(value->text, &address));

    for (i = 0; i < PAY_RISK_PREFIXES; i++) {
        PAY_TRY(pay_risk_prefix(doc->arena, &address,
                                pay_risk_prefix_bits(&address)[i], &text));
        pair(doc, "ip", text);
    }

    return PAY_OK;
}


static pay_status_t
add_windows(document_t *doc)
{
    unsigned                    i;
    const pay_risk_velocity_t  *velocity;

    pay_buf_text(&doc->list.buf, ",\"windows\":[");
    doc->list.has_some = 0;

    for (i = 0; i < doc->risk->velocity_count; i++) {
        velocity = &doc->risk->velocities[i];

        if (!pay_risk_in_memory(velocity)
            && pay_risk_is_of(velocity->merchant_id, doc->facts))
        {
            PAY_TRY(add_window(doc, velocity));
        }
    }

    pay_buf_text(&doc->list.buf, "]");

    return PAY_OK;
}


static pay_status_t
add_window(document_t *doc, const pay_risk_velocity_t *velocity)
{
    unsigned     i, count;
    pay_buf_t   *buf = &doc->list.buf;
    pay_str_t   *values;
    const char  *key = pay_risk_key_name(velocity->key);

    PAY_TRY(pay_risk_key_values(doc->arena, doc->risk, doc->facts,
                                velocity->key, &values, &count));

    for (i = 0; i < count; i++) {
        if (!pay_risk_key_rows[velocity->key].is_personal) {
            PAY_TRY(pay_risk_hash(doc->arena, doc->risk, 0, pay_str_of(key),
                                  values[i], &values[i]));
        }

        next(&doc->list);
        pay_buf_text(buf, "{\"name\":");
        quoted(buf, velocity->name);
        text_member(buf, "key", key);
        pay_buf_text(buf, ",\"hash\":");
        quoted(buf, values[i]);
        pay_buf_text(buf, ",\"hours\":");
        pay_buf_int(buf, (velocity->window_s + 3599) / 3600);
        text_member(buf, "of", pay_risk_of_name(velocity->of));
        pay_buf_text(buf, ",\"limit\":");
        pay_buf_int(buf, velocity->limit);

        if (velocity->currency != NULL) {
            text_member(buf, "currency", velocity->currency->code);
        }

        text_member(buf, "then", pay_risk_action_name(velocity->then));
        pay_buf_text(buf, velocity->is_shadow || doc->risk->is_shadow
                          ? ",\"shadow\":true}" : ",\"shadow\":false}");
    }

    return PAY_OK;
}


static void
pair(document_t *doc, const char *kind, pay_str_t value)
{
    pay_buf_t  *buf = &doc->list.buf;

    next(&doc->list);
    pay_buf_text(buf, "[");
    quoted(buf, pay_str_of(kind));
    pay_buf_text(buf, ",");
    quoted(buf, value);
    pay_buf_text(buf, "]");
}


static void
quoted(pay_buf_t *buf, pay_str_t text)
{
    pay_buf_text(buf, "\"");
    pay_buf_json(buf, text);
    pay_buf_text(buf, "\"");
}


static void
next(list_t *list)
{
    if (list->has_some) {
        pay_buf_text(&list->buf, ",");
    }

    list->has_some = 1;
}


/* A member behind another one, whose name and text need no escapes. */
static void
text_member(pay_buf_t *buf, const char *name, const char *text)
{
    pay_buf_text(buf, ",\"");
    pay_buf_text(buf, name);
    pay_buf_text(buf, "\":\"");
    pay_buf_text(buf, text);
    pay_buf_text(buf, "\"");
}
