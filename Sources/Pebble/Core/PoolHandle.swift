// SPDX-License-Identifier: Apache-2.0
internal import CPebble
internal import Glibc

/// A reference to a pool of the C library; dropping it stops the pool.
///
/// `@unchecked Sendable`: the C object is safe to use from any thread.
final class PoolHandle: @unchecked Sendable {
  let pool: OpaquePointer
  /// What the pool's threads call, without a reference of their own.
  private let callee: (any Sendable)?

  /// How many jobs may wait; nil: as many as there is memory for.
  let maxQueued: Int?

  /// Takes over a reference.
  init(owning pool: OpaquePointer, callee: (any Sendable)? = nil, maxQueued: Int? = nil) {
    self.pool = pool
    self.callee = callee
    self.maxQueued = maxQueued
  }

  init(_ configuration: ProcessPool.Configuration) throws(PebbleError) {
    var config = pebble_pool_config()
    config.max_workers = UInt32(clamping: configuration.maxWorkers ?? 0)
    config.max_tasks = UInt64(clamping: configuration.maxTasks ?? 0)
    config.start_method = configuration.startMethod == .spawn ? PEBBLE_SPAWN : PEBBLE_FORK_SERVER
    config.max_payload = UInt64(clamping: configuration.maxPayload ?? 0)
    config.start_timeout = configuration.startTimeout.nanoseconds
    config.stdout_to = pebble_output(configuration.standardOutput)
    config.stderr_to = pebble_output(configuration.standardError)
    let outputHandler = configuration.integrations.lineHandler(of: configuration).map(OutputHandler.init)
    outputHandler?.install(in: &config)
    callee = outputHandler
    maxQueued = configuration.maxQueued
    config.output_tail = configuration.outputTail
    config.stack_dump = configuration.stackDump?.nanoseconds ?? 0
    config.swift_backtrace = configuration.swiftBacktraces
    config.no_throw_backtraces = !configuration.errorBacktraces
    config.max_deaths = UInt32(clamping: configuration.maxDeaths)
    config.max_age = configuration.maxAge?.nanoseconds ?? 0
    config.max_memory = UInt64(clamping: configuration.maxMemory ?? 0)
    config.idle_timeout = configuration.idleTimeout?.nanoseconds ?? 0
    config.limits = pebble_worker_limits(configuration.limits)
    config.grace = configuration.grace?.nanoseconds ?? 0
    config.debugger_time = configuration.debuggerTime?.nanoseconds ?? 0
    config.max_queued = configuration.maxQueued ?? 0
    config.spare_workers = configuration.spareWorkers.map { $0 == 0 ? -1 : Int32(clamping: $0) } ?? 0
    pool = try Self.make(configuration) { name, initializer, finalizer, pool in
      config.name = name
      config.initializer = initializer
      config.finalizer = finalizer
      config.confined = configuration.confinement != nil
      return withWords(configuration.confinement?.readablePaths ?? []) { paths in
        config.readable_paths = paths
        return makePool(configuration.execution, &config, &pool)
      }
    }
  }

  /// Makes a pool with what has to be held while it is made.
  static func make(
    _ configuration: ProcessPool.Configuration,
    _ new: (UnsafePointer<CChar>, pebble_procedure, pebble_procedure, inout OpaquePointer?) -> Int32
  ) throws(PebbleError) -> OpaquePointer {
    var pool: OpaquePointer?
    let status = (configuration.name ?? "").withCString { name in
      pebble_procedure.with(configuration.initializer) { initializer in
        pebble_procedure.with(configuration.finalizer) { finalizer in new(name, initializer, finalizer, &pool) }
      }
    }
    guard let pool else { throw PebbleError(errno: -status, while: "making a pool") }
    return pool
  }

  deinit {
    if let callee {
      PoolRemains(pool: pool, callee: callee).stop()
    } else {
      pebble_pool_unref(pool)
    }
  }

  func schedule(
    _ entry: ProcessEntry, _ input: UnsafeRawBufferPointer, _ limits: JobLimits, name: String,
    updates: QueueHandle? = nil
  ) throws(PebbleError) -> FutureHandle {
    try schedule(limits, name, updates) { options, future in
      pebble_pool_schedule(pool, entry, input.baseAddress, input.count, &options, &future)
    }
  }

  func schedule(
    _ entry: ProcessEntry, _ input: Payload, _ limits: JobLimits, name: String, updates: QueueHandle?
  ) throws(PebbleError) -> FutureHandle {
    if input.isWhole {
      return try input.withBytes { bytes throws(PebbleError) in
        try schedule(entry, bytes, limits, name: name, updates: updates)
      }
    }
    return try schedule(limits, name, updates) { options, future in
      input.withParts { parts in
        let parts = parts.map { pebble_part(data: $0.baseAddress, length: $0.count) }
        return pebble_pool_schedule_parts(pool, entry, parts, parts.count, &options, &future)
      }
    }
  }

