/*
 * The receivers: each verifies with the one secret that it knows and refuses
 * what is not signed with it or is too old, keeps what it takes, and fails.
 */

#include <jansson.h>

#include "pay_endpoint.h"
#include "receivers.h"


static int answer_down(sim_t *sim, const sim_endpoint_t *endpoint,
    pay_http_answer_t *answer);
static int is_genuine(sim_t *sim, const sim_letter_t *letter);
static int signs(sim_t *sim, const sim_signer_t *signer,
    const sim_letter_t *letter);
static void keep(sim_t *sim, const sim_letter_t *letter);
static void read_body(sim_t *sim, sim_heard_t *heard);
static pay_str_t member(sim_t *sim, const json_t *object, const char *name);
static void judge_order(sim_t *sim, const sim_endpoint_t *endpoint,
    const sim_heard_t *heard);


int
sim_receiver_is_down(const sim_t *sim, const sim_endpoint_t *endpoint)
{
    return sim->now >= endpoint->down_from && sim->now < endpoint->down_until;
}


void
sim_receiver_gone(sim_t *sim, pay_str_t endpoint_id)
{
    unsigned          i;
    sim_receivers_t  *receivers = sim->receivers;

    for (i = 0; i < receivers->count; i++) {
        if (pay_str_eq(receivers->endpoints[i].id, endpoint_id)
            && receivers->endpoints[i].disabled_at == 0)
        {
            receivers->endpoints[i].disabled_at = sim->now;
            receivers->ends++;
        }
    }

    sim_publish_soon(sim);
}


int
sim_receiver_take(sim_t *sim, const sim_letter_t *letter,
    pay_http_answer_t *answer)
{
    const sim_endpoint_t  *endpoint = letter->endpoint;

    if (endpoint->disabled_at != 0 && letter->asked_at > endpoint->disabled_at)
    {
        sim_violation(sim, "I10: %.*s hears of an event behind its end",
                      pay_fmt(endpoint->id));
    }

    if (sim_receiver_is_down(sim, endpoint)) {
        return answer_down(sim, endpoint, answer);
    }

    if (!is_genuine(sim, letter)) {
        sim->figures.refused++;
        answer->status = 401;
        answer->body = PAY_STR("who are you?");
        return 1;
    }

    keep(sim, letter);
    answer->status = sim_fault(sim, sim->faults.psp_error) ? 500
                     : sim_chance(sim, 500) ? 204 : 200;

    return !sim_fault(sim, sim->faults.net_answer_lost);
}


static int
answer_down(sim_t *sim, const sim_endpoint_t *endpoint,
    pay_http_answer_t *answer)
{
    static const unsigned  statuses[SIM_DOWN_KINDS] = {
        [SIM_DOWN_REFUSES] = 502, [SIM_DOWN_FAILS] = 500,
        [SIM_DOWN_BUSY] = 503, [SIM_DOWN_MOVED] = 302,
        [SIM_DOWN_GONE] = 410
    };

    answer->status = statuses[endpoint->down];
    answer->body = PAY_STR("not now");

    if (endpoint->down == SIM_DOWN_BUSY) {
        answer->retry_after_s = sim_between(sim, 1, 3600);
    }

    return answer->status != 0;
}


/* A delivery that was had while a secret signs must be signed with it, as far
 * as clocks are right. */
static int
is_genuine(sim_t *sim, const sim_letter_t *letter)
{
    int                    any = 0;
    int64_t                at, off;
    unsigned               i;
    const sim_signer_t    *known;
    const sim_endpoint_t  *endpoint = letter->endpoint;

    for (i = 0; i < endpoint->signer_count; i++) {
        any |= signs(sim, &endpoint->signers[i], letter);
    }

    if (!any) {
        sim_violation(sim, "I10: what %.*s hears is signed with none of its "
                      "secrets", pay_fmt(endpoint->id));
    }

    known = &endpoint->signers[endpoint->known];
    at = strtoll((const char *) letter->timestamp.data, NULL, 10);
    off = at - sim->now / SIM_S;

    if (!signs(sim, known, letter)) {
        if (sim->keeps_clock && known->made_at < letter->asked_at
            && known->until > letter->begun_at)
        {
            sim_violation(sim, "I10: what %.*s hears is not signed with a "
                          "secret that is not over", pay_fmt(endpoint->id));
        }

        return 0;
    }

    return off >= -SIM_TOLERANCE_S && off <= SIM_TOLERANCE_S;
}


