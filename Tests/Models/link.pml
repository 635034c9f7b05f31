/* SPDX-License-Identifier: Apache-2.0
 * A model of the link between a host and one worker, as Sources/CPebble/shared.h
 * describes it: claims, counters, and who wakes whom. One step here is one
 * access to a shared word there; all of them are sequentially consistent there.
 *
 *   -DSTREAM  the worker sleeps on the stream (it has a main queue), else on a word
 *   -DDEATH   the worker may die between any two steps, once, and is replaced
 *
 * What is checked:
 *   - no invalid end state: nobody sleeps while there is something for them to
 *     do, so no wake-up is lost, in any interleaving of worker, loop thread, a
 *     thread that waits for a job and one that cancels;
 *   - every job gets exactly one outcome (settle);
 *   - a revoked job never ran; an answered one ran once; after a death, what had
 *     finished is answered, what had begun has expired, and the rest runs later.
 *
 * The model has no limits on time: the second after which a waiting thread of
 * the real host looks again (shipping.c) is for hostile workers only, and must
 * not be what hides a lost wake-up. */

#ifndef JOBS
#define JOBS 3
#endif
#define SLOTS 2

mtype = { FREE, QUEUED, RUNNING, REVOKED };                /* enum pb_claim */
mtype = { NO_BELL, ON_STREAM, ON_WORD };                   /* enum pb_bell */
mtype = { AWAKE, SLEEPS_ON_WORD, SLEEPS_ON_STREAM };       /* enum pb_sleep */
mtype = { NONE, ANSWERED, CANCELLED, EXPIRED };            /* outcomes */

/* --- what host and worker share --- */
byte submitted, completed;
byte bell_at;                            /* so many completed are worth the bell that is wanted */
mtype claim[SLOTS];
mtype asleep, wants_bell;
bool leave;

/* --- what the kernel keeps for them --- */
byte to_worker, to_host;                 /* bells on the stream, not read yet */
bool worker_parked, waiter_parked;       /* in a futex wait */
bool inbox_rung;                         /* the loop thread's eventfd */

/* --- the host's own --- */
bool locked, awaited;
byte collected;
byte slot_job[SLOTS];                    /* JOBS: none, or revoked */
mtype outcome[JOBS];
byte settled;
bool queued[JOBS];                       /* in the queue of the pool */
byte shipped[JOBS];                      /* the slot it is in; SLOTS: in none */

/* --- for the claims that are checked --- */
byte ran[JOBS];
bool dead, die;

inline lock() { atomic { !locked -> locked = true } }
inline unlock() { locked = false }

inline settle(job, what) {
    atomic {
        assert(outcome[job] == NONE);
        outcome[job] = what;
        settled++;
    }
}

/* --- the worker (childlink.c) --- */

inline ring_if_wanted() {
    if
    :: wants_bell == NO_BELL
    :: wants_bell != NO_BELL && bell_at > taken && submitted != taken /* more will come */
    :: wants_bell != NO_BELL && (bell_at <= taken || submitted == taken) ->
        atomic { wanted = wants_bell; wants_bell = NO_BELL }
        if
        :: wanted == ON_STREAM -> to_host++
        :: wanted == ON_WORD -> waiter_parked = false
        :: else
        fi
    fi
}

inline sleep_once() {
#ifdef STREAM
    asleep = SLEEPS_ON_STREAM;
#else
    asleep = SLEEPS_ON_WORD;
#endif
    if
    :: submitted != taken || leave
    :: else ->
#ifdef STREAM
        to_worker > 0 -> to_worker = 0
#else
        atomic { if :: asleep == SLEEPS_ON_WORD -> worker_parked = true :: else fi }
        !worker_parked
#endif
    fi
    asleep = AWAKE
}

proctype Worker()
{
    byte taken = 0, job;
    mtype wanted;
    {
        do
        :: submitted == taken && !leave -> sleep_once()
        :: submitted == taken && leave -> break
        :: submitted != taken ->
            atomic { /* the compare-and-swap, and the start of the function */
                if
                :: claim[taken % SLOTS] == QUEUED ->
                    claim[taken % SLOTS] = RUNNING;
                    job = slot_job[taken % SLOTS];
                    assert(job < JOBS && outcome[job] == NONE);
                    ran[job]++;
                    assert(ran[job] == 1)
                :: else -> assert(claim[taken % SLOTS] == REVOKED)
                fi
            }
            taken++;
            completed = taken;
            ring_if_wanted()
        od
    } unless { die };
    atomic { dead = true; worker_parked = false }
}

/* --- the host, with the lock (hostlink.c, shipping.c) --- */

inline forget_first() {
    slot_job[collected % SLOTS] = JOBS;
    collected++
}

/* When one answer is there, or two. */
inline want_bell(bell) {
    if
    :: answers = 1
    :: answers = 2
    fi;
    bell_at = collected + answers;
    wants_bell = bell
}

inline collect() {
    do
    :: completed != collected ->
        assert(completed - collected <= submitted - collected);
        if
        :: slot_job[collected % SLOTS] < JOBS ->
            assert(claim[collected % SLOTS] == RUNNING);
            shipped[slot_job[collected % SLOTS]] = SLOTS;
            settle(slot_job[collected % SLOTS], ANSWERED)
        :: else
        fi;
        forget_first()
    :: else ->
        want_bell(ON_STREAM);
        if
        :: completed == collected || (completed - collected < answers && completed != submitted) -> break
        :: else
        fi
    od
}

inline call_off() {
    if
    :: awaited -> wants_bell = ON_STREAM; waiter_parked = false
    :: else
    fi
}

