// SPDX-License-Identifier: Apache-2.0
#if ServiceLifecycle
  public import ServiceLifecycle

  /// A pool as a service: it is there until the service group shuts down, and then ends within a limit. With the trait
  /// `ServiceLifecycle`.
  ///
  /// ```swift
  /// let pool = try ProcessPool(maxWorkers: 8)
  /// let group = ServiceGroup(
  ///   services: [PoolService(pool, drain: .seconds(20)), server], gracefulShutdownSignals: [.sigterm], logger: logger)
  /// try await group.run()
  /// ```
  ///
  /// A group shuts its services down in the reverse order: put the pool before those that use it.
  public struct PoolService: Service {
    private let pool: any WorkerPool
    private let drain: Duration

    /// - Parameter drain: how long the jobs that are there at a graceful shutdown may take until they are stopped.
    public init(_ pool: any WorkerPool, drain: Duration) {
      self.pool = pool
      self.drain = drain
    }

    /// Waits for a graceful shutdown, then closes the pool, stops it when the time is over, and waits until no worker is
    /// left. When the task is cancelled the pool is stopped at once.
    public func run() async throws {
      try await withTaskCancellationHandler {
        try? await gracefulShutdown()
        pool.close()
        let limit = Task { [pool, drain] in
          try await Task.sleep(for: drain)
          pool.stop()
        }
        defer { limit.cancel() }
        try await pool.joined()
      } onCancel: {
        pool.stop()
      }
    }
  }
#endif
