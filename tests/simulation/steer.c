/*
 * --steer: scenarios of one kind only, for a bug that few scenarios meet.  What
 * would have been drawn is still drawn, so that a scenario of that kind takes
 * the course that it takes without the switch.
 */

#include <string.h>

#include "sim.h"


static const char *const  names[SIM_STEERS] = {
    [SIM_STEER_RATES] = "rates", [SIM_STEER_SALES] = "sales",
    [SIM_STEER_MANUAL] = "manual", [SIM_STEER_LATE] = "late",
    [SIM_STEER_SETTLEMENT] = "settlement", [SIM_STEER_IMPORTS] = "imports",
    [SIM_STEER_REPLACES] = "replaces", [SIM_STEER_REVERSALS] = "reversals",
    [SIM_STEER_COPIES] = "copies", [SIM_STEER_CLOCKS] = "clocks",
    [SIM_STEER_MOVES] = "moves", [SIM_STEER_RETURNS] = "returns",
    [SIM_STEER_FENCE] = "fence", [SIM_STEER_REJECTS] = "rejects",
    [SIM_STEER_BACK] = "back", [SIM_STEER_TWICE] = "twice"
};


unsigned
sim_steer(const char *words)
{
    size_t    len;
    unsigned  i, steers = 0;

    for ( ; *words != '\0'; words += len + (words[len] == ',')) {
        len = strcspn(words, ",");

        for (i = 0; i < SIM_STEERS; i++) {
            if (strlen(names[i]) == len && strncmp(names[i], words, len) == 0) {
                steers |= 1u << i;
                break;
            }
        }

        if (i == SIM_STEERS) {
            sim_die("--steer knows no %s", words);
        }
    }

    return steers;
}


int
sim_steered(const sim_t *sim, sim_steer_t kind)
{
    return (sim->steers >> kind & 1) != 0;
}
