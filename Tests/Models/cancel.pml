/* SPDX-License-Identifier: Apache-2.0
 * A model of what happens to a job that is cancelled, or is over a limit, when
 * it may have begun: claims as in link.pml, the word that tells a running job
 * that it is not wanted (pb_shared.cancelled), and the kill.
 *
 *   -DGRACE   the job is told; else its worker is killed at once
 *   -DALARM   the grace may be over at any moment, and then it is killed after all
 *   -DSTREAM  the worker sleeps on the stream between jobs, else on a word;
 *             in a job that is suspended it always sleeps on the stream
 *
 * Three jobs, two slots. Jobs 0 and 1 are cancelled, each by a thread of its
 * own at any moment. Each may look at the word at any time, or suspend until it
 * is resumed or told; those of them that suspend are resumed by being told only.
 *
 * What is checked:
 *   - no invalid end state: a job that is suspended is told, however that falls
 *     together with its going to sleep; and the worker that it held runs the next;
 *   - a job sees that it is not wanted if and only if the word was written for
 *     it: so never one that was meant for a job before it;
 *   - a revoked job never ran; a kill hits the job that it was for, or none: what
 *     was shipped behind it runs later, once;
 *   - every job gets exactly one outcome, and job 2 is answered. */

#define JOBS 3
#define SLOTS 2

mtype = { FREE, QUEUED, RUNNING, REVOKED };                /* enum pb_claim */
mtype = { AWAKE, SLEEPS_ON_WORD, SLEEPS_ON_STREAM };       /* enum pb_sleep */
mtype = { NONE, ANSWERED, CANCELLED };                     /* outcomes */
mtype = { UP, STOPPING, DYING };                           /* enum pb_worker_state: idle and busy are UP */

/* --- what host and worker share --- */
byte submitted, completed;
mtype claim[SLOTS];
mtype asleep;
bool wants_bell, leave;
byte cancelled;                          /* 1 + the number of the job */

/* --- what the kernel keeps for them --- */
byte to_worker, to_host;                 /* bells on the stream, not read yet */
bool worker_parked;                      /* in a futex wait */
bool killed, die, dead;                  /* the kill is sent, strikes, was told of */

/* --- the host's own --- */
bool locked, owes_bell;
mtype state;
byte collected;
byte slot_job[SLOTS];                    /* JOBS: none, or revoked */
mtype outcome[JOBS];
bool queued[JOBS];
byte shipped[JOBS];                      /* the slot it is in; SLOTS: in none */

/* --- for the claims that are checked --- */
byte ran[JOBS];
bool told[JOBS];
byte settled;

inline lock() { atomic { !locked -> locked = true } }

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

/* --- the worker (childlink.c, call.c) --- */

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
        atomic { to_worker > 0 -> to_worker = 0 }
#else
        atomic { if :: asleep == SLEEPS_ON_WORD -> worker_parked = true :: else fi }
        !worker_parked
#endif
    fi
    asleep = AWAKE
}

/* pebble_call_cancelled, of the job that was taken last */
inline look() {
    atomic {
        seen = cancelled == taken;
        assert(seen == told[job])
    }
}

/* pebble_call_suspend, with a callback for being cancelled */
inline suspend() {
    do
    :: to_worker = 0; /* pb_childlink_doorbell */
        asleep = SLEEPS_ON_STREAM;
        look();
        if
        :: seen -> asleep = AWAKE; break /* it is called, and resumes the job */
        :: !seen && job == JOBS - 1 -> asleep = AWAKE; break /* another resumes it */
        :: !seen && to_worker > 0 -> asleep = AWAKE
        fi
    od
}

proctype Worker()
{
    byte taken = 0, job;
    bool more, seen;
    {
        do
        :: !more ->
            has_work();
            if
            :: more
            :: else -> sleep_once()
            fi
        :: more ->
            more = false;
            if
            :: submitted == taken -> break /* leave */
            :: else
            fi;
            atomic {
                job = JOBS;
                if
                :: claim[taken % SLOTS] == QUEUED ->
                    claim[taken % SLOTS] = RUNNING;
                    job = slot_job[taken % SLOTS];
                    assert(job < JOBS && outcome[job] == NONE && ran[job] == 0);
                    ran[job]++
                :: else -> assert(claim[taken % SLOTS] == REVOKED)
                fi;
                taken++
            }
            if
            :: job < JOBS -> look()
            :: job < JOBS -> suspend()
            :: true
            fi;
            seen = false;
            completed = taken;
            if
            :: wants_bell -> wants_bell = false; to_host++
            :: else
            fi
        od
    } unless { die };
    atomic { dead = true; worker_parked = false }
}

/* The kill needs its time. */
proctype Kernel()
{
end:
    do
    :: atomic { killed && !die -> die = true }
    od
}

/* --- the host, with the lock (hostlink.c, shipping.c, ending.c, crew.c) --- */

inline forget_first() {
    slot_job[collected % SLOTS] = JOBS;
    collected++
}

/* finish_if_empty */
inline come_to_rest() {
    if
    :: state == STOPPING && collected == submitted -> state = UP
    :: else
    fi
}

inline collect() {
    do
    :: atomic {
        state != DYING && completed != collected ->
            if
            :: slot_job[collected % SLOTS] < JOBS ->
                assert(claim[collected % SLOTS] == RUNNING);
                next = slot_job[collected % SLOTS];
                shipped[next] = SLOTS;
                if
                :: outcome[next] == NONE -> settle(next, ANSWERED)
                :: else -> assert(outcome[next] == CANCELLED)
                fi;
                next = 0
            :: else
            fi;
            forget_first();
            come_to_rest()
        }
    :: else ->
        wants_bell = true;
        if
        :: state == DYING || completed == collected -> break
        :: else
        fi
    od
}