inline wake() {
    if
    :: asleep == AWAKE
    :: else ->
        atomic { slept = asleep; asleep = AWAKE }
        if
        :: slept == SLEEPS_ON_WORD -> worker_parked = false
        :: slept == SLEEPS_ON_STREAM -> to_worker++
        :: else
        fi
    fi
}

inline submit(job) {
    claim[submitted % SLOTS] = QUEUED;
    slot_job[submitted % SLOTS] = job;
    shipped[job] = submitted % SLOTS;
    queued[job] = false;
    if
    :: submitted == collected -> bell_at = collected + 1; wants_bell = ON_STREAM
    :: else
    fi;
    submitted++;
    wake()
}

/* What a turn does with the queue. */
inline dispatch() {
    next = 0;
    do
    :: next < JOBS && queued[next] && !dead && submitted - collected < SLOTS -> submit(next); next++
    :: next < JOBS && !(queued[next] && !dead && submitted - collected < SLOTS) -> next++
    :: next == JOBS -> break
    od
}

/* Of a dead worker: what it answered stands, what it had begun died with it, the rest goes back. */
inline bury() {
    collect();
    call_off();
    do
    :: collected != submitted ->
        next = slot_job[collected % SLOTS];
        if
        :: next < JOBS && claim[collected % SLOTS] == QUEUED ->
            assert(ran[next] == 0);
            shipped[next] = SLOTS;
            queued[next] = true
        :: next < JOBS && claim[collected % SLOTS] != QUEUED ->
            assert(ran[next] == 1);
            shipped[next] = SLOTS;
            settle(next, EXPIRED)
        :: else
        fi;
        forget_first()
    :: else -> break
    od;
    atomic { /* a new link, and a new worker */
        submitted = 0; completed = 0; collected = 0;
        asleep = AWAKE; wants_bell = ON_STREAM; bell_at = 0;
        to_worker = 0; to_host = 0; worker_parked = false;
        die = false; dead = false;
        run Worker()
    }
}

proctype Loop()
{
    byte next, answers;
    mtype slept;
end:
    do
    :: to_host > 0 || inbox_rung || dead ->
        lock();
        atomic { inbox_rung = false; if :: to_host > 0 -> to_host-- :: else fi }
        if
        :: dead && settled < JOBS -> bury()
        :: dead && settled == JOBS -> unlock(); break
        :: else -> collect(); call_off()
        fi;
        dispatch();
        unlock()
    od
}

/* A thread that waits for a job (pb_shipping_wait). */
proctype Waiter(byte job)
{
    byte next, answers;
    mtype slept;
    bool awaits;
    do
    :: outcome[job] != NONE -> break
    :: else ->
        awaits = false;
        lock();
        do
        :: outcome[job] == NONE && shipped[job] < SLOTS && !awaited && !dead ->
            want_bell(ON_WORD);
            if
            :: completed == collected || (completed - collected < answers && completed != submitted) -> awaited = true; awaits = true; break
            :: else -> collect()
            fi
        :: else -> break
        od;
        dispatch();
        unlock();
        if
        :: !awaits -> outcome[job] != NONE; break /* the loop thread will settle it */
        :: else
        fi;
        atomic { if :: wants_bell == ON_WORD -> waiter_parked = true :: else fi }
        !waiter_parked;
        lock();
        awaited = false;
        if
        :: !dead -> collect()
        :: else
        fi;
        dispatch();
        unlock()
    od
}

/* A thread that cancels a job, at some moment, if it has not begun. */
proctype Canceller(byte job)
{
    byte next, answers;
    mtype slept;
    bool revoked = false;
    lock();
    if
    :: !dead && shipped[job] < SLOTS -> collect(); call_off()
    :: else
    fi;
    if
    :: outcome[job] != NONE
    :: outcome[job] == NONE && queued[job] ->
        queued[job] = false;
        settle(job, CANCELLED);
        assert(ran[job] == 0)
    :: outcome[job] == NONE && shipped[job] < SLOTS ->
        atomic {
            if
            :: claim[shipped[job]] == QUEUED -> claim[shipped[job]] = REVOKED; revoked = true
            :: else
            fi
        }
        if
        :: revoked ->
            assert(ran[job] == 0);
            slot_job[shipped[job]] = JOBS;
            shipped[job] = SLOTS;
            settle(job, CANCELLED);
            call_off()
        :: else
        fi
    :: else /* not scheduled yet */
    fi;
    dispatch();
    unlock()
}

#ifdef DEATH
proctype Killer()
{
end: /* everything may be over before it strikes */
    atomic { settled < JOBS && !dead -> die = true }
}
#endif

init
{
    byte next, job;
    mtype slept;
    atomic {
        asleep = AWAKE;
        wants_bell = ON_STREAM;
        slot_job[0] = JOBS; slot_job[1] = JOBS;
        job = 0;
        do
        :: job < JOBS -> outcome[job] = NONE; shipped[job] = SLOTS; job++
        :: else -> break
        od;
        run Worker(); run Loop(); run Canceller(1); run Waiter(JOBS - 1);
#ifdef DEATH
        run Killer();
#endif
    }
    job = 0;
    do
    :: job < JOBS ->
        lock();
        queued[job] = true;
        dispatch();
        if
        :: queued[job] -> inbox_rung = true /* no room, or no worker: the loop thread sees to it */
        :: else
        fi;
        unlock();
        job++
    :: else -> break
    od;
    settled == JOBS;
    lock();
    leave = true;
    wake();
    unlock()
}
