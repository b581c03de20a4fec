/*
 * A model PSP's money, as it is asked for: what it has held, taken and paid
 * back.  A change comes here once for each nonce that the PSP does not know
 * any more; which must never be twice.
 */

#include <jansson.h>

#include "sim.h"


/* A change as it was asked for. */
typedef struct {
    pay_str_t  nonce;
    int64_t    minor;
    int        is_final;
} asked_t;

typedef sim_said_t (*take_pt)(sim_t *sim, sim_reg_t *reg,
    const asked_t *asked);


static asked_t read_asked(sim_t *sim, const sim_sent_t *sent);
static pay_str_t member(sim_t *sim, json_t *object, const char *name);
static void check_once(sim_t *sim, const sim_reg_t *reg,
    const asked_t *asked);
static sim_said_t take_approved(sim_t *sim, sim_reg_t *reg,
    const asked_t *asked);
static sim_said_t take_capture(sim_t *sim, sim_reg_t *reg,
    const asked_t *asked);
static sim_said_t take_cancel(sim_t *sim, sim_reg_t *reg,
    const asked_t *asked);
static sim_said_t take_refund(sim_t *sim, sim_reg_t *reg,
    const asked_t *asked);
static int64_t asked_back(const sim_reg_t *reg);
static sim_said_t say(sim_t *sim, const sim_move_t *move);
static sim_said_t say_refused(sim_t *sim, const sim_reg_t *reg,
    const asked_t *asked, const char *what);
static void capture_ends(sim_t *sim, void *data);
static void refund_returns(sim_t *sim, void *data);


static const struct {
    const char  *verb;
    take_pt      take;
} verbs[] = {
    { "capture", take_capture },
    { "cancel", take_cancel },
    { "refunds", take_refund }
};


pay_str_t
sim_amount(sim_t *sim, int64_t minor)
{
    return sim_format(sim, "%" PRId64 ".%02d", minor / 100,
                      (int) (minor % 100));
}


int64_t
sim_minor(pay_str_t amount)
{
    size_t   i;
    int64_t  minor = 0;

    for (i = 0; i < amount.len; i++) {
        if (amount.data[i] != '.') {
            minor = 10 * minor + (amount.data[i] - '0');
        }
    }

    return minor;
}


sim_said_t
sim_money_take(sim_t *sim, sim_sent_t *sent, sim_reg_t *reg, pay_str_t verb)
{
    size_t   i;
    asked_t  asked = read_asked(sim, sent);

    for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (pay_str_is(verb, verbs[i].verb)) {
            check_once(sim, reg, &asked);
            return verbs[i].take(sim, reg, &asked);
        }
    }

    sim_violation(sim, "the PSP does no %.*s", pay_fmt(verb));

    return sim_psp_refuse(sim, 404, "not_found");
}


static asked_t
read_asked(sim_t *sim, const sim_sent_t *sent)
{
    json_t   *body;
    asked_t   asked;

    body = json_loadb((const char *) sent->body.data, sent->body.len,
                      JSON_REJECT_DUPLICATES, NULL);
    asked.nonce = member(sim, body, "nonce");
    asked.minor = sim_minor(member(sim, body, "amount"));
    asked.is_final = json_is_true(json_object_get(body, "final"));
    json_decref(body);

    return asked;
}


static pay_str_t
member(sim_t *sim, json_t *object, const char *name)
{
    const char  *text = json_string_value(json_object_get(object, name));

    return sim_dup(sim, pay_str_of(text != NULL ? text : ""));
}


/* I2: whatever was done is not done again when its nonce is forgotten. */
static void
check_once(sim_t *sim, const sim_reg_t *reg, const asked_t *asked)
{
    const sim_move_t  *move = sim_money_find(reg->psp, asked->nonce);

    if (move != NULL) {
        sim_violation(sim, "I2: %.*s of %.*s is done twice",
                      pay_fmt(asked->nonce), pay_fmt(reg->token));
    }
}


sim_move_t *
sim_money_find(sim_psp_t *psp, pay_str_t nonce)
{
    sim_move_t  *move;

    for (move = psp->moves; move != NULL; move = move->next) {
        if (move->nonce.len != 0 && pay_str_eq(move->nonce, nonce)) {
            return move;
        }
    }

    return NULL;
}


static sim_said_t
take_approved(sim_t *sim, sim_reg_t *reg, const asked_t *asked)
{
    sim_move_t  *move;

    if (strcmp(reg->status, "approved") != 0 || asked->minor != reg->total) {
        return sim_psp_refuse(sim, 422, "not_possible");
    }

    move = sim_money_add(sim, reg, SIM_CAPTURE, asked->nonce, asked->minor);
    move->state = SIM_MOVE_DONE;
    sim_money_paid(sim, reg);

    return say(sim, move);
}


