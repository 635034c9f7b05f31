/* SPDX-License-Identifier: Apache-2.0
 * A model of what comes over a worker's stream while and after a job runs: its
 * updates, a reply that is too large for the shared memory, and bells; of the
 * count that keeps an answer behind the updates before it; and of who waits.
 *
 *   -DDEATH   the worker may die between any two steps, once; there is no other
 *
 * Two jobs, two slots, at most two updates of each; a stream of two frames,
 * which the worker waits for when it is full; a queue of one update for each
 * job, which nobody empties before the job has its outcome.
 *
 * What is checked:
 *   - no invalid end state: neither a full stream nor a full queue holds anybody
 *     up for ever, nor is an answer left behind that waited for a frame;
 *   - updates come in the order in which they were sent;
 *   - at the outcome, whether the job was answered or its worker died in it, each
 *     update that was sent is in the job's queue or counted as lost;
 *   - an honest worker is never taken for one that sends what it must not.
 *
 * A frame is sent and read as one. */

#define JOBS 2
#define SENT 2
#define ROOM 2
#define QUEUE 1

mtype = { NO_BELL, ON_STREAM, ON_WORD };                   /* enum pb_bell */
mtype = { BELL, UPDATE, BULK };                            /* enum pb_frame_kind */
mtype = { NONE, ANSWERED, EXPIRED };                       /* outcomes */

/* --- what host and worker share; both jobs are submitted before it begins --- */
byte completed;
bool running[JOBS];                      /* the claim */
byte updates[JOBS];
bool in_bulk[JOBS];                      /* that the reply is on the stream */
mtype wants_bell;

/* --- what the kernel keeps for them --- */
chan stream = [ROOM] of { mtype, byte, byte };
bool waiter_parked, die, dead;

/* --- the host's own --- */
bool locked, awaited, has_bulk;
byte bulk_job;
byte collected;
byte received[JOBS];                     /* its count of updates */
byte put[JOBS], lost[JOBS];              /* into the job's queue, or not */
mtype outcome[JOBS];

/* --- for the claims that are checked --- */
byte sent[JOBS];

inline lock() { atomic { !locked -> locked = true } }
inline unlock() { locked = false }

/* --- the worker (childlink.c) --- */

inline ring_if_wanted() {
    if
    :: wants_bell == NO_BELL
    :: else ->
        atomic { wanted = wants_bell; wants_bell = NO_BELL }
        if
        :: wanted == ON_STREAM -> stream!BELL,0,0
        :: wanted == ON_WORD -> waiter_parked = false
        :: else
        fi;
        wanted = 0
    fi
}

proctype Worker()
{
    byte job = 0;
    mtype wanted;
    bool bulk;
    {
        do
        :: job == JOBS -> break
        :: else ->
            running[job] = true;
            do
            :: sent[job] < SENT ->
                atomic { stream!UPDATE,job,sent[job] -> sent[job]++ }
                updates[job]++
            :: true -> break
            od;
            if
            :: bulk = false
            :: bulk = true
            fi;
            in_bulk[job] = bulk;
            completed++;
            if
            :: bulk -> stream!BULK,job,0 /* which is as good as a bell */
            :: else -> ring_if_wanted()
            fi;
            bulk = false;
            job++
        od
    } unless { die };
    dead = true
}

/* --- the host, with the lock (hostlink.c, shipping.c, updates.c) --- */

inline settle(job, what) {
    assert(outcome[job] == NONE);
    assert(put[job] + lost[job] == sent[job]);
    outcome[job] = what
}

inline put_update(job) {
    if
    :: put[job] < QUEUE -> put[job]++
    :: else -> lost[job]++
    fi
}

/* pb_hostlink_read, when there is a frame */
inline read_frame() {
    atomic {
        assert(!has_bulk);
        stream?kind,owner,nth;
        if
        :: kind == UPDATE ->
            assert(owner >= collected && running[owner]); /* else it is refused */
            assert(nth == received[owner]);
            received[owner]++;
            put_update(owner)
        :: kind == BULK ->
            assert(owner >= collected && owner < completed);
            has_bulk = true;
            bulk_job = owner
        :: else
        fi;
        kind = 0; owner = 0; nth = 0
    }
}

