/*
 * The findings that PostgreSQL decides with: the hits so far, the facts
 * without anything personal, the values that lists are looked up by, and the
 * windows that it counts itself.
 */

#include "risk.h"
#include "pay_risk_provider.h"


/* A value has a hash for each key, and an address its prefixes. */
#define KEYS_MAX  (PAY_RISK_ATTRIBUTES * PAY_RISK_HASHES + PAY_RISK_PREFIXES)

/* - buf, has_some: of the document, and whether its list has a member yet.
 * - decision, is_allowed: of the hits.
 * - rules: the most severe rule that is live. */
typedef struct {
    pay_arena_t             *arena;
    const pay_risk_t        *risk;
    const pay_risk_facts_t  *facts;
    pay_risk_findings_t     *found;
    pay_buf_t                buf;
    int                      has_some;
    pay_risk_action_t        decision;
    int                      is_allowed;
    pay_risk_action_t        rules;
    pay_risk_total_t         total;
} finding_t;


static pay_status_t find_hits(finding_t *finding,
    const pay_risk_counts_t *counts);
static void add_counted(finding_t *finding, const pay_risk_counts_t *counts);
static void add_hit(finding_t *finding, pay_str_t name, pay_risk_action_t then,
    int is_shadow);
static void find_score(finding_t *finding, const pay_risk_counts_t *counts);
static pay_status_t write_document(finding_t *finding,
    const pay_risk_counts_t *counts);
static void add_facts(finding_t *finding, const pay_risk_counts_t *counts);
static void add_fact(finding_t *finding, pay_risk_attribute_t attribute);
static void add_word(finding_t *finding);
static pay_status_t add_buyer(finding_t *finding);
static pay_status_t add_device(finding_t *finding);
static pay_status_t find_keys(finding_t *finding);
static pay_status_t add_key(finding_t *finding, const char *kind,
    pay_risk_attribute_t attribute, int is_personal);
static pay_status_t add_networks(finding_t *finding);
static void add_value(finding_t *finding, const char *kind, pay_str_t value);
static pay_status_t find_windows(finding_t *finding);
static pay_status_t add_window(finding_t *finding,
    const pay_risk_velocity_t *velocity);
static void quoted(pay_buf_t *buf, pay_str_t text);
static void next(finding_t *finding);
static void text_member(pay_buf_t *buf, const char *name, const char *text);


pay_status_t
pay_risk_find(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_facts_t *facts, const pay_risk_counts_t *counts,
    pay_risk_findings_t *findings)
{
    finding_t  finding = {
        .arena = arena, .risk = risk, .facts = facts, .found = findings,
        .decision = PAY_RISK_ALLOW
    };

    memset(findings, 0, sizeof(*findings));
    PAY_TRY(find_hits(&finding, counts));
    find_score(&finding, counts);
    PAY_TRY(write_document(&finding, counts));
    PAY_TRY(find_keys(&finding));

    return find_windows(&finding);
}


/* The hits are thrown away: pay_risk_find() finds them again, with the word of
 * the provider that is asked meanwhile. */
pay_status_t
pay_risk_is_decided(pay_arena_t *arena, const pay_risk_t *risk,
    const pay_risk_facts_t *facts, const pay_risk_counts_t *counts,
    int *is_decided)
{
    pay_risk_findings_t  unused;
    finding_t            finding = {
        .arena = arena, .risk = risk, .facts = facts, .found = &unused,
        .decision = PAY_RISK_ALLOW
    };

    memset(&unused, 0, sizeof(unused));
    PAY_TRY(find_hits(&finding, counts));
    *is_decided = finding.is_allowed || finding.decision == PAY_RISK_BLOCK;

    return PAY_OK;
}


