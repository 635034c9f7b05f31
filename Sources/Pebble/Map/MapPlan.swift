// SPDX-License-Identifier: Apache-2.0

/// What all iterations of a map have in common.
struct MapPlan: Sendable {
  let pool: ProcessPool
  let entry: ProcessEntry
  /// The function's name.
  let function: String
  let chunkSize: ChunkSize
  let isOrdered: Bool
  /// How long a chunk may run.
  let timeout: Duration?
  /// How long an element may run.
  let elementTimeout: Duration?

  func check() throws(PebbleError) {
    if let count = chunkSize.count, count < 1 {
      throw PebbleError(.invalidArgument, "chunkSize must be at least 1, not \(count)")
    }
    _ = try JobLimits(timeout: timeout)
    _ = try JobLimits(timeout: elementTimeout)
  }

  /// The chunks that are in the pool at one time: enough that no worker waits for the caller.
  var window: Int { pool.maxWorkers * 2 + 1 }

  /// How long a job of that many elements may run, and whether that is for its elements' sake.
  func limit(of count: Int) -> (length: Duration?, isOfElements: Bool) {
    guard let elementTimeout else { return (timeout, false) }
    let together = elementTimeout * count
    if let timeout, timeout < together { return (timeout, false) }
    return (together, true)
  }

  func job(of count: Int) -> Job {
    let limits = try! JobLimits(timeout: limit(of: count).length)  // it was checked
    return Job(entry: entry, function: function, title: nil, limits: limits)
  }
}
