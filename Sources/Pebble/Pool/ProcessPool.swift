// SPDX-License-Identifier: Apache-2.0

/// A pool of worker processes that run functions of this program.
///
/// A worker that crashes, hangs or is killed costs the job that it ran, and nothing else. Workers are started when
/// there is work for them. Everything here may be used from any thread.
///
/// How it ends is told at ``WorkerPool``; `withProcessPool` does that by itself.
public final class ProcessPool: WorkerPool {
  let handle: PoolHandle
  private let observers: JobObservers

  /// - Throws: ``PebbleError``: a limit out of range, or no memory, thread or descriptor for it.
  public init(_ configuration: Configuration = .init()) throws {
    try configuration.check()
    observers = configuration.integrations.observers(ofPool: configuration.name)
    handle =
      switch configuration.execution {
      case .processes, .slurm, .nodes: try PoolHandle(configuration)
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
      timeout: timeout, queueTimeout: queueTimeout, deadline: deadline, priority: priority, retries: retries)
    let job = Job(function, title: name, limits: limits, updates: updates)
    return try start(job, try Payload(call: repeat each arguments)) { try Reply.value(Value.self, $0) }
  }

  /// Schedules a call of a function without a result and returns at once; see the other `schedule`.
  public func schedule<each Argument: Codable & Sendable>(
    _ function: ProcessFunction<Void, repeat each Argument>, _ arguments: repeat each Argument,
    timeout: Duration? = nil, queueTimeout: Duration? = nil, deadline: Duration? = nil, priority: Int = 0,
    retries: Int = 0, name: String? = nil, updates: (any JobUpdateQueue)? = nil
  ) throws -> ProcessFuture<Void> {
    let limits = try JobLimits(
      timeout: timeout, queueTimeout: queueTimeout, deadline: deadline, priority: priority, retries: retries)
    let job = Job(function, title: name, limits: limits, updates: updates)
    return try start(job, try Payload(call: repeat each arguments)) { _ in }
  }

  /// Schedules a job whose input is encoded already.
  func start<Value: Sendable>(
    _ job: Job, _ input: Payload, decode: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Value
  ) throws -> ProcessFuture<Value> {
    let observations = observers.willSchedule(job.function)
    let future = try observations.follow(error: { $0.error(of: job.function) }) {
      try handle.schedule(
        job.entry, try observations.inContext(input), job.limits, name: job.title ?? job.function, updates: job.updates)
    }
    if let updates = job.updates { try future.onDone(inline: true) { updates.close() } }
    return ProcessFuture(JobSource(handle: future, function: job.function, decode: decode))
  }

  public var _reference: _PoolReference { _PoolReference(handle: handle) }
}