static pay_status_t
find_hits(finding_t *finding, const pay_risk_counts_t *counts)
{
    unsigned                i;
    const pay_risk_t       *risk = finding->risk;
    const pay_risk_rule_t  *rule;

    finding->found->hits = pay_calloc(finding->arena,
                                      (risk->rule_count + risk->velocity_count
                                       + 1) * sizeof(pay_risk_hit_t));
    if (finding->found->hits == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < risk->rule_count; i++) {
        rule = &risk->rules[i];

        if (pay_risk_is_of(rule->merchant_id, finding->facts)
            && pay_risk_rule_hits(rule, finding->facts))
        {
            add_hit(finding, rule->name, rule->then, rule->is_shadow);

            if (!rule->is_shadow && rule->then > finding->rules) {
                finding->rules = rule->then;
            }
        }
    }

    add_counted(finding, counts);

    return PAY_OK;
}


/* One hit is enough for a checkout with several sellers. */
static void
add_counted(finding_t *finding, const pay_risk_counts_t *counts)
{
    unsigned                    i;
    const pay_risk_velocity_t  *velocity, *last = NULL;

    for (i = 0; i < counts->count; i++) {
        velocity = counts->items[i].velocity;

        if (counts->items[i].count > velocity->limit && velocity != last) {
            add_hit(finding, velocity->name, velocity->then,
                    velocity->is_shadow);
            last = velocity;
        }
    }
}


static void
add_hit(finding_t *finding, pay_str_t name, pay_risk_action_t then,
    int is_shadow)
{
    pay_risk_hit_t  *hit;

    is_shadow = is_shadow || finding->risk->is_shadow;
    hit = &finding->found->hits[finding->found->hit_count++];
    *hit = (pay_risk_hit_t) { name, then, is_shadow };

    if (!is_shadow) {
        finding->is_allowed |= then == PAY_RISK_ALLOW;

        if (then > finding->decision) {
            finding->decision = then;
        }
    }
}


/* It is a hit like any other, which SQL writes down; the decision has it. */
static void
find_score(finding_t *finding, const pay_risk_counts_t *counts)
{
    pay_risk_total_t  *total = &finding->total;

    pay_risk_total(finding->risk, finding->facts, counts, finding->rules,
                   total);

    if (!total->is_shadow && total->then > finding->decision) {
        finding->decision = total->then;
    }
}


static pay_status_t
write_document(finding_t *finding, const pay_risk_counts_t *counts)
{
    pay_buf_t  *buf = &finding->buf;

    pay_buf_init(buf, finding->arena, PAY_RISK_DOCUMENT_MAX);
    pay_buf_text(buf, "{\"decision\":\"");
    pay_buf_text(buf, pay_risk_action_name(finding->decision));
    pay_buf_text(buf, finding->is_allowed ? "\",\"allowed\":true"
                                          : "\",\"allowed\":false");
    text_member(buf, "version", finding->risk->version);
    PAY_TRY(add_buyer(finding));
    PAY_TRY(add_device(finding));
    add_word(finding);
    add_facts(finding, counts);
    pay_risk_total_write(&finding->total, buf);
    pay_buf_text(buf, "}");

    return pay_buf_done(buf, &finding->found->json);
}


/* A personal fact is only said to be there. */
static void
add_facts(finding_t *finding, const pay_risk_counts_t *counts)
{
    unsigned    i;
    pay_buf_t  *buf = &finding->buf;

    pay_buf_text(buf, ",\"facts\":{");
    finding->has_some = 0;

    for (i = 0; i < PAY_RISK_ATTRIBUTES; i++) {
        if (finding->facts->values[i].is_known) {
            add_fact(finding, (pay_risk_attribute_t) i);
        }
    }

    pay_buf_text(buf, ",\"counts\":[");
    finding->has_some = 0;

    for (i = 0; i < counts->count; i++) {
        /* they are in the vector */
        if (pay_risk_is_feature(counts->items[i].velocity)) {
            continue;
        }

        next(finding);
        pay_buf_text(buf, "[");
        quoted(buf, counts->items[i].velocity->name);
        pay_buf_text(buf, ",");
        pay_buf_int(buf, counts->items[i].count);
        pay_buf_text(buf, "]");
    }

    pay_buf_text(buf, "]}");
}