/* I4: what is on its way counts. */
static sim_said_t
take_capture(sim_t *sim, sim_reg_t *reg, const asked_t *asked)
{
    sim_move_t  *move;

    if (!reg->is_manual) {
        return take_approved(sim, reg, asked);
    }

    if (reg->captured + reg->capturing + asked->minor > reg->total) {
        sim_violation(sim, "I4: %.*s asks for more of %.*s than was "
                      "authorised", pay_fmt(asked->nonce),
                      pay_fmt(reg->token));
    }

    if (strcmp(reg->status, "authorized") != 0
        || asked->minor > reg->held - reg->capturing
        || sim_fault(sim, sim->faults.psp_refuses))
    {
        return say_refused(sim, reg, asked, "captures");
    }

    move = sim_money_add(sim, reg, SIM_CAPTURE, asked->nonce, asked->minor);
    move->is_final = asked->is_final;
    reg->capturing += move->minor;

    if (sim_chance(sim, 200) || sim_steered(sim, SIM_STEER_REJECTS)) {
        move->is_slow = 1;
        sim_after(sim, sim_between(sim, SIM_S, 20 * SIM_MIN), capture_ends,
                  move);
    } else {
        capture_ends(sim, move);
    }

    return say(sim, move);
}


static sim_said_t
take_cancel(sim_t *sim, sim_reg_t *reg, const asked_t *asked)
{
    sim_move_t  *move;

    if (strcmp(reg->status, "authorized") != 0 || reg->capturing > 0) {
        return sim_psp_refuse(sim, 422, "not_possible");
    }

    move = sim_money_add(sim, reg, SIM_CANCEL, asked->nonce, reg->held);
    move->state = SIM_MOVE_DONE;
    sim_money_release(sim, reg);

    return say(sim, move);
}


/* What was captured stays, the rest is the buyer's again. */
void
sim_money_release(sim_t *sim, sim_reg_t *reg)
{
    reg->held = 0;

    if (reg->captured == 0) {
        sim_psp_settle(sim, reg, "cancelled", NULL);
        return;
    }

    sim_say(sim, "   psp %u: the rest of %.*s is given back",
            reg->psp->index, pay_fmt(reg->token));
    reg->status = "paid";
    sim_hook_add(sim, reg, "cancelled");
}


/* I4: of what we ask for, nothing can ever be too much. */
static sim_said_t
take_refund(sim_t *sim, sim_reg_t *reg, const asked_t *asked)
{
    sim_move_t  *move;

    if (asked_back(reg) + asked->minor > reg->captured) {
        sim_violation(sim, "I4: %.*s asks for more of %.*s than was "
                      "captured", pay_fmt(asked->nonce),
                      pay_fmt(reg->token));
    }

    if (asked->minor > reg->captured - reg->refunding - reg->refunded
                       - reg->disputed
        || sim_fault(sim, sim->faults.psp_refuses))
    {
        return say_refused(sim, reg, asked, "refunds");
    }

    move = sim_money_add(sim, reg, SIM_REFUND, asked->nonce, asked->minor);
    reg->refunding += move->minor;

    if (sim_chance(sim, 300)) {
        move->is_slow = 1;

        if (sim_chance(sim, 500)) {
            sim_bank_tell(sim, move, "refund.pending", 0);
        }

        sim_after(sim, sim_between(sim, SIM_S, 30 * SIM_MIN),
                  sim_money_refund_ends, move);
    } else {
        sim_money_refund_ends(sim, move);
    }

    return say(sim, move);
}


static int64_t
asked_back(const sim_reg_t *reg)
{
    int64_t            minor = 0;
    const sim_move_t  *move;

    for (move = reg->psp->moves; move != NULL; move = move->next) {
        if (move->reg == reg && move->kind == SIM_REFUND
            && move->nonce.len != 0 && (move->state == SIM_MOVE_OPEN
                                        || move->state == SIM_MOVE_DONE))
        {
            minor += move->minor;
        }
    }

    return minor;
}


sim_move_t *
sim_money_add(sim_t *sim, sim_reg_t *reg, sim_move_kind_t kind,
    pay_str_t nonce, int64_t minor)
{
    sim_move_t  *move = sim_alloc(sim, sizeof(sim_move_t));

    static const char  *const prefixes[] = { "cap", "can", "ref", "dis" };

    move->sim = sim;
    move->reg = reg;
    move->kind = kind;
    move->nonce = nonce;
    move->minor = minor;
    move->id = sim_format(sim, "%s_%" PRIu64 "_%u", prefixes[kind],
                          sim->scenario, ++sim->names);
    move->next = reg->psp->moves;
    reg->psp->moves = move;
    sim->figures.moves++;
    sim_say(sim, "   psp %u: %s %.*s of %s, %.*s", reg->psp->index,
            prefixes[kind], pay_fmt(move->id),
            (const char *) sim_amount(sim, minor).data, pay_fmt(nonce));

    return move;
}


