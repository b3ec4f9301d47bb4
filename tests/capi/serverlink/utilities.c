/* Clock, counters, stopwatches and timers. */
#include "check.h"
#include <time.h>

static int runs;
static void *timers;

static void run (int id, void *argument)
{
    CHECK (id == *(int *) argument);
    /* It may change the timers. */
    CHECK (slk_timers_cancel (timers, id) == 0);
    runs++;
}

int main (void)
{
    uint64_t before = slk_clock ();
    slk_sleep (2);
    CHECK (slk_clock () >= before + 2000);
    CHECK (before / 1000000 + 5 > (uint64_t) time (NULL));
    slk_sleep (-1);
    CHECK (slk_has ("tcp") == 1 && slk_has ("inproc") == 1 && slk_has ("nothing of the kind") == 0 && slk_has (NULL) == 0);

    void *counter = slk_atomic_counter_new ();
    CHECK (slk_atomic_counter_inc (counter) == 0 && slk_atomic_counter_value (counter) == 1);
    slk_atomic_counter_set (counter, 5);
    CHECK (slk_atomic_counter_dec (counter) == 4 && slk_atomic_counter_inc (counter) == 4);
    slk_atomic_counter_destroy (&counter);
    CHECK (counter == NULL);
    slk_atomic_counter_destroy (&counter);
    slk_atomic_counter_destroy (NULL);

    void *watch = slk_stopwatch_start ();
    slk_sleep (1);
    unsigned long first = slk_stopwatch_intermediate (watch), second = slk_stopwatch_stop (watch);
    CHECK (first >= 1000 && second >= first);
    CHECK (slk_stopwatch_stop (watch) == 0 && slk_errno () == SLK_EFAULT);

    timers = slk_timers_new ();
    CHECK (slk_timers_timeout (timers) == -1);
    int id = slk_timers_add (timers, 100000, run, &id), other = slk_timers_add (timers, 100000, run, &other);
    CHECK (id >= 1 && other > id);
    CHECK (slk_timers_execute (timers) == 0 && runs == 0);
    CHECK (slk_timers_set_interval (timers, id, 5) == 0 && slk_timers_timeout (timers) <= 5);
    slk_sleep (6);
    CHECK (slk_timers_execute (timers) == 0 && runs == 1);
    CHECK (slk_timers_set_interval (timers, other, 0) == 0 && slk_timers_timeout (timers) == 0 && slk_timers_reset (timers, other) == 0);
    CHECK (slk_timers_execute (timers) == 0 && runs == 2 && slk_timers_timeout (timers) == -1);
    FAILS (slk_timers_reset (timers, other), SLK_EINVAL);
    CHECK (slk_timers_destroy (&timers) == 0);
    return 0;
}