/* Both schemes are deterministic: the signature is one of those sent. */
static int
signs(sim_t *sim, const sim_signer_t *signer, const sim_letter_t *letter)
{
    pay_str_t                timestamp, signature;
    pay_endpoint_message_t   message = {
        letter->id, strtoll((const char *) letter->timestamp.data, NULL, 10),
        letter->body
    };

    if (pay_endpoint_sign(pay_heap_arena(sim->heap),
                          (pay_endpoint_scheme_t) letter->endpoint->scheme,
                          &signer->secret, 1, &message, &timestamp,
                          &signature) != PAY_OK)
    {
        sim_die("a message cannot be signed");
    }

    return sim_find(letter->signature, sim_text(sim, signature)) != NULL;
}


static void
keep(sim_t *sim, const sim_letter_t *letter)
{
    sim_heard_t        *heard = sim_alloc(sim, sizeof(sim_heard_t));
    sim_endpoint_t     *endpoint = letter->endpoint;
    const sim_heard_t  *first = sim_heard_find(endpoint->heard, letter->id);

    heard->id = letter->id;
    heard->body = letter->body;
    heard->is_again = first != NULL;
    read_body(sim, heard);
    sim->figures.heard++;
    sim->figures.again += (unsigned) heard->is_again;
    sim_say(sim, "   %.*s hears %.*s, %u%s", pay_fmt(endpoint->id),
            pay_fmt(heard->type), heard->sequence,
            heard->is_again ? " (again)" : "");

    if (first != NULL && !pay_str_eq(first->body, heard->body)) {
        sim_violation(sim, "I10: %.*s comes with two texts",
                      pay_fmt(heard->id));
    }

    if (!sim_endpoint_wants(endpoint, heard->type)
        && !pay_str_is(heard->type, "endpoint.test"))
    {
        sim_violation(sim, "I10: %.*s does not want %.*s",
                      pay_fmt(endpoint->id), pay_fmt(heard->type));
    }

    if (endpoint->is_ordered && first == NULL) {
        judge_order(sim, endpoint, heard);
    }

    heard->next = endpoint->heard;
    endpoint->heard = heard;
}


static void
read_body(sim_t *sim, sim_heard_t *heard)
{
    json_t  *root = json_loadb((const char *) heard->body.data,
                               heard->body.len, 0, NULL);

    if (root == NULL || !pay_str_eq(member(sim, root, "id"), heard->id)) {
        sim_violation(sim, "I10: %.*s is not what its text says",
                      pay_fmt(heard->id));
    }

    heard->type = member(sim, root, "type");
    heard->subject = member(sim, root, "subject");
    heard->sequence = (unsigned) strtoul(
        (const char *) member(sim, root, "sequence").data, NULL, 10);
    json_decref(root);
}


static pay_str_t
member(sim_t *sim, const json_t *object, const char *name)
{
    const char  *text = json_string_value(json_object_get(object, name));

    return sim_dup(sim, pay_str_of(text != NULL ? text : ""));
}


/* For the first time, a subject's messages come in their order. */
static void
judge_order(sim_t *sim, const sim_endpoint_t *endpoint,
    const sim_heard_t *heard)
{
    const sim_heard_t  *other;

    for (other = endpoint->heard; other != NULL; other = other->next) {
        if (pay_str_eq(other->subject, heard->subject)
            && other->sequence > heard->sequence)
        {
            sim_violation(sim, "I10: %.*s hears %.*s, %u behind %u",
                          pay_fmt(endpoint->id), pay_fmt(heard->subject),
                          heard->sequence, other->sequence);
            return;
        }
    }
}
