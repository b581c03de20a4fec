/*
 * Addresses of buyers and the networks that they are in.
 */

#include "risk.h"
#include "pay_address.h"

#include <arpa/inet.h>
#include <string.h>


#define MAPPED  12               /* bytes of ::ffff:0:0/96 */


/* Servers with one socket for both families write IPv4 as ::ffff:192.0.2.1: by
 * their /64 all buyers would be one. */
pay_status_t
pay_risk_address(pay_str_t text, pay_risk_address_t *address)
{
    size_t                      len;
    static const unsigned char  mapped[MAPPED] = { [10] = 0xff, [11] = 0xff };

    PAY_TRY(pay_address_parse(text, address->bytes, &len));
    address->is_v6 = len == PAY_ADDRESS_MAX;

    if (address->is_v6 && memcmp(address->bytes, mapped, MAPPED) == 0) {
        memmove(address->bytes, address->bytes + MAPPED,
                PAY_ADDRESS_MAX - MAPPED);
        address->is_v6 = 0;
    }

    return PAY_OK;
}


pay_status_t
pay_risk_prefix(pay_arena_t *arena, const pay_risk_address_t *address,
    unsigned bits, pay_str_t *text)
{
    char           name[INET6_ADDRSTRLEN];
    unsigned       i, left, size = address->is_v6 ? 16 : 4;
    unsigned char  bytes[16] = { 0 };

    for (i = 0; i < size && i * 8 < bits; i++) {
        left = bits - i * 8;
        bytes[i] = left >= 8 ? address->bytes[i]
                   : (unsigned char) (address->bytes[i]
                                      & (0xffu << (8 - left)));
    }

    if (inet_ntop(address->is_v6 ? AF_INET6 : AF_INET, bytes, name,
                  sizeof(name)) == NULL)
    {
        return PAY_BUG;
    }

    return pay_format(arena, text, PAY_RISK_PREFIX_TEXT, "%s/%u", name, bits);
}


const unsigned *
pay_risk_prefix_bits(const pay_risk_address_t *address)
{
    static const unsigned  v4[PAY_RISK_PREFIXES] = { 8, 16, 24, 32 };
    static const unsigned  v6[PAY_RISK_PREFIXES] = { 32, 48, 64, 128 };

    return address->is_v6 ? v6 : v4;
}
