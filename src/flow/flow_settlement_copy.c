/*
 * The encrypted copy of a settlement file that a worker reads: each piece is
 * sealed when it is full and kept in a call of its own, before the rows that
 * were read with it.  A source without a keyring keeps the digest alone.
 */

#include "flow_settlement.h"


#define PIECES_MIN  4


static pay_status_t seal_piece(settlement_t *look, int is_last);
static pay_status_t room_for_piece(settlement_t *look);
static pay_status_t next_nonce(settlement_t *look,
    unsigned char nonce[PAY_SHA256_SIZE]);
static pay_status_t kept(pay_flow_t *flow, const pay_input_t *input,
    pay_effect_t *effect);


/* The memory of the last file's copy serves the next one's. */
pay_status_t
settlement_copy_begin(settlement_t *look)
{
    const pay_keyring_t  *ring = look->source->keyring;

    if (ring == NULL) {
        return PAY_OK;
    }

    if (look->copy == NULL) {
        look->copy = pay_alloc(look->flow->arena, sizeof(*look->copy));
        if (look->copy == NULL) {
            return PAY_NO_MEMORY;
        }
    }

    pay_settle_copy_begin(look->copy, ring, look->sha256);

    return PAY_OK;
}


pay_status_t
settlement_copy_seal(settlement_t *look, pay_str_t bytes)
{
    size_t  n;

    look->pieces = NULL;
    look->piece_count = 0;
    look->piece_room = 0;

    if (look->copy == NULL) {
        return PAY_OK;
    }

    while (bytes.len > 0) {
        n = pay_settle_copy_take(look->copy, bytes);
        bytes.data += n;
        bytes.len -= n;

        if (bytes.len > 0) {
            PAY_TRY(seal_piece(look, 0));
        }
    }

    return look->is_end && look->is_same ? seal_piece(look, 1) : PAY_OK;
}


static pay_status_t
seal_piece(settlement_t *look, int is_last)
{
    pay_str_t                    kid;
    unsigned char               *out, nonce[PAY_SHA256_SIZE];
    pay_settlement_piece_row_t  *piece;

    PAY_TRY(room_for_piece(look));
    PAY_TRY(next_nonce(look, nonce));

    out = pay_alloc(look->flow->args, PAY_COPY_SEALED);
    if (out == NULL) {
        return PAY_NO_MEMORY;
    }

    piece = &look->pieces[look->piece_count];
    memset(piece, 0, sizeof(*piece));
    kid = pay_keyring_kid(look->copy->ring);
    PAY_TRY(pay_dup(look->flow->args, kid, &piece->kid));
    PAY_TRY(pay_dup(look->flow->args,
                    (pay_str_t) { PAY_KEYRING_NONCE, nonce }, &piece->nonce));
    PAY_TRY(pay_settle_copy_seal(look->copy, nonce, is_last, out,
                                 &piece->number, &piece->bytes.len));
    piece->bytes.data = out;
    piece->is_last = is_last;
    look->piece_count++;

    return PAY_OK;
}


static pay_status_t
room_for_piece(settlement_t *look)
{
    size_t                       room;
    pay_settlement_piece_row_t  *pieces;

    if (look->piece_count < look->piece_room) {
        return PAY_OK;
    }

    room = look->piece_room == 0 ? PIECES_MIN : 2 * look->piece_room;
    pieces = pay_alloc(look->flow->args, room * sizeof(*pieces));
    if (pieces == NULL) {
        return PAY_NO_MEMORY;
    }

    if (look->piece_count != 0) {
        memcpy(pieces, look->pieces, look->piece_count * sizeof(*pieces));
    }

    look->pieces = pieces;
    look->piece_room = room;

    return PAY_OK;
}


/* The first bytes of it.  The seed is this look's alone, and random, so that
 * no nonce of any look comes twice. */
static pay_status_t
next_nonce(settlement_t *look, unsigned char nonce[PAY_SHA256_SIZE])
{
    unsigned       i;
    pay_str_t      number;
    unsigned char  bytes[8];

    look->nonces++;

    for (i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char) (look->nonces >> (8 * i));
    }

    number = (pay_str_t) { sizeof(bytes), bytes };

    return pay_hmac_sha256(look->seed, &number, 1, nonce);
}


/* The rows that were read with the pieces are arguments, too. */
pay_status_t
settlement_copy_keep(pay_flow_t *flow, pay_effect_t *effect)
{
    settlement_t             *look = flow->state;
    pay_keep_settlement_in_t  in = {
        .file_id = look->settled.file_id,
        .attempt = look->attempt,
        .pieces = look->pieces,
        .pieces_count = look->piece_count
    };

    flow->keeps_args = 1;

    return pay_do_keep_settlement(flow, effect, &in, kept);
}


static pay_status_t
kept(pay_flow_t *flow, const pay_input_t *input, pay_effect_t *effect)
{
    if (input->kind != PAY_INPUT_ROW) {
        return settlement_end(flow, "not-stored", effect);
    }

    return input->result.outcome == PAY_OUTCOME_KEPT
           ? settlement_fed(flow, input, effect)
           : settlement_end(flow, "overtaken", effect);
}