static void
add_fact(finding_t *finding, pay_risk_attribute_t attribute)
{
    pay_buf_t               *buf = &finding->buf;
    const pay_risk_value_t  *value = &finding->facts->values[attribute];

    next(finding);
    quoted(buf, pay_str_of(pay_risk_attributes[attribute].name));
    pay_buf_text(buf, ":");

    if (pay_risk_is_private(attribute)) {
        pay_buf_text(buf, "true");

    } else if (pay_risk_attributes[attribute].type == PAY_RISK_TEXT) {
        quoted(buf, value->text);

    } else {
        pay_buf_int(buf, value->number);
    }
}


/* Earlier checkouts are found by the first key's hash, see pay_risk_buyer(). */
static pay_status_t
add_buyer(finding_t *finding)
{
    pay_str_t  hex;

    PAY_TRY(pay_risk_buyer(finding->arena, finding->risk, 0, finding->facts,
                           &hex));

    if (hex.len != 0) {
        pay_buf_text(&finding->buf, ",\"buyer\":");
        quoted(&finding->buf, hex);
    }

    return PAY_OK;
}


/* For the vectors of later checkouts of the buyer, where there are any. */
static pay_status_t
add_device(finding_t *finding)
{
    pay_str_t  hex;

    if (!pay_risk_has_model(finding->risk, finding->facts)) {
        return PAY_OK;
    }

    PAY_TRY(pay_risk_device(finding->arena, finding->risk, 0, finding->facts,
                            &hex));

    if (hex.len != 0) {
        pay_buf_text(&finding->buf, ",\"device\":");
        quoted(&finding->buf, hex);
    }

    return PAY_OK;
}


/* The word of an external provider.  Its name needs no escapes. */
static void
add_word(finding_t *finding)
{
    pay_buf_t              *buf = &finding->buf;
    const pay_risk_word_t  *word = finding->facts->word;

    if (word == NULL) {
        return;
    }

    pay_buf_text(buf, ",\"provider\":{\"name\":");
    quoted(buf, word->provider->name);
    text_member(buf, "then", pay_risk_action_name(word->then));
    pay_buf_text(buf, word->provider->is_shadow || finding->risk->is_shadow
                      ? ",\"shadow\":true" : ",\"shadow\":false");

    if (word->failed != NULL) {
        text_member(buf, "failed", word->failed);
    }

    if (word->reference.len != 0) {
        pay_buf_text(buf, ",\"reference\":");
        quoted(buf, word->reference);
    }

    pay_buf_text(buf, "}");
}


/* In shadow no list is looked at, since a list acts. */
static pay_status_t
find_keys(finding_t *finding)
{
    if (finding->risk->is_shadow) {
        return PAY_OK;
    }

    finding->found->keys = pay_calloc(finding->arena,
                                      KEYS_MAX * sizeof(pay_risk_kept_t));
    if (finding->found->keys == NULL) {
        return PAY_NO_MEMORY;
    }

    PAY_TRY(add_key(finding, "email", PAY_RISK_email, 1));
    PAY_TRY(add_key(finding, "email_domain", PAY_RISK_email_domain, 0));
    PAY_TRY(add_key(finding, "phone", PAY_RISK_phone, 1));
    PAY_TRY(add_key(finding, "buyer", PAY_RISK_buyer, 1));
    PAY_TRY(add_key(finding, "device", PAY_RISK_device, 1));
    PAY_TRY(add_key(finding, "country", PAY_RISK_country, 0));
    PAY_TRY(add_key(finding, "country", PAY_RISK_billing_country, 0));
    PAY_TRY(add_key(finding, "country", PAY_RISK_shipping_country, 0));

    return add_networks(finding);
}


