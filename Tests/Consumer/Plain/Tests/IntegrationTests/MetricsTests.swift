// SPDX-License-Identifier: Apache-2.0
import Metrics
import MetricsTestKit
import Pebble
import Testing

@Suite("A pool with metrics", .timeLimit(.minutes(5)))
struct MetricsTests {
  @Test("counts and times its jobs")
  func jobs() async throws {
    let metrics = TestMetrics()
    var configuration = ProcessPool.Configuration(maxWorkers: 1, name: "images")
    configuration.metrics = metrics
    try await withProcessPool(configuration) { try await $0.runOneOfEach() }
    for outcome in ["succeeded", "failed", "expired", "timed out", "cancelled"] {
      let counter = try metrics.expectCounter("pebble_jobs", [("pool", "images"), ("outcome", outcome)])
      #expect(counter.totalValue == 1, "\(outcome)")
    }
    #expect(try metrics.expectMeter("pebble_jobs_pending", [("pool", "images")]).values.last == 0)
    let runTimes = try metrics.expectTimer("pebble_job_run_time", [("pool", "images")])
    #expect((4...5).contains(runTimes.values.count))  // the one that was cancelled may have begun
    #expect(runTimes.values.max() ?? 0 >= 20_000_000)
  }

  @Test("counts what it refuses")
  func refused() async throws {
    let metrics = TestMetrics()
    var configuration = ThreadPool.Configuration(name: "t")
    configuration.metrics = metrics
    let pool = try ThreadPool(configuration)
    pool.stop()
    #expect(throws: PebbleError.self) { try pool.schedule { 1 } }
    try await pool.joined()
    #expect(try metrics.expectCounter("pebble_jobs", [("pool", "t"), ("outcome", "refused")]).totalValue == 1)
    #expect(try metrics.expectMeter("pebble_jobs_pending", [("pool", "t")]).values.last == 0)
  }
}
