// SPDX-License-Identifier: Apache-2.0
import CBench
import Pebble

/// The rows, with tasks that await.
@MainActor enum Async {
  static func trips(_ row: String) async throws {
    let pool = try tripPool(row)
    try await trips { try await pool.schedule(Functions.nothing).value }
    pool.stop()
    try await pool.joined()
  }

  /// What a hop to another task costs.
  static func hops(_ row: String) async {
    if row != "trip-free" { bench_pin(0) }
    await trips { await Task.detached {}.value }
  }

  private static func trips(_ trip: () async throws -> Void) async rethrows {
    for _ in 0..<200 { try await trip() }
    var times: [Int64] = []
    let count = count(20_000, 4_000)
    times.reserveCapacity(count)
    bench_begin()
    for _ in 0..<count {
      let start = bench_now()
      try await trip()
      times.append(bench_now() - start)
    }
    bench_end(count)
    emitQuantiles(times, dividedBy: 1000, "us")
  }

  static func throughput() async throws {
    let pool = try warmPool(2)
    let count = count(200_000, 50_000)
    bench_begin()
    let start = bench_now()
    let jobs = try (0..<count).map { try pool.schedule(Functions.same, $0) }
    var sum = 0
    for job in jobs { sum += try await job.value }
    emitRate(count, since: start, "jobs/s")
    bench_end(count)
    precondition(sum == count * (count - 1) / 2)
    pool.stop()
    try await pool.joined()
  }

  static func taskThroughput() async {
    let count = count(200_000, 50_000)
    bench_begin()
    let start = bench_now()
    let tasks = (0..<count).map { n in Task.detached { n } }
    var sum = 0
    for task in tasks { sum += await task.value }
    emitRate(count, since: start, "jobs/s")
    bench_end(count)
  }

  static func map(_ count: Int, _ chunkSize: ChunkSize) async throws {
    let pool = try warmPool(2)
    bench_begin()
    let start = bench_now()
    var sum = 0
    for try await number in try pool.map(Functions.same, 0..<count, chunkSize: chunkSize) { sum += number }
    bench_emit("time", Double(bench_now() - start) / 1e6, "ms")
    bench_end(count)
    precondition(sum == count * (count - 1) / 2)
    pool.stop()
    try await pool.joined()
  }

  static func echo(_ size: Int, _ count: Int) async throws {
    let pool = try warmPool(2)
    let data = [UInt8](repeating: 1, count: size)
    func echo() async throws {
      let reply = try await pool.schedule(Functions.bytes, data).value
      precondition(reply.count == size)
    }
    for _ in 0..<2 { try await echo() }  // the pages of large payloads are got by the second
    bench_begin()
    let start = bench_now()
    for _ in 0..<count { try await echo() }
    emitRate(count, since: start, "MB/s", times: Double(size) / 1e6)
    bench_end(count)
    pool.stop()
    try await pool.joined()
  }

  static func calls(_ count: Int) async throws {
    let pool = try ProcessPool(maxWorkers: 1, maxTasks: 1)
    for _ in 0..<5 { try await pool.schedule(Functions.nothing).value }
    bench_begin()
    let start = bench_now()
    for _ in 0..<count { try await pool.schedule(Functions.nothing).value }
    emitRate(count, since: start, "calls/s")
    bench_end(count)
    pool.stop()
    try await pool.joined()
  }

  static func limits() async throws {
    let pool = try warmPool(2)
    let count = count(100, 40), limit: Int64 = 20_000_000
    let jobs = try (0..<count).map { try pool.schedule(Functions.hang, $0, timeout: .nanoseconds(limit)) }
    var times: [Int64] = []
    for job in jobs {
      do { try await job.value } catch let error as TimeoutError {
        let ran = error.runTime.components
        times.append(ran.seconds * 1_000_000_000 + ran.attoseconds / 1_000_000_000 - limit)
      }
    }
    emitQuantiles(times, dividedBy: 1e6, "ms")
    pool.stop()
    try await pool.joined()
  }
}
