// SPDX-License-Identifier: Apache-2.0

/// How worker processes come to be.
///
/// Under both, a worker is never a child of the program itself: its own `wait` and SIGCHLD know nothing of it.
public enum StartMethod: Sendable, CaseIterable {
  /// Forked from a small server process, ready in a fraction of a millisecond.
  case forkServer
  /// A fresh start of the program for each, for code that cannot live in a forked process.
  case spawn
}

/// What becomes of what workers write to their standard output or error.
public enum WorkerOutput: Sendable {
  /// It goes where the program's own goes.
  case inherit
  /// It goes nowhere.
  case discard
  /// It is read: see ``ProcessPool/Configuration/onOutput`` and ``ProcessPool/Configuration/outputTail``.
  case capture
}

/// Where a pool's jobs run.
public enum JobExecution: Sendable, Equatable {
  /// In worker processes.
  case processes
  /// In threads of this process, for debugging: breakpoints are met, variables of this process are seen.
  ///
  /// Arguments and results are encoded and decoded all the same. But nothing can be killed: at a limit or a cancel a
  /// job's future has its outcome at once, while the job runs on, and a crash ends the program. What only concerns
  /// processes, such as ``WorkerLimits`` and retries, has no meaning.
  case inline
  /// In worker processes of nodes of a Slurm cluster.
  ///
  /// On each node the program is started as an agent, with a pool of processes of its own: limits, kills, crashes and
  /// captured output are as in a pool on this machine, and stay on the node. ``ProcessPool/Configuration/maxWorkers``
  /// is that of each node. In an allocation, of `salloc` or `sbatch`, each of its nodes gets a step, by default with
  /// all its CPUs; elsewhere each node is an allocation of its own, with as many CPUs as `maxWorkers` says. Nodes are
  /// started when there is work for them, and stay until the pool is closed. The program must be found under the same
  /// path there.
  ///
  /// A node that is lost costs the jobs that it had, which throw ``NodeLost`` unless they have retries; the pool goes
  /// on with the others. ``ProcessPool/resize(maxWorkers:)`` cannot be used, and ``ProcessPool/Configuration/stackDump``
  /// does nothing.
  ///
  /// - Parameters:
  ///   - nodes: how many; nil: in an allocation all that it has, else one.
  ///   - options: more words for `srun`, such as "--partition=short".
  ///   - contact: when a node counts as lost.
  case slurm(nodes: Int? = nil, options: [String] = [], contact: NodeContact = .init())
  /// In worker processes of other machines, which are reached through a command.
  ///
  /// All else is as with ``slurm(nodes:options:contact:)``.
  ///
  /// - Parameters:
  ///   - names: of the machines.
  ///   - command: words, in each of which `%n` becomes the name of the node. It is to execute the words that are put
  ///     behind it there, with its own standard input and output for theirs: `["ssh", "-T", "%n"]`.
  ///   - contact: when a node counts as lost.
  case nodes(_ names: [String], command: [String], contact: NodeContact = .init())
}

