// SPDX-License-Identifier: Apache-2.0
internal import CPebble

extension PoolHandle {
  /// A pool of threads.
  convenience init(_ configuration: ThreadPool.Configuration, _ procedures: ThreadProcedures?) throws(PebbleError) {
    var common = configuration.asOfProcesses
    common.initializer = procedures?.initializer
    common.finalizer = procedures?.finalizer
    try self.init(inline: common, callee: procedures)
  }

  /// A pool of threads that run what processes would.
  convenience init(
    inline configuration: ProcessPool.Configuration, callee: (any Sendable)? = nil
  ) throws(PebbleError) {
    var config = pebble_thread_pool_config()
    config.max_workers = UInt32(clamping: configuration.maxWorkers ?? 0)
    config.max_tasks = UInt64(clamping: configuration.maxTasks ?? 0)
    config.idle_timeout = configuration.idleTimeout?.nanoseconds ?? 0
    config.max_payload = UInt64(clamping: configuration.maxPayload ?? 0)
    config.max_queued = configuration.maxQueued ?? 0
    let pool = try Self.make(configuration) { name, initializer, finalizer, pool in
      config.name = name
      config.initializer = initializer
      config.finalizer = finalizer
      return pebble_thread_pool_new(&config, &pool)
    }
    self.init(owning: pool, callee: callee, maxQueued: configuration.maxQueued)
  }

  /// Schedules a job of this process.
  func schedule(_ job: any ThreadJob, _ limits: JobLimits, name: String) throws(PebbleError) -> FutureHandle {
    let number = ThreadJobs.add(job)
    do throws(PebbleError) {
      let future = try withUnsafeBytes(of: number) { bytes throws(PebbleError) in
        try schedule(runThreadJob, bytes, limits, name: name)
      }
      try future.onDone(inline: true) { ThreadJobs.drop(number) }
      return future
    } catch {
      ThreadJobs.drop(number)
      throw error
    }
  }
}

/// What the threads run: the job whose number the call has, unless it ended before.
private let runThreadJob: ProcessEntry = { call in
  let number = CallHandle(call).input.loadUnaligned(as: UInt64.self)
  return ThreadJobs.take(number)?.run() == false ? 1 : 0
}

/// Whether nobody waits for the job that this code runs in any more: it was cancelled, its time is over, or its pool
/// was stopped. What it returns is then not looked at.
///
/// For functions that run for long in the threads of a ``ThreadPool``, to look at now and then. In a thread or process
/// without a job it is false.
public var isJobCancelled: Bool { pebble_job_cancelled() }
