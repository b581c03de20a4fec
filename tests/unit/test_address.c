/*
 * Addresses that no call may be made to (docs/security.md T18), at both ends
 * of each range and one beyond: a mask that is one bit off lets the next
 * network's metadata service in.
 */

#include <arpa/inet.h>
#include <criterion/criterion.h>

#include "pay_address.h"


#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))


static int
special(const char *text)
{
    unsigned char  bytes[16];

    if (inet_pton(AF_INET, text, bytes) == 1) {
        return pay_address_is_special(bytes, 4);
    }

    cr_assert_eq(inet_pton(AF_INET6, text, bytes), 1, "%s", text);

    return pay_address_is_special(bytes, 16);
}


static void
expect(const char *const *texts, size_t count, int is_special)
{
    size_t  i;

    for (i = 0; i < count; i++) {
        cr_expect_eq(special(texts[i]), is_special, "%s", texts[i]);
    }
}


Test(pay_address, both_ends_of_each_special_ipv4_range_are_special)
{
    static const char *const  texts[] = {
        "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255",
        "100.64.0.0", "100.127.255.255", "127.0.0.0", "127.0.0.1",
        "127.255.255.255", "169.254.0.0", "169.254.169.254",
        "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0",
        "192.0.0.255", "192.0.2.0", "192.0.2.255", "192.88.99.0",
        "192.88.99.255", "192.168.0.0", "192.168.255.255", "198.18.0.0",
        "198.19.255.255", "198.51.100.0", "198.51.100.255", "203.0.113.0",
        "203.0.113.255", "224.0.0.0", "239.255.255.255", "240.0.0.0",
        "255.255.255.255"
    };

    expect(texts, COUNT(texts), 1);
}


Test(pay_address, the_neighbours_of_special_ipv4_ranges_are_public)
{
    static const char *const  texts[] = {
        "1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255",
        "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255",
        "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255",
        "192.0.1.0", "192.0.3.0", "192.88.98.255", "192.88.100.0",
        "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
        "198.51.99.255", "198.51.101.0", "203.0.112.255", "203.0.114.0",
        "223.255.255.255"
    };

    expect(texts, COUNT(texts), 0);
}


Test(pay_address, ipv6_outside_global_unicast_is_special)
{
    static const char *const  texts[] = {
        "::", "::1", "::2", "::7f00:1", "::8.8.8.8", "100::", "100::1",
        "1fff:ffff::", "4000::", "5f00::1", "64:ff9b:1::8.8.8.8",
        "fc00::", "fc00::1", "fd00:ec2::254", "fdff:ffff::1", "fe80::",
        "fe80::1", "febf:ffff::1", "fec0::1", "ff00::", "ff02::1",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    };

    expect(texts, COUNT(texts), 1);
}


Test(pay_address, what_is_kept_back_inside_global_unicast_is_special)
{
    static const char *const  texts[] = {
        "2001::", "2001::1", "2001:0:5ef5:79fd::1", "2001:10::1",
        "2001:1ff:ffff::1", "2001:db8::", "2001:db8::1",
        "2001:db8:ffff:ffff::1", "2002::", "2002:7f00:1::1",
        "2002:0808:0808::1", "2002:ffff::1", "3fff::", "3fff:fff:ffff::1"
    };

    expect(texts, COUNT(texts), 1);
}


Test(pay_address, other_global_unicast_is_public)
{
    static const char *const  texts[] = {
        "2000::1", "2001:200::1", "2001:db7:ffff::1", "2001:db9::1",
        "2001:4860:4860::8888", "2003::1", "2606:4700:4700::1111",
        "2a00:1450:4001:81b::200e", "3ffe:ffff::1", "3fff:1000::1"
    };

    expect(texts, COUNT(texts), 0);
}


Test(pay_address, ipv4_inside_ipv6_is_judged_as_ipv4)
{
    static const char *const  bad[] = {
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
        "::ffff:0.0.0.0", "::ffff:192.168.1.1", "64:ff9b::127.0.0.1",
        "64:ff9b::169.254.169.254", "64:ff9b::10.1.2.3"
    };
    static const char *const  good[] = {
        "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"
    };

    expect(bad, COUNT(bad), 1);
    expect(good, COUNT(good), 0);
}


Test(pay_address, what_is_no_address_is_special)
{
    size_t                      len;
    static const unsigned char  bytes[17] = { 8, 8, 8, 8 };

    for (len = 0; len <= sizeof(bytes); len++) {
        cr_expect_eq(pay_address_is_special(bytes, len), len != 4, "%zu",
                     len);
    }
}
