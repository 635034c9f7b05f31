// SPDX-License-Identifier: Apache-2.0

/// A pool of worker processes that run functions of this program.
///
/// A worker that crashes, hangs or is killed costs the job that it ran, and nothing else. Workers are started when
/// there is work for them. Everything here may be used from any thread.
///
/// A pool ends in one of two ways: ``close()`` lets the jobs there are finish, ``stop()`` kills them; ``join(timeout:)``
/// or ``joined()`` then waits until all processes are gone. `withProcessPool` does that by itself. A pool that is
/// dropped is stopped.
public final class ProcessPool: Sendable {
  let handle: PoolHandle

  /// - Throws: ``PebbleError``: a limit out of range, or no memory, thread or descriptor for it.
  public init(_ configuration: Configuration = .init()) throws {
    try configuration.check()
    handle =
      switch configuration.execution {
      case .processes: try PoolHandle(configuration)
      case .inline: try PoolHandle(inline: configuration)
      }
  }

  public convenience init(maxWorkers: Int, maxTasks: Int? = nil) throws {
    try self.init(Configuration(maxWorkers: maxWorkers, maxTasks: maxTasks))
  }

  /// Schedules a call and returns at once.
  ///
  /// - Parameters:
  ///   - function: what to call: `#process(f)`.
  ///   - arguments: what to call it with; they are encoded before this returns.
  ///   - timeout: how long it may run, from the moment that a worker begins it.
  ///   - queueTimeout: how long it may wait for a worker.
  ///   - deadline: how long it may wait and run together.
  ///   - priority: -16 to 15; of the jobs that wait, those with a higher one begin first.
  ///   - retries: how often it may be run again when its worker died in it, behind the jobs that wait then. Its
  ///     `timeout` and `queueTimeout` begin anew each time. For functions that may be run more than once.
  ///   - name: shown in process titles while it runs; the function's name unless given.
  ///   - updates: what the job says while it runs: a ``JobUpdates`` of its own.
  /// - Throws: what encoding the arguments threw, or ``PebbleError``: the pool is closed, a limit is not positive, the
  ///   priority is out of its range, retries is negative, the arguments are too large.
  public func schedule<Value: Codable & Sendable, each Argument: Codable & Sendable>(
    _ function: ProcessFunction<Value, repeat each Argument>, _ arguments: repeat each Argument,
    timeout: Duration? = nil, queueTimeout: Duration? = nil, deadline: Duration? = nil, priority: Int = 0,
    retries: Int = 0, name: String? = nil, updates: (any JobUpdateQueue)? = nil
  ) throws -> ProcessFuture<Value> {
    let limits = try JobLimits(
      timeout: timeout, queueTimeout: queueTimeout, deadline: deadline, priority: priority,
      retries: retries)
    let call = try Payload(call: repeat each arguments)
    let job = Job(
      entry: function.entry, function: function.name, title: name, limits: limits, updates: updates?._reference.handle)
    return try start(job, call) { try Reply.value(Value.self, $0) }
  }

  /// Schedules a call of a function without a result and returns at once; see the other `schedule`.
  public func schedule<each Argument: Codable & Sendable>(
    _ function: ProcessFunction<Void, repeat each Argument>, _ arguments: repeat each Argument,
    timeout: Duration? = nil, queueTimeout: Duration? = nil, deadline: Duration? = nil, priority: Int = 0,
    retries: Int = 0, name: String? = nil, updates: (any JobUpdateQueue)? = nil
  ) throws -> ProcessFuture<Void> {
    let limits = try JobLimits(
      timeout: timeout, queueTimeout: queueTimeout, deadline: deadline, priority: priority,
      retries: retries)
    let call = try Payload(call: repeat each arguments)
    let job = Job(
      entry: function.entry, function: function.name, title: name, limits: limits, updates: updates?._reference.handle)
    return try start(job, call) { _ in }
  }

  /// Schedules a job whose input is encoded already.
  func start<Value: Sendable>(
    _ job: Job, _ input: Payload, decode: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Value
  ) throws -> ProcessFuture<Value> {
    let future = try input.withBytes { bytes in
      try handle.schedule(job.entry, bytes, job.limits, name: job.title ?? job.function, updates: job.updates)
    }
    if let updates = job.updates { try future.onDone(inline: true) { updates.close() } }
    return ProcessFuture(JobSource(handle: future, function: job.function, decode: decode))
  }

  /// The most workers at one time.
  public var maxWorkers: Int { handle.maxWorkers }

  /// Changes the most workers at one time. Workers above it end when they have no job; nothing that runs is disturbed.
  ///
  /// - Throws: ``PebbleError``: `maxWorkers` is not 1 to 65,536.
  public func resize(maxWorkers: Int) throws {
    try handle.resize(maxWorkers)
  }

  /// Whether the pool takes, or still has, work.
  public var isActive: Bool { handle.isActive }

  /// No more jobs; those there are run to their end. Repeating it is harmless.
  public func close() { handle.close() }

  /// No more jobs; those running are killed, those waiting never run. Returns without waiting for the processes.
  public func stop() { handle.stop() }

  /// Waits until a closed or stopped pool has come to rest: every job has its outcome, every worker is gone, every
  /// callback has returned.
  ///
  /// - Parameter timeout: how long to wait, without limit when nil.
  /// - Throws: ``TimeoutError`` with the limit ``TimeoutError/Limit/wait``: the pool may then be joined again, or
  ///   stopped and joined. ``PebbleError``: the pool is still open, or this is one of its callbacks.
  @available(*, noasync, message: "use 'await joined()'")
  public func join(timeout: Duration? = nil) throws {
    try handle.joinThrowing(timeout)
  }

  /// Counts since the pool was made, and of now.
  public var statistics: Statistics { handle.statistics }
}

/// A function to be run, and how.
struct Job {
  let entry: ProcessEntry
  /// The function's name, for errors.
  let function: String
  /// Shown in process titles, where it is not the function's name.
  let title: String?
  let limits: JobLimits
  /// Where what it says while it runs is put.
  var updates: QueueHandle? = nil
}

extension Payload {
  /// The input of a job that is one call.
  convenience init<each Argument: Encodable>(call arguments: repeat each Argument) throws {
    self.init()
    append(raw: InputForm.call.rawValue)
    try append(arguments: repeat each arguments)
  }
}
