// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Synchronization
import Testing

func sayAndComplain(_ words: String, _ complaint: String) -> Int32 {
  print(words)
  write(STDERR_FILENO, complaint, complaint.utf8.count)
  return getpid()
}

func complainAndExit(_ complaint: String) {
  write(STDERR_FILENO, complaint, complaint.utf8.count)
  exit(3)
}

func complainAndHang(_ complaint: String) {
  write(STDERR_FILENO, complaint, complaint.utf8.count)
  while true { pause() }
}

private final class Heard: Sendable {
  private let kept = Mutex<[WorkerLine]>([])
  var lines: [WorkerLine] { kept.withLock { $0 } }

  func keep(_ line: WorkerLine) {
    kept.withLock { $0.append(line) }
  }
}

@Suite("What workers write", .timeLimit(.minutes(5)))
struct WorkerOutputTests {
  private static let say = ProcessFunction(sayAndComplain, name: "say") { ProcessCall($0).run(sayAndComplain) }
  private static let leave = ProcessFunction(complainAndExit, name: "leave") { ProcessCall($0).run(complainAndExit) }
  private static let hang = ProcessFunction(complainAndHang, name: "hang") { ProcessCall($0).run(complainAndHang) }

  private static func capturing(_ method: StartMethod) -> ProcessPool.Configuration {
    ProcessPool.Configuration(
      maxWorkers: 1, startMethod: method, standardOutput: .capture, standardError: .capture)
  }

  @Test("is heard in lines, with process and job", arguments: StartMethod.allCases)
  func lines(method: StartMethod) async throws {
    let heard = Heard()
    var configuration = Self.capturing(method)
    configuration.onOutput = heard.keep
    let process = try await withProcessPool(configuration) { pool in
      try await pool.schedule(Self.say, "Grüße\nund Küsse", "mumble").value
    }
    let lines = heard.lines
    #expect(lines.filter { $0.stream == .standardOutput }.map(\.text) == ["Grüße", "und Küsse"])
    #expect(lines.filter { $0.stream == .standardError }.map(\.text) == ["mumble"])
    #expect(lines.map(\.isPartial) == lines.map { $0.stream == .standardError })
    #expect(lines.allSatisfy { $0.processID == process && $0.job == "say" })
  }

  @Test("comes with the death of a worker", arguments: StartMethod.allCases)
  func death(method: StartMethod) async throws {
    try await withProcessPool(Self.capturing(method)) { pool in
      _ = try await pool.schedule(Self.say, "", "of another job").value
      let future = try pool.schedule(Self.leave, "last words")
      let error = await #expect(throws: ProcessExpired.self) { try await future.value }
      #expect(error?.outputTail == "last words")
    }
  }

  @Test("comes with a timeout, its end only", arguments: StartMethod.allCases)
  func timeout(method: StartMethod) async throws {
    var configuration = Self.capturing(method)
    configuration.outputTail = 5
    try await withProcessPool(configuration) { pool in
      let future = try pool.schedule(Self.hang, "it is stuck", timeout: .seconds(1))
      let error = await #expect(throws: TimeoutError.self) { try await future.value }
      #expect(error?.outputTail == "stuck")
    }
  }

  @Test("is no part of an error where it is not captured")
  func uncaptured() async throws {
    try await withProcessPool(.init(maxWorkers: 1, standardError: .discard)) { pool in
      let future = try pool.schedule(Self.leave, "last words")
      let error = await #expect(throws: ProcessExpired.self) { try await future.value }
      #expect(error != nil && error?.outputTail == nil)
    }
  }

  @Test("may still be heard when the pool was dropped, and then no more")
  func dropped() async throws {
    let (ends, end) = AsyncStream.makeStream(of: Never.self)
    final class Owner: Sendable {
      let end: AsyncStream<Never>.Continuation
      init(_ end: AsyncStream<Never>.Continuation) { self.end = end }
      deinit { end.finish() }
    }
    do {
      var configuration = Self.capturing(.forkServer)
      let owner = Owner(end)
      configuration.onOutput = { _ in withExtendedLifetime(owner) {} }
      let pool = try ProcessPool(configuration)
      _ = try await pool.schedule(Self.say, "words", "").value
      withExtendedLifetime(pool) {}
    }
    for await _ in ends {}  // ends when the pool lets go of the closure
  }

  @Test("cannot be kept without bounds")
  func bounds() {
    var configuration = Self.capturing(.forkServer)
    configuration.outputTail = 0
    #expect(throws: PebbleError.self) { try ProcessPool(configuration) }
    configuration.outputTail = (16 << 20) + 1
    #expect(throws: PebbleError.self) { try ProcessPool(configuration) }
  }
}
