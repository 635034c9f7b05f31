// SPDX-License-Identifier: Apache-2.0
internal import Dispatch

/// A pool of threads that run closures of this process.
///
/// It has the verbs and outcomes of a ``ProcessPool``, with what follows from threads being no processes: nothing is
/// copied, so arguments and results need not be `Codable`; a crash ends the program; and a thread cannot be killed. A
/// running job that is cancelled, over a limit, or in a pool that is stopped has its outcome at once, and
/// ``isJobCancelled`` becomes true in it; but it runs on until it returns, its thread is taken until then, and
/// ``ProcessFuture/gone(isolation:)`` and ``WorkerPool/join(timeout:)`` wait for that.
///
/// For code that blocks: asynchronous code has tasks.
public final class ThreadPool: WorkerPool {
  /// What a pool is made with. Nil stands for a default.
  public struct Configuration: Sendable {
    /// The most threads at one time; by default as many as the processors that this process may use.
    public var maxWorkers: Int?
    /// The jobs after which a thread is replaced; by default without limit.
    public var maxTasks: Int?
    /// The threads' names begin with it; by default "pool".
    public var name: String?
    /// How long a thread may be without a job before it ends; by default for ever.
    public var idleTimeout: Duration?
    /// How many jobs may wait; `schedule` throws ``PebbleError/Code/full`` above it, and ``WorkerPool/room()`` waits
    /// for its end. By default as many as there is memory for.
    public var maxQueued: Int?
    /// Run in each thread before its first job.
    ///
    /// When it throws, that is a failed start: it is tried again in another thread, ever more slowly, and after three
    /// in a row with no other thread alive the waiting jobs fail with ``InitializerError``.
    public var initializer: (@Sendable () throws -> Void)?
    /// Run in each thread as the last thing that it does, unless its initializer threw. What it throws is lost.
    public var finalizer: (@Sendable () throws -> Void)?
    var integrations = Integrations()

    public init(
      maxWorkers: Int? = nil, maxTasks: Int? = nil, name: String? = nil, idleTimeout: Duration? = nil,
      maxQueued: Int? = nil, initializer: (@Sendable () throws -> Void)? = nil,
      finalizer: (@Sendable () throws -> Void)? = nil
    ) {
      self.maxWorkers = maxWorkers
      self.maxTasks = maxTasks
      self.name = name
      self.idleTimeout = idleTimeout
      self.maxQueued = maxQueued
      self.initializer = initializer
      self.finalizer = finalizer
    }

    /// What a pool of processes has too.
    var asOfProcesses: ProcessPool.Configuration {
      .init(
        maxWorkers: maxWorkers, maxTasks: maxTasks, name: name, idleTimeout: idleTimeout, maxQueued: maxQueued)
    }
  }

  private let handle: PoolHandle
  private let procedures: ThreadProcedures?
  private let observers: JobObservers

  /// - Throws: ``PebbleError``: a limit out of range, or no memory or thread for it.
  public init(_ configuration: Configuration = .init()) throws {
    try configuration.asOfProcesses.check()
    procedures = ThreadProcedures(setUp: configuration.initializer, tearDown: configuration.finalizer)
    handle = try PoolHandle(configuration, procedures)
    observers = configuration.integrations.observers(ofPool: configuration.name)
  }

  public convenience init(maxWorkers: Int, maxTasks: Int? = nil) throws {
    try self.init(Configuration(maxWorkers: maxWorkers, maxTasks: maxTasks))
  }

  /// Schedules a closure and returns at once.
  ///
  /// - Parameters:
  ///   - timeout: how long it may run before its future fails, from the moment that a thread begins it.
  ///   - queueTimeout: how long it may wait for a thread.
  ///   - deadline: how long it may wait and run together.
  ///   - priority: -16 to 15; of the jobs that wait, those with a higher one begin first.
  ///   - name: the name in errors.
  ///   - body: what the thread does.
  /// - Throws: ``PebbleError``: the pool is closed, a limit is not positive, the priority is out of its range.
  public func schedule<Value: Sendable>(
    timeout: Duration? = nil, queueTimeout: Duration? = nil, deadline: Duration? = nil, priority: Int = 0,
    name: String = "closure", _ body: @escaping @Sendable () throws -> Value
  ) throws -> Future<Value> {
    let limits = try JobLimits(
      timeout: timeout, queueTimeout: queueTimeout, deadline: deadline, priority: priority)
    return try schedule(limits, name: name, body)
  }

  func schedule<Value: Sendable>(
    _ limits: JobLimits, name: String, _ body: @escaping @Sendable () throws -> Value
  ) throws -> Future<Value> {
    let observations = observers.willSchedule(name)
    let outcomes = ThreadOutcomes(job: ClosureJob(observations.inContext(body)), procedures: procedures, name: name)
    let future = try observations.follow(error: outcomes.error(of:)) {
      try handle.schedule(outcomes.job, limits, name: name)
    }
    return ProcessFuture(ThreadSource(handle: future, outcomes: outcomes))
  }

  public var _reference: _PoolReference { _PoolReference(handle: handle) }
}

/// The outcome, sooner or later, of a closure that was scheduled in a thread: that of a ``ProcessFuture``, less what
/// only happens to processes, and with thrown errors as they were thrown.
public typealias Future<Value: Sendable> = ProcessFuture<Value>
