// SPDX-License-Identifier: Apache-2.0
internal import Dispatch

/// A pool of threads that run closures of this process.
///
/// It has the verbs and outcomes of a ``ProcessPool``, with what follows from threads being no processes: nothing is
/// copied, so arguments and results need not be `Codable`; a crash ends the program; and a thread cannot be killed. A
/// running job that is cancelled, over a limit, or in a pool that is stopped has its outcome at once, and
/// ``isJobCancelled`` becomes true in it; but it runs on until it returns, its thread is taken until then, and
/// ``ProcessFuture/gone(isolation:)`` and ``join(timeout:)`` wait for that.
///
/// For code that blocks: asynchronous code has tasks.
public final class ThreadPool: Sendable {
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

    public init(
      maxWorkers: Int? = nil, maxTasks: Int? = nil, name: String? = nil, idleTimeout: Duration? = nil
    ) {
      self.maxWorkers = maxWorkers
      self.maxTasks = maxTasks
      self.name = name
      self.idleTimeout = idleTimeout
    }

    func check() throws(PebbleError) {
      try ProcessPool.Configuration(maxWorkers: maxWorkers, maxTasks: maxTasks, idleTimeout: idleTimeout).check()
    }
  }

  private let handle: PoolHandle

  /// - Throws: ``PebbleError``: a limit out of range, or no memory or thread for it.
  public init(_ configuration: Configuration = .init()) throws {
    try configuration.check()
    handle = try PoolHandle(configuration)
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
  /// - Throws: ``PebbleError``: the pool is closed, a limit is not positive, the priority is out of its range.
  public func schedule<Value: Sendable>(
    timeout: Duration? = nil, queueTimeout: Duration? = nil, deadline: Duration? = nil, priority: Int = 0,
    name: String = "closure", _ body: @escaping @Sendable () throws -> Value
  ) throws -> Future<Value> {
    let limits = try JobLimits(
      timeout: timeout, queueTimeout: queueTimeout, deadline: deadline, priority: priority)
    let job = ClosureJob(body)
    let future = try handle.schedule(job, limits, name: name)
    return ProcessFuture(ThreadSource(handle: future, job: job, name: name))
  }

  /// The most threads at one time.
  public var maxWorkers: Int { handle.maxWorkers }

  /// Changes the most threads at one time. Threads above it end when they have no job.
  ///
  /// - Throws: ``PebbleError``: `maxWorkers` is not 1 to 65,536.
  public func resize(maxWorkers: Int) throws {
    try handle.resize(maxWorkers)
  }

  /// Whether the pool takes, or still has, work.
  public var isActive: Bool { handle.isActive }

  /// No more jobs; those there are run to their end. Repeating it is harmless.
  public func close() { handle.close() }

  /// No more jobs; those running are told, those waiting never run. Returns without waiting for the threads.
  public func stop() { handle.stop() }

  /// Waits until a closed or stopped pool has come to rest: every job has returned, every thread has ended, every
  /// callback has returned.
  ///
  /// - Parameter timeout: how long to wait, without limit when nil.
  /// - Throws: ``TimeoutError`` with the limit ``TimeoutError/Limit/wait``. ``PebbleError``: the pool is still open, or
  ///   this is one of its callbacks or jobs.
  @available(*, noasync, message: "use 'await joined()'")
  public func join(timeout: Duration? = nil) throws {
    try handle.joinThrowing(timeout)
  }

  /// Waits until a closed or stopped pool has come to rest, as ``join(timeout:)`` does, without blocking a thread of
  /// Swift's executors.
  public func joined() async throws {
    try await handle.joined()
  }

  /// Counts since the pool was made, and of now, with threads for processes.
  public var statistics: ProcessPool.Statistics { handle.statistics }
}

/// The outcome, sooner or later, of a closure that was scheduled in a thread: that of a ``ProcessFuture``, less what
/// only happens to processes, and with thrown errors as they were thrown.
public typealias Future<Value: Sendable> = ProcessFuture<Value>
