/*
 * Network addresses of outgoing calls: whether a host on the public Internet
 * may have them.  A host name is judged by the addresses that it resolves to at
 * the moment of connecting, so that no name can lead into our own network.
 */

#ifndef PAY_ADDRESS_H
#define PAY_ADDRESS_H

#include "pay_status.h"
#include "pay_str.h"


#define PAY_ADDRESS_MAX  16            /* bytes of an IPv6 address */


/* Returns 1 when these bytes, in network order, are not the address of a public
 * host: private, loopback, link-local, shared, unspecified, multicast,
 * documentation and the other blocks that RFC 6890 reserves, also inside an
 * IPv4-mapped or translated IPv6 address.  IPv6 is public only within 2000::/3.
 * Returns 1 for any length but 4 and 16. */
int pay_address_is_special(const unsigned char *bytes, size_t len);

/* The bytes of an address in text, 4 or 16 of them, without zone or prefix;
 * those behind are zero.  PAY_INVALID: the text is none. */
pay_status_t pay_address_parse(pay_str_t text,
    unsigned char bytes[PAY_ADDRESS_MAX], size_t *len) PAY_MUST_CHECK;


#endif /* PAY_ADDRESS_H */
