/*
 * Identifiers.  Random bytes and the time come from the caller.
 */

#ifndef PAY_ID_H
#define PAY_ID_H

#include "pay_arena.h"


#define PAY_UUID_TEXT     36
#define PAY_UUID_ENTROPY  10
#define PAY_HANDLE_BYTES  24           /* 192 bits */
#define PAY_HANDLE_TEXT   32             /* without a letter */
#define PAY_HANDLE_MAX    33             /* with one */
#define PAY_ID_MAX        64
#define PAY_CELLS_MAX     16             /* databases behind one gateway */
#define PAY_CELL_NAME     32             /* bytes of a cell's name */


/* RFC 9562 version 7 from milliseconds and 10 random bytes; writes 36 bytes,
 * lower case, no NUL. */
void pay_uuid7(uint64_t now_ms, const unsigned char entropy[PAY_UUID_ENTROPY],
    char text[PAY_UUID_TEXT]);

/* The buyer's handle: base64url of 24 random bytes, behind the letter of its
 * cell (a-z), or 0: none.  Returns how many bytes it has written, 32 or 33. */
size_t pay_handle(const unsigned char entropy[PAY_HANDLE_BYTES], char letter,
    char text[PAY_HANDLE_MAX]);

/* The letter of a handle's cell, by which it is looked up; 0: it has none. */
char pay_handle_letter(pay_str_t text);
/* 1 for exactly 32 base64url characters, or 33 behind a letter. */
int pay_handle_is_valid(pay_str_t text);

/* 1 for [A-Za-z0-9._~-]{1,64} but "." and "..": checkout_id,
 * payment_order_id and the like.  ':' is not allowed: some PSPs join
 * references with it. */
int pay_id_is_valid(pay_str_t text);

/* 1 for [a-z0-9-]{1,32}: the name of a cell (docs/scaling.md#cells). */
int pay_cell_is_valid(pay_str_t text);


#endif /* PAY_ID_H */