/* By each key of hashes: entries are as old as lists are. */
static pay_status_t
add_key(finding_t *finding, const char *kind, pay_risk_attribute_t attribute,
    int is_personal)
{
    unsigned                 i;
    pay_str_t                hash;
    const pay_risk_value_t  *value = &finding->facts->values[attribute];

    if (!value->is_known || value->text.len == 0) {
        return PAY_OK;
    }

    if (!is_personal) {
        add_value(finding, kind, value->text);
        return PAY_OK;
    }

    for (i = 0; i < finding->risk->key_count; i++) {
        PAY_TRY(pay_risk_hash(finding->arena, finding->risk, i,
                              pay_str_of(kind), value->text, &hash));
        add_value(finding, kind, hash);
    }

    return PAY_OK;
}


static pay_status_t
add_networks(finding_t *finding)
{
    unsigned                 i;
    pay_str_t                text;
    pay_risk_address_t       address;
    const pay_risk_value_t  *value = &finding->facts->values[PAY_RISK_ip];

    if (!value->is_known) {
        return PAY_OK;
    }

    PAY_TRY(pay_risk_address(value->text, &address));

    for (i = 0; i < PAY_RISK_PREFIXES; i++) {
        PAY_TRY(pay_risk_prefix(finding->arena, &address,
                                pay_risk_prefix_bits(&address)[i], &text));
        add_value(finding, "ip", text);
    }

    return PAY_OK;
}


/* Each once: a buyer has one country for most that is sent. */
static void
add_value(finding_t *finding, const char *kind, pay_str_t value)
{
    unsigned          i;
    pay_risk_kept_t  *kept;

    for (i = 0; i < finding->found->key_count; i++) {
        kept = &finding->found->keys[i];

        if (strcmp(kept->kind, kind) == 0 && pay_str_eq(kept->value, value)) {
            return;
        }
    }

    finding->found->keys[finding->found->key_count++] =
        (pay_risk_kept_t) { kind, value };
}


static pay_status_t
find_windows(finding_t *finding)
{
    unsigned                    i;
    const pay_risk_t           *risk = finding->risk;
    const pay_risk_velocity_t  *velocity;

    /* a velocity has one, or as many as there are sellers */
    const size_t  count = (size_t) risk->velocity_count
                          * finding->facts->request->order_count;

    finding->found->windows = pay_calloc(finding->arena,
                                         (count + 1)
                                         * sizeof(pay_risk_window_t));
    if (finding->found->windows == NULL) {
        return PAY_NO_MEMORY;
    }

    for (i = 0; i < risk->velocity_count; i++) {
        velocity = &risk->velocities[i];

        if (!pay_risk_in_memory(velocity)
            && pay_risk_is_of(velocity->merchant_id, finding->facts))
        {
            PAY_TRY(add_window(finding, velocity));
        }
    }

    return PAY_OK;
}


static pay_status_t
add_window(finding_t *finding, const pay_risk_velocity_t *velocity)
{
    unsigned            i, count;
    pay_str_t          *values;
    const pay_risk_t   *risk = finding->risk;
    pay_risk_window_t  *window;

    PAY_TRY(pay_risk_key_values(finding->arena, risk, finding->facts,
                                velocity->key, &values, &count));

    for (i = 0; i < count; i++) {
        window = &finding->found->windows[finding->found->window_count++];
        window->velocity = velocity;
        window->hash = values[i];
        window->hours = (velocity->window_s + 3599) / 3600;
        window->is_shadow = velocity->is_shadow || risk->is_shadow;

        if (!pay_risk_key_rows[velocity->key].is_personal) {
            PAY_TRY(pay_risk_hash(finding->arena, risk, 0,
                                  pay_str_of(pay_risk_key_name(velocity->key)),
                                  values[i], &window->hash));
        }
    }

    return PAY_OK;
}


static void
quoted(pay_buf_t *buf, pay_str_t text)
{
    pay_buf_text(buf, "\"");
    pay_buf_json(buf, text);
    pay_buf_text(buf, "\"");
}


/* A comma before each member of a list but the first. */
static void
next(finding_t *finding)
{
    if (finding->has_some) {
        pay_buf_text(&finding->buf, ",");
    }

    finding->has_some = 1;
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
