/*
 * Addresses that calls are about to be made to: whether a host on the public
 * Internet may live there.  Names are judged by what they resolve to, at the
 * moment of connecting, so that no name can lead into our own network.
 */

#ifndef PAY_ADDRESS_H
#define PAY_ADDRESS_H

#include "pay_str.h"


/* 1 when these bytes, in network order, are no public host's address: private,
 * loopback, link-local, shared, unspecified, multicast, documentation and
 * what else RFC 6890 keeps back, also inside an IPv4-mapped or translated
 * IPv6 address.  IPv6 is public only within 2000::/3.  1 for any length but 4
 * and 16. */
int pay_address_is_special(const unsigned char *bytes, size_t len);


#endif /* PAY_ADDRESS_H */
