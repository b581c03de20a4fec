/*
 * Network addresses that no public host has (IANA's special-purpose registries,
 * RFC 6890).  The transport checks before it connects, and url.c checks
 * addresses in a URL.
 */

#include "pay_address.h"

#include <arpa/inet.h>


#define TEXT_MAX  45
#define V4_LEN    4
#define V6_LEN    16


typedef struct {
    /* Network byte order, as in struct in_addr and in6_addr; bits behind
     * `bits` are 0. */
    unsigned char  prefix[V6_LEN];
    unsigned       bits;
} range_t;


static int v6_is_special(const unsigned char *bytes);
static int in_ranges(const unsigned char *bytes, const range_t *ranges);
static int in_range(const unsigned char *bytes, const range_t *range);


/* Each table ends with a range of no bits. */
static const range_t  special_v4[] = {
    { { 0 }, 8 },                      /* "this network", unspecified */
    { { 10 }, 8 },                     /* private */
    { { 100, 64 }, 10 },               /* shared by carriers */
    { { 127 }, 8 },                    /* loopback */
    { { 169, 254 }, 16 },              /* link-local, cloud metadata */
    { { 172, 16 }, 12 },               /* private */
    { { 192, 0, 0 }, 24 },             /* protocol assignments */
    { { 192, 0, 2 }, 24 },             /* documentation */
    { { 192, 88, 99 }, 24 },           /* 6to4 relays, gone */
    { { 192, 168 }, 16 },              /* private */
    { { 198, 18 }, 15 },               /* benchmarks */
    { { 198, 51, 100 }, 24 },          /* documentation */
    { { 203, 0, 113 }, 24 },           /* documentation */
    { { 224 }, 3 },                    /* multicast, reserved, broadcast */
    { { 0 }, 0 }
};

/* Within global unicast. */
static const range_t  special_v6[] = {
    { { 0x20, 0x01 }, 23 },            /* protocol assignments, Teredo */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 },   /* documentation */
    { { 0x20, 0x02 }, 16 },            /* 6to4: leads to any IPv4 address */
    { { 0x3f, 0xff }, 20 },            /* documentation */
    { { 0 }, 0 }
};

static const range_t  global_v6 = { { 0x20 }, 3 };

/* The last four bytes are an IPv4 address. */
static const range_t  holds_v4[] = {
    { { [10] = 0xff, [11] = 0xff }, 96 },       /* mapped */
    { { 0x00, 0x64, 0xff, 0x9b }, 96 },         /* translated (NAT64) */
    { { 0 }, 0 }
};


/* Unknown lengths are special: the caller, which opens the sockets of calls to
 * PSPs, refuses the connection, and an address family that nobody expected
 * must not pass. */
int
pay_address_is_special(const unsigned char *bytes, size_t len)
{
    switch (len) {

    case V4_LEN:
        return in_ranges(bytes, special_v4);

    case V6_LEN:
        return v6_is_special(bytes);

    default:
        return 1;
    }
}


/* Addresses that carry an IPv4 address are judged by it: ::ffff:127.0.0.1 is
 * the loopback, whatever its prefix.  Of the rest only global unicast,
 * 2000::/3, is public, which leaves out fc00::/7, fe80::/10 and ::1 without a
 * row for each. */
static int
v6_is_special(const unsigned char *bytes)
{
    if (in_ranges(bytes, holds_v4)) {
        return in_ranges(bytes + V6_LEN - V4_LEN, special_v4);
    }

    return !in_range(bytes, &global_v6) || in_ranges(bytes, special_v6);
}


static int
in_ranges(const unsigned char *bytes, const range_t *ranges)
{
    for ( ; ranges->bits != 0; ranges++) {
        if (in_range(bytes, ranges)) {
            return 1;
        }
    }

    return 0;
}


/* Whole bytes first, then the bits of the next one under a mask. */
static int
in_range(const unsigned char *bytes, const range_t *range)
{
    unsigned  whole = range->bits / 8, rest = range->bits % 8, mask;

    if (memcmp(bytes, range->prefix, whole) != 0) {
        return 0;
    }

    mask = (0xffu << (8 - rest)) & 0xffu;

    return rest == 0 || (bytes[whole] & mask) == range->prefix[whole];
}


pay_status_t
pay_address_parse(pay_str_t text, unsigned char bytes[PAY_ADDRESS_MAX],
    size_t *len)
{
    char  copy[TEXT_MAX + 1];

    memset(bytes, 0, PAY_ADDRESS_MAX);

    if (text.len == 0 || text.len > TEXT_MAX
        || memchr(text.data, '\0', text.len) != NULL)
    {
        return PAY_INVALID;
    }

    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';

    if (inet_pton(AF_INET, copy, bytes) == 1) {
        *len = V4_LEN;
        return PAY_OK;
    }

    *len = V6_LEN;

    return inet_pton(AF_INET6, copy, bytes) == 1 ? PAY_OK : PAY_INVALID;
}
