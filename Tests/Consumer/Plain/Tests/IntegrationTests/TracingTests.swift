// SPDX-License-Identifier: Apache-2.0
import InMemoryTracing
import Pebble
import Testing
import Tracing

/// In each worker, before its first job.
func startTracing() { InstrumentationSystem.bootstrap(InMemoryTracer()) }

/// The ids of the trace and span that a job runs in.
func traceOfJob(_ n: Int) -> [String] {
  [
    ServiceContext.current?.inMemorySpanContext?.traceID ?? "",
    ServiceContext.current?.inMemorySpanContext?.spanID ?? "",
  ]
}

func traceOfAsyncJob(_ n: Int) async -> [String] { traceOfJob(n) }

@Suite("A pool with a tracer", .timeLimit(.minutes(5)))
struct TracingTests {
  private let tracer = InMemoryTracer()

  @Test("makes a span of each job, below that of the task")
  func spans() async throws {
    var configuration = ProcessPool.Configuration(maxWorkers: 1, name: "images")
    configuration.tracer = tracer
    try await withProcessPool(configuration) { pool in
      try await tracer.withSpan("request") { _ in
        _ = try await pool.schedule(Calls.square, 3).value
        _ = try? await pool.schedule(Calls.crash, 3).value
      }
    }
    let spans = tracer.finishedSpans
    let request = try #require(spans.first { $0.operationName == "request" })
    let jobs = spans.filter { $0.operationName != "request" }
    #expect(jobs.map(\.operationName) == ["square", "crash"])
    #expect(jobs.allSatisfy { $0.parentSpanID == request.spanID && $0.traceID == request.traceID })
    #expect(jobs.map { $0.attributes.get("pebble.outcome") } == ["succeeded", "expired"])
    #expect(jobs.map { $0.errors.count } == [0, 1])
    #expect(jobs.map { $0.status?.code == .error } == [false, true])
    #expect(tracer.activeSpans.isEmpty)
  }

  @Test("takes the span's context along to the worker")
  func processes() async throws {
    let synchronous = ProcessFunction(traceOfJob, name: "trace") { ProcessCall($0).run(traceOfJob) }
    let asynchronous = ProcessFunction(traceOfAsyncJob, name: "trace") { ProcessCall($0).run(traceOfAsyncJob) }
    let start = ProcessFunction(startTracing) { ProcessCall($0).run(startTracing) }
    var configuration = ProcessPool.Configuration(maxWorkers: 1, initializer: try WorkerCall(start))
    configuration.tracer = tracer
    var seen: [[String]] = []
    try await withProcessPool(configuration) { pool in
      seen.append(try await pool.schedule(synchronous, 1).value)
      seen.append(try await pool.schedule(asynchronous, 1).value)
      for try await ids in try pool.map(synchronous, 0..<2, chunkSize: 2) { seen.append(ids) }
    }
    let spans = tracer.finishedSpans.map { [$0.traceID, $0.spanID] }
    #expect(spans.count == 3)
    #expect(seen == spans + [spans[2]])
  }

  @Test("runs closures in the span's context")
  func threads() async throws {
    var configuration = ThreadPool.Configuration()
    configuration.tracer = tracer
    let seen = try await withThreadPool(configuration) { pool in
      try await pool.schedule(name: "mine") { traceOfJob(0) }.value
    }
    let span = try #require(tracer.finishedSpans.first)
    #expect(span.operationName == "mine" && seen == [span.traceID, span.spanID])
  }
}