/* Whether the next answer is there, and something of it still on the stream. */
#define AWAITS_STREAM (completed != collected && \
    ((in_bulk[collected % JOBS] && !has_bulk) || updates[collected % JOBS] > received[collected % JOBS]))

#define MAY_BE_COLLECTED (completed != collected && !AWAITS_STREAM)

inline collect_all() {
    do
    :: atomic { MAY_BE_COLLECTED ->
        assert(updates[collected] == received[collected]); /* else it is refused */
        if
        :: in_bulk[collected] -> assert(bulk_job == collected); has_bulk = false; bulk_job = 0
        :: else
        fi;
        settle(collected, ANSWERED);
        collected++ }
    :: else -> break
    od
}

inline collect() {
    do
    :: collect_all();
        wants_bell = ON_STREAM;
        if
        :: completed == collected || AWAITS_STREAM -> break
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

inline take_answers() { collect(); call_off() }

/* pb_shipping_drain, and what is left then */
inline bury() {
    take_answers();
    do
    :: nempty(stream) -> read_frame(); take_answers()
    :: empty(stream) -> break
    od;
    do
    :: atomic { collected < JOBS && running[collected] -> settle(collected, EXPIRED); collected++ }
    :: atomic { collected < JOBS && !running[collected] -> outcome[collected] = EXPIRED; collected++ } /* runs elsewhere */
    :: collected == JOBS -> break
    od
}

proctype Loop()
{
    mtype kind;
    byte owner, nth;
    bool gone;
end:
    do
    :: nempty(stream) || (dead && !gone) ->
        lock();
        if
        :: dead && !gone -> bury(); call_off(); gone = true
        :: nempty(stream) && !gone -> read_frame(); take_answers()
        :: empty(stream) || gone
        fi;
        unlock()
    :: gone -> break
    od
}

/* A thread that waits for the second job (pb_shipping_wait). */
proctype Waiter()
{
    bool awaits;
    do
    :: outcome[JOBS - 1] != NONE -> break
    :: else ->
        lock();
        do
        :: outcome[JOBS - 1] == NONE ->
            wants_bell = ON_WORD;
            if
            :: completed == collected -> awaited = true; awaits = true; break
            :: else ->
                collect();
                if
                :: AWAITS_STREAM -> break
                :: else
                fi
            fi
        :: else -> break
        od;
        unlock();
        if
        :: !awaits -> outcome[JOBS - 1] != NONE; break /* the loop thread will settle it */
        :: else -> awaits = false
        fi;
        atomic { if :: wants_bell == ON_WORD -> waiter_parked = true :: else fi }
        !waiter_parked;
        lock();
        awaited = false;
        if
        :: outcome[JOBS - 1] == NONE -> collect()
        :: else
        fi;
        unlock()
    od
}

/* A thread that wants to know whether the first job is done: it takes from the
 * stream what the next answer waits for (pb_shipping_look). */
proctype Looker()
{
    mtype kind;
    byte owner, nth;
    lock();
    if
    :: outcome[0] == NONE ->
        take_answers();
        do
        :: AWAITS_STREAM && nempty(stream) -> read_frame(); take_answers()
        :: !AWAITS_STREAM || empty(stream) -> break
        od
    :: else
    fi;
    unlock()
}

#ifdef DEATH
proctype Killer()
{
end:
    atomic { !dead -> die = true }
}
#endif

init
{
    atomic {
        outcome[0] = NONE; outcome[1] = NONE;
        wants_bell = ON_STREAM;
        run Worker(); run Loop(); run Waiter(); run Looker();
#ifdef DEATH
        run Killer();
#endif
    }
    outcome[0] != NONE && outcome[1] != NONE;
}
