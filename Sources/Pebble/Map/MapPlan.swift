// SPDX-License-Identifier: Apache-2.0

/// What all iterations of a map have in common.
///
/// - `Input`: an element as its pool takes it.
struct MapPlan<Input, Value: Sendable>: Sendable {
  typealias Job = ProcessFuture<[Result<Value, any Error>]>

  let chunkSize: ChunkSize
  let isOrdered: Bool
  /// How long a chunk may run.
  let timeout: Duration?
  /// How long an element may run.
  let elementTimeout: Duration?
  let pool: any WorkerPool
  /// Whether no input has to be waited for, so that jobs may wait for each other.
  var inputsAreThere = false
  /// Schedules a job for some elements, which may run for that long.
  private let schedule: @Sendable ([Input], JobLimits) throws -> Job

  init(
    _ pool: any WorkerPool, chunkSize: ChunkSize, ordered: Bool, timeout: Duration?, elementTimeout: Duration?,
    schedule: @escaping @Sendable ([Input], JobLimits) throws -> Job
  ) throws(PebbleError) {
    if let count = chunkSize.count, count < 1 {
      throw PebbleError(.invalidArgument, "chunkSize must be at least 1, not \(count)")
    }
    _ = try JobLimits(timeout: timeout)
    _ = try JobLimits(timeout: elementTimeout)
    self.chunkSize = chunkSize
    isOrdered = ordered
    self.timeout = timeout
    self.elementTimeout = elementTimeout
    self.pool = pool
    self.schedule = schedule
  }

  /// How long a job of that many elements may run, and whether that is for its elements' sake.
  func limit(of count: Int) -> (length: Duration?, isOfElements: Bool) {
    guard let elementTimeout else { return (timeout, false) }
    let together = elementTimeout * count
    if let timeout, timeout < together { return (timeout, false) }
    return (together, true)
  }

  /// Schedules a job for some elements; where the jobs of others fill the pool, as soon as they leave room for it.
  func start(_ elements: [Input]) throws -> Job {
    let limits = try JobLimits(timeout: limit(of: elements.count).length)
    do {
      return try schedule(elements, limits)
    } catch let error as PebbleError where error.code == .full {
      nonisolated(unsafe) let elements = elements
      return Job(TaskSource { try await scheduleInTurn(elements, limits).value })
    }
  }

  private func scheduleInTurn(_ elements: [Input], _ limits: JobLimits) async throws -> Job {
    while true {
      try await pool.room()
      do {
        return try schedule(elements, limits)
      } catch let error as PebbleError where error.code == .full {
        // Others were faster.
      }
    }
  }
}