extension ProcessPool {
  /// What a pool is made with. Nil stands for a default.
  public struct Configuration: Sendable {
    /// The most processes at one time; by default as many as the processors that this process may use.
    public var maxWorkers: Int?
    /// The jobs after which a worker is replaced; by default without limit.
    public var maxTasks: Int?
    /// Shown in process titles, up to 31 bytes of it; by default "pool".
    public var name: String?
    public var startMethod: StartMethod
    /// The bytes that arguments, or a reply, may have; by default 16 GiB.
    public var maxPayload: Int?
    /// How long a worker may take from its start to being ready.
    public var startTimeout: Duration
    public var standardOutput: WorkerOutput
    public var standardError: WorkerOutput
    /// Run in each worker before its first job, within ``startTimeout``.
    ///
    /// When it throws, or its worker dies in it, that is a failed start: it is tried again, ever more slowly, and after
    /// three in a row with no other worker alive the waiting jobs fail with ``InitializerError``.
    public var initializer: WorkerCall?
    /// Run in each worker that leaves in peace (because of ``maxTasks``, or as the pool is closed), for up to three
    /// seconds; not in one that is killed or dies.
    public var finalizer: WorkerCall?
    /// The workers that one job may take with it, whatever its retries.
    public var maxDeaths: Int
    /// How old a worker may become; older ones are replaced when they have no job.
    public var maxAge: Duration?
    /// The bytes of resident memory above which a worker is replaced, after a job.
    public var maxMemory: Int?
    /// How long a worker may be without a job before it is let go; by default for ever.
    public var idleTimeout: Duration?
    /// What each worker may use.
    public var limits: WorkerLimits
    /// What its jobs are kept from; nil: nothing. When the kernel cannot do it, the pool is not made.
    public var confinement: WorkerConfinement?
    /// Where the jobs run.
    public var execution: JobExecution
    /// What a running job is given when nobody waits for it any more: it was cancelled, is over a limit, or its pool is
    /// stopped. Its outcome is there at once; in it `Task.isCancelled` (of `async` functions) and ``isJobCancelled``
    /// become true; after `grace` its process gets SIGTERM, and SIGKILL after as much again. Nil: SIGKILL at once.
    public var grace: Duration?
    /// How many jobs may wait; `schedule` throws ``PebbleError/Code/full`` above it, and ``WorkerPool/room()`` waits
    /// for its end. By default as many as there is memory for.
    public var maxQueued: Int?
    /// Workers kept ready above `maxWorkers`, to take the place of one that dies; nil: one, once one had to be replaced.
    public var spareWorkers: Int?
    /// Called for each line of what is captured, one at a time, on a thread of the pool's own; for all of them before
    /// ``WorkerPool/joined()`` returns.
    ///
    /// When it falls behind by 1 MiB of what a worker wrote, that worker waits in its writing, and no job begins while
    /// it is as far behind with all of them. So it may block, but must not wait for a job of the pool.
    public var onOutput: (@Sendable (WorkerLine) -> Void)?
    /// The last bytes of what a job wrote to its standard error, where that is captured, that ``ProcessExpired`` and
    /// ``TimeoutError`` have.
    public var outputTail: Int
    var integrations = Integrations()
    /// Whether workers remember where errors are thrown, for ``RemoteBacktrace/init(of:)`` and ``RemoteError``. That costs
    /// some 20 ns a throw, and some microseconds where the throw before was another.
    public var errorBacktraces: Bool
    /// How long a job that is over its `timeout` or `deadline` may be left for a dump of the stacks of its worker's threads,
    /// ``TimeoutError/stacks``: the limit strikes when that is complete, mostly within some milliseconds, and after this
    /// time at the latest. When the job returns meanwhile, that counts. By default there is none, limits strike at once.
    ///
    /// Workers are sent SIGPROF for it, which interrupts system calls; one that blocks it, or catches it, gives none.
    public var stackDump: Duration?
    /// Whether Swift's own crash reporter is left in workers as the program's environment has it (`SWIFT_BACKTRACE`),
    /// instead of off: it writes to standard error, and takes its time. With ``StartMethod/spawn`` only.
    public var swiftBacktraces: Bool
    /// How long each worker waits for a debugger, besides ``startTimeout``, before it does anything else. It goes on when
    /// one is attached, or the time is over. Nil: what the environment's `PEBBLE_DEBUGGER_TIME` says, in seconds, or no
    /// time at all.
    ///
    /// Meanwhile the title of its process ends in "waiting for a debugger":
    /// `lldb -p $(pgrep -nf 'waiting for a debugger')`, or `gdb -p`. Whoever debugs takes time, so jobs should have no
    /// limits then.
    public var debuggerTime: Duration?