inline wake(at_once) {
    if
    :: asleep == AWAKE
    :: else ->
        atomic {
            if
            :: asleep == SLEEPS_ON_WORD -> owes_wake = true
            :: asleep == SLEEPS_ON_STREAM && at_once -> to_worker++
            :: asleep == SLEEPS_ON_STREAM && !at_once -> owes_bell = true
            :: else
            fi;
            asleep = AWAKE
        }
    fi
}

inline submit(job) {
    atomic {
        claim[submitted % SLOTS] = QUEUED;
        slot_job[submitted % SLOTS] = job;
        shipped[job] = submitted % SLOTS;
        queued[job] = false
    }
    wants_bell = true;
    submitted++;
    wake(false)
}

#define MAY_BE_SHIPPED(job) (queued[job] && state == UP && submitted - collected < SLOTS)

inline dispatch() {
    do
    :: atomic { next < JOBS && !MAY_BE_SHIPPED(next) -> next++ }
    :: atomic { next < JOBS && MAY_BE_SHIPPED(next) -> skip }
        submit(next);
        next++
    :: atomic { next == JOBS -> next = 0; break }
    od
}

/* take_back: one compare-and-swap */
inline revoke(job) {
    atomic {
        if
        :: claim[shipped[job]] == QUEUED ->
            claim[shipped[job]] = REVOKED;
            assert(ran[job] == 0);
            slot_job[shipped[job]] = JOBS;
            shipped[job] = SLOTS;
            revoked = true
        :: else
        fi
    }
}

/* pb_ending_take_back: the last first, and none before one that has begun. */
inline take_back() {
    do
    :: atomic { submitted - collected == SLOTS && slot_job[(submitted - 1) % SLOTS] < JOBS ->
        next = slot_job[(submitted - 1) % SLOTS] }
        revoke(next);
        atomic {
            if
            :: revoked -> queued[next] = true
            :: else
            fi;
            revoked = false; next = 0;
            break
        }
    :: else -> break
    od
}

inline kill() { atomic { state = DYING; killed = true } }

/* pb_crew_end, when what is behind the job was taken back */
inline end_job(job) {
#ifdef GRACE
    atomic {
        state = STOPPING;
        cancelled = collected + 1; /* the first that is under way */
        if
        :: slot_job[collected % SLOTS] == JOBS -> cancelled = collected + 2
        :: else
        fi;
        told[job] = true
    }
    wake(true)
#else
    kill()
#endif
}

proctype Canceller(byte job)
{
    byte next;
    bool revoked, owes_wake;
    lock();
    collect();
    if
    :: outcome[job] != NONE /* too late */
    :: atomic { outcome[job] == NONE && queued[job] -> queued[job] = false; settle(job, CANCELLED) }
    :: outcome[job] == NONE && !queued[job] ->
        revoke(job);
        if
        :: atomic { revoked -> revoked = false; settle(job, CANCELLED) }
        :: else ->
            take_back();
            collect();
            if
            :: outcome[job] == NONE -> settle(job, CANCELLED); end_job(job)
            :: else
            fi
        fi
    fi;
    dispatch();
    unlock()
}

#ifdef ALARM
proctype Alarm()
{
    byte next;
    bool owes_wake;
end:
    do
    :: state == STOPPING ->
        lock();
        collect();
        if
        :: state == STOPPING -> kill()
        :: else
        fi;
        dispatch();
        unlock()
    od
}
#endif

/* Of a worker that was killed: who has begun has its outcome, the rest was taken back. */
inline bury() {
    atomic {
        do
        :: collected != submitted ->
            next = slot_job[collected % SLOTS];
            if
            :: next < JOBS ->
                assert(claim[collected % SLOTS] == RUNNING && outcome[next] == CANCELLED);
                shipped[next] = SLOTS
            :: else
            fi;
            forget_first()
        :: else -> break
        od;
        next = 0;
        submitted = 0; completed = 0; collected = 0; cancelled = 0;
        claim[0] = FREE; claim[1] = FREE;
        asleep = AWAKE; wants_bell = true;
        to_worker = 0; to_host = 0; worker_parked = false; owes_bell = false;
        killed = false; die = false; dead = false; state = UP;
        run Worker()
    }
}

proctype Loop()
{
    byte next;
    bool owes_wake;
end:
    do
    :: to_host > 0 || (dead && killed) ->
        lock();
        atomic { if :: to_host > 0 -> to_host-- :: else fi }
        if
        :: dead && killed -> bury()
        :: else -> collect()
        fi;
        dispatch();
        unlock()
    od
}

init
{
    byte next;
    bool owes_wake;
    atomic {
        asleep = AWAKE; state = UP; wants_bell = true;
        slot_job[0] = JOBS; slot_job[1] = JOBS;
        do
        :: next < JOBS -> outcome[next] = NONE; shipped[next] = SLOTS; queued[next] = true; next++
        :: else -> next = 0; break
        od;
        run Worker(); run Kernel(); run Loop(); run Canceller(0); run Canceller(1);
#ifdef ALARM
        run Alarm();
#endif
    }
    lock();
    dispatch();
    unlock();
    settled == JOBS;
    assert(outcome[JOBS - 1] == ANSWERED);
    lock();
    leave = true;
    wake(true);
    unlock()
}
