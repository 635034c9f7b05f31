// SPDX-License-Identifier: Apache-2.0
import CBench
import Glibc
import Pebble

/// The rows, with threads that wait.
enum Blocking {
  static func trips(_ row: String) throws {
    let pool = try tripPool(row)
    for _ in 0..<200 { try pool.schedule(Functions.nothing).result() }
    var times: [Int64] = []
    let count = count(20_000, 4_000)
    times.reserveCapacity(count)
    bench_begin()
    for _ in 0..<count {
      let start = bench_now()
      try pool.schedule(Functions.nothing).result()
      times.append(bench_now() - start)
    }
    bench_end(count)
    emitQuantiles(times, dividedBy: 1000, "us")
    try end(pool)
  }

  static func throughput() throws {
    let pool = try warmPool(2)
    let count = count(200_000, 50_000)
    bench_begin()
    let start = bench_now()
    let jobs = try (0..<count).map { try pool.schedule(Functions.same, $0) }
    var sum = 0
    for job in jobs { sum += try job.result() }
    emitRate(count, since: start, "jobs/s")
    bench_end(count)
    precondition(sum == count * (count - 1) / 2)
    try end(pool)
  }

  static func echo(_ size: Int, _ count: Int) throws {
    let pool = try warmPool(2)
    let data = [UInt8](repeating: 1, count: size)
    func echo() throws {
      let reply = try pool.schedule(Functions.bytes, data).result()
      precondition(reply.count == size)
    }
    for _ in 0..<2 { try echo() }  // the pages of large payloads are got by the second
    bench_begin()
    let start = bench_now()
    for _ in 0..<count { try echo() }
    emitRate(count, since: start, "MB/s", times: Double(size) / 1e6)
    bench_end(count)
    try end(pool)
  }

  static func calls(_ count: Int) throws {
    let pool = try ProcessPool(maxWorkers: 1, maxTasks: 1)
    for _ in 0..<5 { try pool.schedule(Functions.nothing).result() }
    bench_begin()
    let start = bench_now()
    for _ in 0..<count { try pool.schedule(Functions.nothing).result() }
    emitRate(count, since: start, "calls/s")
    bench_end(count)
    try end(pool)
  }

  static func replacements(_ count: Int, _ function: ProcessFunction<Void>, maxTasks: Int?) throws {
    let pool = try ProcessPool(maxWorkers: 2, maxTasks: maxTasks)
    try pool.schedule(Functions.nothing).result()
    bench_begin()
    let start = bench_now()
    let jobs = try (0..<count).map { _ in try pool.schedule(function) }
    for job in jobs { _ = try? job.result() }
    emitRate(count, since: start, "calls/s")
    bench_end(count)
    try end(pool)
  }

  static func cancel() throws {
    let pool = try ProcessPool(maxWorkers: 1)
    var times: [Int64] = []
    try pool.schedule(Functions.nothing).result()
    for n in -3..<count(200, 50) {
      let job = try pool.schedule(Functions.hang, n)
      while !job.isRunning { usleep(100) }
      usleep(1000)
      let start = bench_now()
      job.cancel()
      try pool.schedule(Functions.nothing).result()
      if n >= 0 { times.append(bench_now() - start) }
      _ = job.waitUntilGone()
    }
    emitQuantiles(times, dividedBy: 1e6, "ms")
    try end(pool)
  }

  static func memory() throws {
    let pool = try warmPool(1)
    let pid = try pool.schedule(Functions.pid).result()
    usleep(10_000)
    bench_emit("worker", Double(bench_memory(pid, "Private_Dirty")), "kB")
    _ = try pool.schedule(Functions.hang, 0)
    let count = count(200_000, 50_000)
    var jobs: [ProcessFuture<Int>] = []
    jobs.reserveCapacity(count)
    usleep(10_000)
    let before = bench_memory(getpid(), "Rss")
    for n in 0..<count { jobs.append(try pool.schedule(Functions.same, n)) }
    bench_emit("queued", Double(bench_memory(getpid(), "Rss") - before) * 1024 / Double(count), "B/job")
    try end(pool)
  }

  static func idle() throws {
    let pool = try warmPool(2)
    sleeps("idle")
    for n in 0..<10_000 { _ = try pool.schedule(Functions.hang, n, deadline: .seconds(600 + n)) }
    sleeps("limits armed")
    try end(pool)
  }

  private static func sleeps(_ metric: String) {
    let seconds = count(2, 1)
    usleep(300_000)
    let before = bench_sleeps()
    sleep(UInt32(seconds))
    bench_emit(metric, Double(bench_sleeps() - before) / Double(seconds), "/s")
  }
}

/// A pool of one worker: on this CPU, on the other one, or where the kernel likes it.
func tripPool(_ row: String) throws -> ProcessPool {
  if row != "trip-free" { bench_pin(0) }
  let other = ProcessFunction(moveToOtherCPU) { ProcessCall($0).run(moveToOtherCPU) }
  return try ProcessPool(.init(maxWorkers: 1, initializer: row == "trip-two-cpus" ? WorkerCall(other) : nil))
}
