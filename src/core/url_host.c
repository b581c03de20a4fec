/*
 * Hosts and ports of URLs and of configuration entries: what is well-formed,
 * what is an IPv4 literal in any spelling, what is loopback.
 * Never resolves a name.  Called by url.c; two functions are public.
 */

#include "url_host.h"


#define PAY_HOST_MAX   253
#define PAY_LABEL_MAX  63


static int pay_host_is_valid(pay_str_t host);
static int pay_label_is_valid(pay_str_t label);


/* 127.0.0.0/8 as RFC 1122 section 3.2.1.3 (g) reserves it; ::1 is no host of
 * ours, since IPv6 literals are refused. */
int
pay_host_is_loopback(pay_str_t host)
{
    uint32_t  address;

    if (pay_host_eq(host, PAY_STR("localhost"))) {
        return 1;
    }

    return pay_host_ipv4(host, &address) && (address >> 24) == 127;
}


/* Refuses 127.1 and 0x7f000001 in the configuration: they would never match,
 * as a request with them is refused before hosts are compared. */
int
pay_host_entry_is_valid(pay_str_t entry)
{
    uint32_t   address;
    unsigned   port;
    pay_str_t  host;

    if (!pay_host_split(entry, &host, &port)) {
        return 0;
    }

    return !pay_host_is_literal(host) || pay_host_ipv4(host, &address);
}


/* "host" or "host:port"; *port is 0 when there is none. */
int
pay_host_split(pay_str_t entry, pay_str_t *host, unsigned *port)
{
    pay_str_t  number;

    *host = pay_url_until(&entry, ":");
    *port = 0;

    if (!pay_host_is_valid(*host)) {
        return 0;
    }

    if (entry.len == 0) {
        return 1;
    }

    number.data = entry.data + 1;
    number.len = entry.len - 1;

    return pay_url_port(number, port);
}


/* A leading zero is refused: 0443 and 443 would be two spellings of one
 * port. */
int
pay_url_port(pay_str_t port, unsigned *number)
{
    size_t    i;
    unsigned  n;

    if (port.len == 0 || port.len > 5 || port.data[0] == '0') {
        return 0;
    }

    n = 0;

    for (i = 0; i < port.len; i++) {
        if (port.data[i] < '0' || port.data[i] > '9') {
            return 0;
        }

        n = n * 10 + (unsigned) (port.data[i] - '0');
    }

    if (n > 65535) {
        return 0;
    }

    *number = n;

    return 1;
}


/* Returns 1 also for malformed addresses such as 1.2.3.4.5: they are neither
 * addresses that we read nor host names. */
int
pay_host_is_literal(pay_str_t host)
{
    size_t  i, last;

    last = host.len;

    while (last > 0 && host.data[last - 1] != '.') {
        last--;
    }

    if (host.len - last >= 2 && host.data[last] == '0'
        && pay_url_lower(host.data[last + 1]) == 'x')
    {
        return 1;
    }

    for (i = last; i < host.len; i++) {
        if (host.data[i] < '0' || host.data[i] > '9') {
            return 0;
        }
    }

    return host.len > last;
}


/* Four decimal numbers without leading zeros, the only spelling we read. */
int
pay_host_ipv4(pay_str_t host, uint32_t *address)
{
    unsigned   part, digit, value;
    uint32_t   sum;
    pay_str_t  label;

    sum = 0;

    for (part = 0; part < 4; part++) {

        label = pay_url_until(&host, ".");

        if (label.len == 0 || label.len > 3
            || (label.len > 1 && label.data[0] == '0'))
        {
            return 0;
        }

        value = 0;

        for (digit = 0; digit < label.len; digit++) {
            if (label.data[digit] < '0' || label.data[digit] > '9') {
                return 0;
            }

            value = value * 10 + (unsigned) (label.data[digit] - '0');
        }

        /* A dot behind the first three numbers and none behind the fourth. */
        if (value > 255 || (host.len > 0) != (part < 3)) {
            return 0;
        }

        sum = sum << 8 | value;

        if (host.len > 0) {
            host.data++;
            host.len--;
        }
    }

    *address = sum;

    return 1;
}


/* *rest begins with the byte that stopped, or is empty. */
pay_str_t
pay_url_until(pay_str_t *rest, const char *stop)
{
    size_t     n;
    pay_str_t  head;

    for (n = 0; n < rest->len; n++) {
        if (pay_url_in(rest->data[n], stop)) {
            break;
        }
    }

    head.data = rest->data;
    head.len = n;

    if (n > 0) {
        rest->data += n;
        rest->len -= n;
    }

    return head;
}


/* strchr() would find the NUL that ends the set. */
int
pay_url_in(unsigned char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}


int
pay_url_alnum(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
           || (c >= '0' && c <= '9');
}


unsigned char
pay_url_lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char) (c | 0x20) : c;
}


int
pay_host_eq(pay_str_t a, pay_str_t b)
{
    size_t  i;

    if (a.len != b.len) {
        return 0;
    }

    for (i = 0; i < a.len; i++) {
        if (pay_url_lower(a.data[i]) != pay_url_lower(b.data[i])) {
            return 0;
        }
    }

    return 1;
}


/* RFC 1123 section 2.1 with the lengths of RFC 1035; a dot at the end would be
 * an empty label, and a second spelling of the host. */
static int
pay_host_is_valid(pay_str_t host)
{
    size_t     i;
    pay_str_t  label;

    if (host.len == 0 || host.len > PAY_HOST_MAX) {
        return 0;
    }

    label.data = host.data;
    label.len = 0;

    for (i = 0; i < host.len; i++) {

        if (host.data[i] != '.') {
            label.len++;
            continue;
        }

        if (!pay_label_is_valid(label)) {
            return 0;
        }

        label.data = host.data + i + 1;
        label.len = 0;
    }

    return pay_label_is_valid(label);
}


/* RFC 1123 section 2.1: letters, digits and dashes, no dash at either end.
 * Underscores are legal in DNS and in no host name. */
static int
pay_label_is_valid(pay_str_t label)
{
    size_t  i;

    if (label.len == 0 || label.len > PAY_LABEL_MAX
        || label.data[0] == '-' || label.data[label.len - 1] == '-')
    {
        return 0;
    }

    for (i = 0; i < label.len; i++) {
        if (!pay_url_alnum(label.data[i]) && label.data[i] != '-') {
            return 0;
        }
    }

    return 1;
}
