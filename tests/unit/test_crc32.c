/*
 * CRC-32: known answers, and how little it proves.
 */

#include <criterion/criterion.h>

#include "pay_crypto.h"


Test(pay_crc32, known_answers)
{
    cr_expect_eq(pay_crc32(PAY_STR("")), 0);
    cr_expect_eq(pay_crc32((pay_str_t) { 0, NULL }), 0);
    cr_expect_eq(pay_crc32(PAY_STR("123456789")), 0xcbf43926);
    cr_expect_eq(pay_crc32(PAY_STR("a")), 0xe8b7be43);
    cr_expect_eq(pay_crc32(PAY_STR("\0")), 0xd202ef8d);
    cr_expect_eq(pay_crc32(PAY_STR("\0\0\0\0")), 0x2144df1c);
    cr_expect_eq(pay_crc32(PAY_STR("\xff\xff\xff\xff")), 0xffffffff);
}


/* The definition, bit by bit. */
static uint32_t
slow(pay_str_t bytes)
{
    size_t    i;
    unsigned  bit;
    uint32_t  crc = 0xffffffff;

    for (i = 0; i < bytes.len; i++) {
        crc ^= bytes.data[i];

        for (bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1) ? 0xedb88320 : 0);
        }
    }

    return crc ^ 0xffffffff;
}


Test(pay_crc32, equals_the_definition_for_each_byte_and_length)
{
    size_t         i;
    pay_str_t      text;
    unsigned char  bytes[256 + 1];

    for (i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (unsigned char) (i * 167 + 13);
    }

    text.data = bytes;

    for (text.len = 0; text.len <= sizeof(bytes); text.len++) {
        cr_expect_eq(pay_crc32(text), slow(text), "%zu", text.len);
    }

    for (i = 0; i < 256; i++) {
        bytes[0] = (unsigned char) i;
        text.len = 1;
        cr_expect_eq(pay_crc32(text), slow(text), "byte %zu", i);
    }
}


/* Why a webhook under it is only a hint: four bytes of the forger's choice
 * make any body have any CRC.  Here they undo a changed amount. */
Test(pay_crc32, four_bytes_forge_it)
{
    unsigned       i, bit;
    uint32_t       state, wanted;
    pay_str_t      text;
    unsigned char  forged[] = "{\"value\":\"1.00\"}\0\0\0\0";

    wanted = pay_crc32(PAY_STR("{\"value\":\"9.00\"}    "));
    text = (pay_str_t) { sizeof(forged) - 1 - 4, forged };

    /* run the register backwards over four bytes of zero … */
    state = wanted ^ 0xffffffff;

    for (bit = 0; bit < 32; bit++) {
        state = (state & 0x80000000) ? ((state ^ 0xedb88320) << 1) | 1
                                     : state << 1;
    }

    /* … and write the difference to where it is into them */
    state ^= pay_crc32(text) ^ 0xffffffff;

    for (i = 0; i < 4; i++) {
        forged[text.len + i] = (unsigned char) (state >> (8 * i));
    }

    text.len += 4;
    cr_expect_eq(pay_crc32(text), wanted);
}
