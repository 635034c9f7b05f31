/* SPDX-License-Identifier: Apache-2.0
 * A model of the link between a host and one worker, as Sources/CPebble/shared.h
 * describes it: claims, counters, and who wakes whom. One step here is one
 * access to a word that another can change meanwhile; all of them are
 * sequentially consistent there. What only who has the lock sees is one step
 * with the access before it.
 *
 *   -DSTREAM  the worker sleeps on the stream (it has a main queue), else on a word
 *   -DDEATH   the worker may die between any two steps, once, and is replaced
 *
 * What runs and is cancelled is in cancel.pml, what comes over the stream in
 * updates.pml. To steal a job that waits behind another is to revoke it, as a
 * cancel does here. The alarm that looks for answers after 200 us is left out:
 * nothing may depend on it.
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
bool locked, awaited, owes_bell;
bool replaced;                           /* the worker that died is forgotten */
byte collected, live;
byte slot_job[SLOTS];                    /* JOBS: none, or revoked */
mtype outcome[JOBS];
byte settled;
bool queued[JOBS];                       /* in the queue of the pool */
byte shipped[JOBS];                      /* the slot it is in; SLOTS: in none */

/* --- for the claims that are checked --- */
byte ran[JOBS];
bool dead, die;

inline lock() { atomic { !locked -> locked = true } }

/* A worker that was given jobs is told at the end of the turn: on the stream before
 * the lock is given back (owes_bell), on its word after it (pb_wakes). */
inline unlock() {
    if
    :: owes_bell -> owes_bell = false; to_worker++
    :: else
    fi;
    locked = false;
    if
    :: owes_wake -> owes_wake = false; worker_parked = false
    :: else
    fi
}

inline settle(job, what) {
    assert(outcome[job] == NONE);
    outcome[job] = what;
    settled++
}

/* --- the worker (childlink.c) --- */

inline ring_if_wanted() {
    due = wants_bell != NO_BELL;
    if
    :: due -> due = bell_at <= taken;
        if
        :: !due -> due = submitted == taken /* no more will come for now */
        :: else
        fi
    :: else
    fi;
    if
    :: due ->
        due = false;
        atomic { wanted = wants_bell; wants_bell = NO_BELL }
        if
        :: wanted == ON_STREAM -> to_host++
        :: wanted == ON_WORD -> waiter_parked = false
        :: else
        fi;
        wanted = 0
    :: else
    fi
}

inline has_work() {
    more = submitted != taken;
    if
    :: !more -> more = leave
    :: else
    fi
}

