/*
 * CRC-32 as zlib has it (ISO 3309, reflected, 0xEDB88320), because PayPal
 * signs no more of a body than this.  It finds accidents, never an attacker.
 */

#include "pay_crypto.h"


/* The remainder of each half byte: 64 bytes instead of 1 KiB of table. */
static const uint32_t  crc32_nibbles[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
    0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
    0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c
};


/* CRC-32 is linear: an attacker who changes a body can choose four more bytes
 * so that it fits again.  So a PayPal webhook is a hint, and the gateway asks
 * PayPal (docs/security.md#calls-to-psps-and-their-repetition). */
uint32_t
pay_crc32(pay_str_t bytes)
{
    size_t    i;
    uint32_t  crc = 0xffffffff;

    for (i = 0; i < bytes.len; i++) {
        crc ^= bytes.data[i];
        crc = crc32_nibbles[crc & 0x0f] ^ (crc >> 4);
        crc = crc32_nibbles[crc & 0x0f] ^ (crc >> 4);
    }

    return crc ^ 0xffffffff;
}
