// SPDX-License-Identifier: Apache-2.0
import InMemoryLogging
import InMemoryTracing
import Logging
import Metrics
import MetricsTestKit
import Pebble
import ServiceLifecycle
import Testing
import Tracing

/// Something that uses the pool, and ends by itself.
private struct Uses: Service {
  let pool: ProcessPool

  func run() async throws {
    #expect(try await pool.schedule(Calls.square, 3).value == 9)
  }
}

@Suite("All integrations together", .timeLimit(.minutes(5)))
struct TogetherTests {
  @Test("work with one pool in a service group")
  func group() async throws {
    let entries = InMemoryLogHandler()
    let logger = Logger(label: "images") { _ in entries }
    let metrics = TestMetrics()
    let tracer = InMemoryTracer()

    var configuration = ProcessPool.Configuration(name: "images")
    configuration.logger = logger
    configuration.metrics = metrics  // MetricsSystem.factory, in a program
    configuration.tracer = tracer  // InstrumentationSystem.tracer

    let pool = try ProcessPool(configuration)
    let service = Uses(pool: pool)

    // A group shuts down in the reverse order: the pool comes before those that use it.
    let group = ServiceGroup(
      configuration: .init(
        services: [
          .init(service: PoolService(pool, drain: .seconds(20))),
          .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup),
        ],
        gracefulShutdownSignals: [.sigterm], logger: logger))
    try await group.run()

    #expect(!pool.isActive && pool.statistics.workers == 0)
    #expect(metrics.counterTotal(label: "pebble_jobs") == 1)
    #expect(tracer.finishedSpans.map(\.operationName) == ["square"])
  }
}