    public init(
      maxWorkers: Int? = nil, maxTasks: Int? = nil, name: String? = nil, startMethod: StartMethod = .forkServer,
      maxPayload: Int? = nil, startTimeout: Duration = .seconds(10), standardOutput: WorkerOutput = .inherit,
      standardError: WorkerOutput = .inherit, initializer: WorkerCall? = nil, finalizer: WorkerCall? = nil,
      maxDeaths: Int = 3, maxAge: Duration? = nil, maxMemory: Int? = nil, idleTimeout: Duration? = nil,
      limits: WorkerLimits = .init(), execution: JobExecution = .processes, grace: Duration? = nil,
      maxQueued: Int? = nil, spareWorkers: Int? = nil, confinement: WorkerConfinement? = nil,
      onOutput: (@Sendable (WorkerLine) -> Void)? = nil, outputTail: Int = 4096, errorBacktraces: Bool = true,
      stackDump: Duration? = nil, swiftBacktraces: Bool = false, debuggerTime: Duration? = nil
    ) {
      self.maxWorkers = maxWorkers
      self.maxTasks = maxTasks
      self.name = name
      self.startMethod = startMethod
      self.maxPayload = maxPayload
      self.startTimeout = startTimeout
      self.standardOutput = standardOutput
      self.standardError = standardError
      self.initializer = initializer
      self.finalizer = finalizer
      self.maxDeaths = maxDeaths
      self.maxAge = maxAge
      self.maxMemory = maxMemory
      self.idleTimeout = idleTimeout
      self.limits = limits
      self.confinement = confinement
      self.execution = execution
      self.grace = grace
      self.maxQueued = maxQueued
      self.spareWorkers = spareWorkers
      self.onOutput = onOutput
      self.outputTail = outputTail
      self.errorBacktraces = errorBacktraces
      self.stackDump = stackDump
      self.swiftBacktraces = swiftBacktraces
      self.debuggerTime = debuggerTime
    }

    func check() throws(PebbleError) {
      try positive(maxWorkers, "maxWorkers", atMost: 65_536)
      try positive(maxTasks, "maxTasks")
      try positive(maxPayload, "maxPayload")
      try positive(maxMemory, "maxMemory")
      try positive(maxDeaths, "maxDeaths")
      try positive(outputTail, "outputTail", atMost: 16 << 20)
      try positive(startTimeout, "startTimeout")
      try positive(maxAge, "maxAge")
      try positive(idleTimeout, "idleTimeout")
      try positive(grace, "grace")
      try positive(maxQueued, "maxQueued")
      try positive(stackDump, "stackDump")
      if swiftBacktraces && startMethod != .spawn {
        throw PebbleError(.invalidArgument, "swiftBacktraces need the start method spawn")
      }
      try positive(debuggerTime, "debuggerTime")
      if let spareWorkers, !(0...65_536).contains(spareWorkers) {
        throw PebbleError(.invalidArgument, "spareWorkers must be 0 to 65536, not \(spareWorkers)")
      }
      try limits.check()
      try execution.check()
    }

    private func positive(_ value: Duration?, _ name: String) throws(PebbleError) {
      guard let value, value <= .zero else { return }
      throw PebbleError(.invalidArgument, "\(name) must be positive, not \(value)")
    }

    private func positive(_ value: Int?, _ name: String, atMost most: Int = .max) throws(PebbleError) {
      guard let value, !(1...most).contains(value) else { return }
      throw PebbleError(
        .invalidArgument, "\(name) must be at least 1\(most < .max ? " and at most \(most)" : ""), not \(value)")
    }
  }

  /// Counts since a pool was made, and of now. Each is right, but they are not of one moment.
  public struct Statistics: Sendable, Equatable {
    /// Jobs that wait, now.
    public let queued: Int
    /// Jobs that run, now.
    public let running: Int
    /// Outcomes so far, of all kinds.
    public let done: Int
    /// Processes, now.
    public let workers: Int
    /// Processes started so far.
    public let started: Int
    /// Processes that died in a job by themselves.
    public let expired: Int
    /// Processes killed for a limit, a cancel or a stop.
    public let killed: Int
    /// Processes that died between jobs.
    public let idleDeaths: Int
    /// Times that a job was to run again.
    public let retried: Int
    /// Of the outcomes, those of each kind.
    public let outcomes: Outcomes
    /// How long jobs waited that began and are over.
    public let waitTimes: Quantiles
    /// How long they ran.
    public let runTimes: Quantiles
  }
}