  private func schedule(
    _ limits: JobLimits, _ name: String, _ updates: QueueHandle?,
    _ body: (inout pebble_job_options, inout OpaquePointer?) -> Int32
  ) throws(PebbleError) -> FutureHandle {
    var options = pebble_job_options()
    options.timeout = limits.timeout
    options.queue_timeout = limits.queueTimeout
    options.deadline = limits.deadline
    options.priority = limits.priority
    options.retries = limits.retries
    options.updates = updates?.queue
    var future: OpaquePointer?
    let status = name.withCString { name in
      options.name = name
      return body(&options, &future)
    }
    guard let future else {
      if status == -EAGAIN { throw PebbleError(.full, "scheduling \(name)") }
      throw PebbleError(errno: -status, while: "scheduling \(name)")
    }
    return FutureHandle(owning: future)
  }

  var maxWorkers: Int { Int(pebble_pool_max_workers(pool)) }

  func resize(_ maxWorkers: Int) throws(PebbleError) {
    let status = pebble_pool_resize(pool, UInt32(clamping: maxWorkers))
    guard status == 0 else { throw PebbleError(errno: -status, while: "resizing a pool to \(maxWorkers) workers") }
  }

  var isActive: Bool { pebble_pool_active(pool) }

  /// Calls `body` once fewer jobs wait than may, or the pool takes no more; it must not block.
  func onRoom(_ body: @escaping @Sendable () -> Void) throws(PebbleError) {
    let box = Unmanaged.passRetained(RoomCallback(body))
    let status = pebble_pool_on_room(
      pool, { Unmanaged<RoomCallback>.fromOpaque($0!).takeRetainedValue().body() }, box.toOpaque())
    guard status == 0 else {
      box.release()
      throw PebbleError(errno: -status, while: "waiting for room in a pool")
    }
  }

  func batch<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
    pebble_pool_begin_batch(pool)
    defer { pebble_pool_end_batch(pool) }
    return try body()
  }

  func close() { pebble_pool_close(pool) }
  func stop() { pebble_pool_stop(pool) }

  /// 0, or the errno value of a failed join.
  func join(_ timeout: Int64) -> Int32 { -pebble_pool_join(pool, timeout) }

  var statistics: ProcessPool.Statistics {
    var counts = pebble_pool_statistics()
    pebble_pool_get_statistics(pool, &counts)
    return ProcessPool.Statistics(
      queued: Int(counts.queued), running: Int(counts.running), done: Int(counts.done),
      workers: Int(counts.workers), started: Int(counts.started), expired: Int(counts.expired),
      killed: Int(counts.killed), idleDeaths: Int(counts.idle_deaths), retried: Int(counts.retried),
      outcomes: .init(counts.outcomes), waitTimes: .init(counts.wait), runTimes: .init(counts.run))
  }
}

extension pebble_procedure {
  fileprivate static func with<R>(_ call: WorkerCall?, _ body: (pebble_procedure) -> R) -> R {
    guard let call else { return body(pebble_procedure()) }
    return call.input.withUnsafeBytes { bytes in
      body(pebble_procedure(function: call.entry, input: bytes.baseAddress, length: bytes.count))
    }
  }
}

extension pebble_worker_limits {
  fileprivate init(_ limits: WorkerLimits) {
    self.init(
      address_space: UInt64(clamping: limits.addressSpace ?? 0), cpu_time: UInt64(clamping: limits.cpuSeconds ?? 0),
      open_files: UInt64(clamping: limits.openFiles ?? 0), core_size: UInt64(clamping: limits.coreSize ?? 0),
      nice: Int32(clamping: limits.nice), no_new_privileges: limits.noNewPrivileges)
  }
}

private final class RoomCallback: Sendable {
  let body: @Sendable () -> Void

  init(_ body: @escaping @Sendable () -> Void) {
    self.body = body
  }
}

extension ProcessPool.Statistics.Outcomes {
  /// Counts in the order of `enum pebble_status`.
  fileprivate init(_ counts: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64)) {
    self.init(
      succeeded: Int(counts.0), failed: Int(counts.1), timedOut: Int(counts.2), cancelled: Int(counts.3),
      expired: Int(counts.4), notRun: Int(counts.5), nodesLost: Int(counts.6))
  }
}

extension ProcessPool.Statistics.Quantiles {
  fileprivate init(_ quantiles: pebble_quantiles) {
    self.init(
      median: .nanoseconds(quantiles.p50), p90: .nanoseconds(quantiles.p90), p99: .nanoseconds(quantiles.p99),
      longest: .nanoseconds(quantiles.max))
  }
}