static sim_said_t
say(sim_t *sim, const sim_move_t *move)
{
    pay_str_t         more = PAY_STR("");
    const sim_reg_t  *reg = move->reg;

    if (move->kind == SIM_CAPTURE && reg->is_manual) {
        more = sim_format(sim, ",\"captured\":\"%s\"",
                          (const char *) sim_amount(sim, reg->captured).data);
    }

    return (sim_said_t) { 201, sim_format(sim,
        "{\"id\":\"%.*s\",\"nonce\":\"%.*s\",\"token\":\"%.*s\","
        "\"status\":\"%s\",\"amount\":\"%s\",\"currency\":\"%.*s\"%.*s}",
        pay_fmt(move->id), pay_fmt(move->nonce), pay_fmt(reg->token),
        move->state == SIM_MOVE_OPEN ? "pending" : "done",
        (const char *) sim_amount(sim, move->minor).data,
        pay_fmt(reg->currency), pay_fmt(more)), 0 };
}


/* As an error, or as the answer's word. */
static sim_said_t
say_refused(sim_t *sim, const sim_reg_t *reg, const asked_t *asked,
    const char *what)
{
    sim_say(sim, "   psp %u refuses %s %.*s", reg->psp->index, what,
            pay_fmt(asked->nonce));

    if (sim_chance(sim, 700)) {
        return sim_psp_refuse(sim, 422, "not_possible");
    }

    return (sim_said_t) { 200, sim_format(sim,
        "{\"id\":\"no_%" PRIu64 "_%u\",\"nonce\":\"%.*s\","
        "\"token\":\"%.*s\",\"status\":\"refused\",\"amount\":\"%s\","
        "\"currency\":\"%.*s\",\"code\":\"not_possible\"}", sim->scenario,
        ++sim->names, pay_fmt(asked->nonce), pay_fmt(reg->token),
        (const char *) sim_amount(sim, asked->minor).data,
        pay_fmt(reg->currency)), 1 };
}


static void
capture_ends(sim_t *sim, void *data)
{
    sim_move_t  *move = data;
    sim_reg_t   *reg = move->reg;

    reg->capturing -= move->minor;

    if (move->is_slow && sim_fault(sim, sim->faults.fails_later)) {
        move->state = SIM_MOVE_FAILED;
        sim_bank_capture(sim, move, 1);
        return;
    }

    move->state = SIM_MOVE_DONE;
    reg->held = move->is_final ? reg->capturing : reg->held - move->minor;
    reg->captured += move->minor;
    reg->payments++;
    sim_bank_capture(sim, move, 0);
    sim_settle_line(sim, reg, "sale", move->id, move->minor);

    if (reg->captured == reg->total) {
        sim_psp_settle(sim, reg, "paid", NULL);

    } else if (reg->held == 0) {
        reg->status = "paid";
    }

    sim_bank_taken(sim, reg);
}


/* A call may have been answered with this, or it was pending. */
void
sim_money_refund_ends(sim_t *sim, void *data)
{
    sim_move_t  *move = data;
    sim_reg_t   *reg = move->reg;

    reg->refunding -= move->minor;

    if (move->is_slow && sim_fault(sim, sim->faults.fails_later)) {
        move->state = SIM_MOVE_FAILED;
        sim_bank_tell(sim, move, "refund.failed", 1);
        return;
    }

    move->state = SIM_MOVE_DONE;
    reg->refunded += move->minor;
    sim_settle_line(sim, reg, "refund", move->id, -move->minor);
    sim_bank_tell(sim, move, "refund.done", 1);

    if (move->nonce.len != 0 && sim_fault(sim, sim->faults.fails_later)) {
        sim_after(sim, sim_between(sim, 0, 30 * SIM_MIN), refund_returns,
                  move);
    }
}


/* The buyer's bank did not take it. */
static void
refund_returns(sim_t *sim, void *data)
{
    sim_move_t  *move = data;

    move->state = SIM_MOVE_RETURNED;
    move->reg->refunded -= move->minor;
    sim_settle_line(sim, move->reg, "refund_returned", move->id, move->minor);
    sim_say(sim, "   psp %u: %.*s has come back", move->reg->psp->index,
            pay_fmt(move->id));
    sim_bank_tell(sim, move, "refund.failed", 1);
}


void
sim_money_paid(sim_t *sim, sim_reg_t *reg)
{
    if (reg->is_manual) {
        reg->held = reg->total;
        sim_psp_settle(sim, reg, "authorized", NULL);
        return;
    }

    sim_psp_settle(sim, reg, "paid", NULL);
    sim_settle_line(sim, reg, "sale", reg->payment_id, reg->total);
    sim_bank_taken(sim, reg);
}
