/*
 * Network addresses of outgoing calls: whether a host on the public Internet
 * may have them.  A host name is judged by the addresses that it resolves to at
 * the moment of connecting, so that no name can lead into our own network.
 */

#ifndef PAY_ADDRESS_H
#define PAY_ADDRESS_H

#include "pay_str.h"


/* Returns 1 when these bytes, in network order, are not the address of a public
 * host: private, loopback, link-local, shared, unspecified, multicast,
 * documentation and the other blocks that RFC 6890 reserves, also inside an
 * IPv4-mapped or translated IPv6 address.  IPv6 is public only within 2000::/3.
 * Returns 1 for any length but 4 and 16. */
int pay_address_is_special(const unsigned char *bytes, size_t len);


#endif /* PAY_ADDRESS_H */
