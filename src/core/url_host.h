/* The functions of url_host.c for url.c; private to src/core. */

#ifndef PAY_URL_HOST_H
#define PAY_URL_HOST_H

#include "pay_url.h"


/* "host" or "host:port" taken apart; *port is 0 when there is none.  0 when
 * either is malformed. */
int pay_host_split(pay_str_t entry, pay_str_t *host, unsigned *port);

/* 1 and *number for 1-65535 without a leading zero. */
int pay_url_port(pay_str_t port, unsigned *number);

/* 1 for whatever inet_aton() or a browser (WHATWG URL, "ends in a number")
 * would take for an IPv4 address: last label all digits or 0x... */
int pay_host_is_literal(pay_str_t host);

/* 1 for four decimal numbers without leading zeros, the only spelling of an
 * address that we read. */
int pay_host_ipv4(pay_str_t host, uint32_t *address);

/* 1 when equal, ASCII case aside. */
int pay_host_eq(pay_str_t a, pay_str_t b);

/* Takes off the bytes before the first one that is in `stop`. */
pay_str_t pay_url_until(pay_str_t *rest, const char *stop);

/* 1 when the byte is in `set`; a NUL byte never is. */
int pay_url_in(unsigned char c, const char *set);

/* Letters and digits of ASCII, whatever the locale. */
int pay_url_alnum(unsigned char c);
unsigned char pay_url_lower(unsigned char c);


#endif /* PAY_URL_HOST_H */
