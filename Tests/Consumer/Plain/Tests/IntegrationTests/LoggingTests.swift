// SPDX-License-Identifier: Apache-2.0
import InMemoryLogging
import Logging
import Pebble
import Testing

@Suite("A pool with a logger", .timeLimit(.minutes(5)))
struct LoggingTests {
  private let entries: InMemoryLogHandler
  private let logger: Logger

  init() {
    var handler = InMemoryLogHandler()
    handler.logLevel = .trace
    entries = handler
    logger = Logger(label: "test") { [handler] _ in handler }
  }

  @Test("tells it what becomes of each job")
  func jobs() async throws {
    var configuration = ProcessPool.Configuration(maxWorkers: 1, name: "images")
    configuration.logger = logger
    try await withProcessPool(configuration) { try await $0.runOneOfEach() }
    let ends = entries.entries.map { "\($0.level) \($0.message)" }
    #expect(
      ends == [
        "debug job succeeded", "info job failed", "warning job expired", "warning job timed out", "debug job cancelled",
      ])
    #expect(entries.entries.allSatisfy { $0.metadata["pebble.pool"] == "images" })
    #expect(entries.entries.map { $0.metadata["pebble.job"] } == ["square", "fail", "crash", "hang", "hang"])
    let expired = try #require(entries.entries.dropFirst(2).first)
    #expect("\(expired.metadata["error"] ?? "")".contains("SIGKILL"))
    #expect(expired.metadata["pebble.pid"] != nil)
  }

  @Test("tells it of jobs that are refused")
  func refused() async throws {
    var configuration = ThreadPool.Configuration()
    configuration.logger = logger
    let pool = try ThreadPool(configuration)
    pool.close()
    #expect(throws: PebbleError.self) { try pool.schedule { 1 } }
    try await pool.joined()
    #expect(entries.entries.map(\.message) == ["job refused"])
  }

  @Test("gives it the lines that workers write, and its own handler too")
  func lines() async throws {
    let (lines, line) = AsyncStream<String>.makeStream()
    var configuration = ProcessPool.Configuration(standardOutput: .capture) { line.yield($0.text) }
    configuration.logger = logger
    try await withProcessPool(configuration) { try await $0.schedule(Calls.say, "hello").value }
    line.finish()
    for await text in lines { #expect(text == "hello") }
    let entry = try #require(entries.entries.first)
    #expect(entry.message == "hello" && entry.level == .info && entry.metadata["pebble.stream"] == "stdout")
  }

  @Test("tells it what closures threw")
  func threads() async throws {
    var configuration = ThreadPool.Configuration()
    configuration.logger = logger
    try await withThreadPool(configuration) { pool in
      _ = try? await pool.schedule(name: "mine") { throw Wrong() }.value
    }
    let entry = try #require(entries.entries.first)
    #expect(entry.message == "job failed" && entry.metadata["pebble.job"] == "mine")
    #expect(entry.metadata["error"] == "Wrong()")
  }
}
