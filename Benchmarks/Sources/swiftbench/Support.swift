// SPDX-License-Identifier: Apache-2.0
import CBench
import Pebble

func emitRate(_ count: Int, since start: Int64, _ unit: String, times size: Double = 1) {
  bench_emit("rate", size * Double(count) / (Double(bench_now() - start) / 1e9), unit)
}

func emitQuantiles(_ times: [Int64], dividedBy divisor: Double, _ unit: String) {
  var times = times
  bench_emit_quantiles(&times, times.count, divisor, unit)
}

func count(_ full: Int, _ quick: Int) -> Int { bench_count(full, quick) }

/// A pool whose workers are all there.
func warmPool(_ workers: Int) throws -> ProcessPool {
  let pool = try ProcessPool(maxWorkers: workers)
  let jobs = try (0..<workers).map { _ in try pool.schedule(Functions.compute, 2_000_000) }
  for job in jobs { try job.result() }
  for _ in 0..<200 { try pool.schedule(Functions.nothing).result() }
  return pool
}

func end(_ pool: ProcessPool) throws {
  pool.stop()
  try pool.join()
}
