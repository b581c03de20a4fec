/*
 * Stands before getaddrinfo() in nginx (LD_PRELOAD): one name leads to the
 * address that stands in a file at that moment, as with a storefront who
 * answers DNS questions himself.  While it says "wait", there is no answer.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>


typedef int (*lookup_t)(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **found);


static const char  *name;
static const char  *file;


/* Copies: nginx writes the titles of its processes over its variables. */
__attribute__((constructor)) static void
begin(void)
{
    if (getenv("PAY_NAME") != NULL && getenv("PAY_NAME_FILE") != NULL) {
        name = strdup(getenv("PAY_NAME"));
        file = strdup(getenv("PAY_NAME_FILE"));
    }
}


/* 0: the file cannot be read, or is empty. */
static int
read_address(char *address, size_t size)
{
    int      fd;
    ssize_t  n;

    fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }

    n = read(fd, address, size - 1);
    close(fd);
    address[n > 0 ? n : 0] = '\0';

    return n > 0;
}


/* 0: as read_address(). */
static int
wait_for_address(char *address, size_t size)
{
    struct timespec  pause = { 0, 20000000 };

    while (read_address(address, size)) {
        if (strcmp(address, "wait") != 0) {
            return 1;
        }

        nanosleep(&pause, NULL);
    }

    return 0;
}


int
getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **found)
{
    char      address[64];
    lookup_t  lookup;

    *(void **) &lookup = dlsym(RTLD_NEXT, "getaddrinfo");

    if (lookup == NULL) {
        return EAI_SYSTEM;
    }

    if (node == NULL || name == NULL || file == NULL
        || strcmp(node, name) != 0)
    {
        return lookup(node, service, hints, found);
    }

    if (!wait_for_address(address, sizeof(address))) {
        return EAI_NONAME;
    }

    return lookup(address, service, hints, found);
}