inline sleep_once() {
#ifdef STREAM
    asleep = SLEEPS_ON_STREAM;
#else
    asleep = SLEEPS_ON_WORD;
#endif
    has_work();
    if
    :: more
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
    bool due, more;
    {
        do
        :: !more ->
            has_work();
            if
            :: more
            :: else -> sleep_once()
            fi
        :: more -> more = false;
            if
            :: submitted == taken -> break /* leave */
            :: else
            fi;
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
    if
    :: slot_job[collected % SLOTS] < JOBS -> live--
    :: else
    fi;
    slot_job[collected % SLOTS] = JOBS;
    collected++
}

inline want_bell(bell, count) {
    bell_at = collected + count;
    wants_bell = bell
}

/* When one answer is there, or two: the real host wants more than one of a worker that has many jobs. */
inline choose_answers() {
    if
    :: answers = 1
    :: answers = 2
    fi
}

/* Whether it was asked for too late: there are as many, or there are some and no more will come. */
inline look_once_more() {
    atomic {
        late = completed != collected && (completed - collected >= answers || completed == submitted);
        answers = 0
    }
}

inline collect() {
    do
    :: atomic {
        completed != collected ->
            assert(completed - collected <= submitted - collected);
            if
            :: slot_job[collected % SLOTS] < JOBS ->
                assert(claim[collected % SLOTS] == RUNNING);
                shipped[slot_job[collected % SLOTS]] = SLOTS;
                settle(slot_job[collected % SLOTS], ANSWERED)
            :: else
            fi;
            forget_first()
        }
    :: else ->
        choose_answers();
        want_bell(ON_STREAM, answers);
        look_once_more();
        if
        :: !late -> break
        :: else -> late = false
        fi
    od
}

inline call_off() {
    if
    :: awaited -> wants_bell = ON_STREAM; waiter_parked = false
    :: else
    fi
}

inline wake(at_once) {
    if
    :: asleep == AWAKE
    :: else ->
        atomic { slept = asleep; asleep = AWAKE }
        atomic {
            if
            :: slept == SLEEPS_ON_WORD -> owes_wake = true
            :: slept == SLEEPS_ON_STREAM && at_once -> to_worker++
            :: slept == SLEEPS_ON_STREAM && !at_once -> owes_bell = true
            :: else
            fi;
            slept = 0
        }
    fi
}

inline submit(job) {
    atomic {
        claim[submitted % SLOTS] = QUEUED;
        slot_job[submitted % SLOTS] = job;
        shipped[job] = submitted % SLOTS;
        queued[job] = false;
        live++
    }
    if
    :: live == 1 -> want_bell(ON_STREAM, 1)
    :: else
    fi;
    submitted++;
    wake(false)
}

/* What a turn does with the queue. */
inline dispatch() {
    do
    :: atomic { next < JOBS && !(queued[next] && submitted - collected < SLOTS) -> next++ }
    :: atomic { next < JOBS && queued[next] && submitted - collected < SLOTS -> skip }
        submit(next);
        next++
    :: atomic { next == JOBS -> next = 0; break }
    od
}

/* Of a dead worker: what it answered stands, what it had begun died with it, the rest goes back. */
inline bury() {
    collect();
    call_off();
    atomic {
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
        next = 0;
        /* a new link, and a new worker */
        submitted = 0; completed = 0; collected = 0; live = 0;
        claim[0] = FREE; claim[1] = FREE;
        asleep = AWAKE; wants_bell = ON_STREAM; bell_at = 0;
        to_worker = 0; to_host = 0; worker_parked = false; owes_bell = false;
        die = false; dead = false; replaced = true;
        run Worker()
    }
}

proctype Loop()
{
    byte next, answers;
    mtype slept;
    bool owes_wake, late;
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
    bool awaits, before, owes_wake, late;
    do
    :: outcome[job] != NONE -> break
    :: else ->
        lock();
        do
        :: outcome[job] == NONE && shipped[job] < SLOTS && !awaited ->
            choose_answers();
            want_bell(ON_WORD, answers);
            look_once_more();
            if
            :: atomic { !late -> awaited = true; awaits = true; before = replaced }; break
            :: atomic { else -> late = false }; collect()
            fi
        :: else -> break
        od;
        dispatch();
        unlock();
        if
        :: !awaits -> outcome[job] != NONE; break /* the loop thread will settle it */
        :: else -> awaits = false
        fi;
        atomic { if :: wants_bell == ON_WORD -> waiter_parked = true :: else fi }
        !waiter_parked;
        lock();
        awaited = false;
        if
        :: before == replaced -> collect()
        :: else
        fi;
        before = false;
        dispatch();
        unlock()
    od
}

/* A thread that cancels a job, at some moment, if it has not begun; cancel.pml has what follows if it has. */
proctype Canceller(byte job)
{
    byte next, answers;
    mtype slept;
    bool revoked, owes_wake, late;
    lock();
    if
    :: shipped[job] < SLOTS -> collect(); call_off()
    :: else
    fi;
    if
    :: outcome[job] != NONE
    :: atomic { outcome[job] == NONE && queued[job] ->
        queued[job] = false;
        settle(job, CANCELLED);
        assert(ran[job] == 0) }
    :: outcome[job] == NONE && shipped[job] < SLOTS ->
        atomic {
            if
            :: claim[shipped[job]] == QUEUED ->
                claim[shipped[job]] = REVOKED; revoked = true;
                assert(ran[job] == 0);
                slot_job[shipped[job]] = JOBS;
                live--;
                shipped[job] = SLOTS;
                settle(job, CANCELLED)
            :: else
            fi
        }
        if
        :: revoked -> call_off()
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
    bool owes_wake;
    atomic {
        asleep = AWAKE;
        wants_bell = ON_STREAM;
        slot_job[0] = JOBS; slot_job[1] = JOBS;
        job = 0;
        do
        :: job < JOBS -> outcome[job] = NONE; shipped[job] = SLOTS; job++
        :: else -> job = 0; break
        od;
        run Worker(); run Loop(); run Waiter(JOBS - 1);
#ifdef DEATH
        run Canceller(1); run Killer();
#else
        if
        :: run Canceller(1)
        :: run Canceller(JOBS - 1)
        fi
#endif
    }
    do
    :: job < JOBS ->
        lock();
        queued[job] = true;
        dispatch();
        if
        :: queued[job] -> inbox_rung = true /* no room: the loop thread sees to it */
        :: else
        fi;
        unlock();
        job++
    :: else -> break
    od;
    settled == JOBS;
    lock();
    leave = true;
    wake(true);
    unlock()
}
