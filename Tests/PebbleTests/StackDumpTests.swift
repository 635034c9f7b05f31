// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Testing

private let dumpsWait: Comment = "it holds signals back from code that computes"

@Suite("A job that is stuck", .timeLimit(.minutes(5)))
struct StackDumpTests {
  @Test(
    "tells where it is, when asked", .disabled(if: Tool.current == .threadSanitizer, dumpsWait),
    arguments: StartMethod.allCases)
  func dump(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method, stackDump: .seconds(20))) { pool in
      let call = ProcessFunction(countForEver) { ProcessCall($0).run(countForEver) }
      let future = try pool.schedule(call, 1, timeout: .milliseconds(50))
      let error = await #expect(throws: TimeoutError.self) { _ = try await future.value }
      let main = try #require(error?.stacks.first)
      #expect(error?.limit == .timeout && error?.length == .milliseconds(50))
      #expect(main.isMain && main.name == "pebble-worker")
      let frames = try #require(main.backtrace?.frames)
      #expect(frames.contains { $0.function?.contains("countForEver") == true && $0.line != nil })
      #expect(error?.description.contains("\n  thread \(main.threadID) (main) \"pebble-worker\":\n    ") == true)
      #expect(error?.description.contains("countForEver(_:) at ") == true)
    }
  }

  @Test("tells where its tasks are", .disabled(if: Tool.current == .threadSanitizer, dumpsWait))
  func tasks() async throws {
    try await withProcessPool(.init(maxWorkers: 1, stackDump: .seconds(20))) { pool in
      let call = ProcessFunction(countLater) { ProcessCall($0).run(countLater) }
      let future = try pool.schedule(call, 1, timeout: .milliseconds(500))
      let error = await #expect(throws: TimeoutError.self) { _ = try await future.value }
      let frames = error?.stacks.flatMap { $0.backtrace?.frames ?? [] }
      #expect(frames?.contains { $0.function?.contains("countForEver") == true } == true)
    }
  }

  @Test("tells nothing when not asked, and a dump needs some time")
  func absent() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      let future = try pool.schedule(Calls.hang, 1, timeout: .milliseconds(50))
      let error = await #expect(throws: TimeoutError.self) { _ = try await future.value }
      #expect(error?.stacks == [])
    }
    #expect(throws: PebbleError.self) { try ProcessPool(.init(stackDump: .zero)) }
    #expect(throws: PebbleError.self) { try ProcessPool(.init(swiftBacktraces: true)) }
  }

  @Test("of an initializer that fails, the end of what it wrote is told")
  func initializer() async throws {
    let call = ProcessFunction(complain) { ProcessCall($0).run(complain) }
    let configuration = ProcessPool.Configuration(
      maxWorkers: 1, standardError: .capture, initializer: try WorkerCall(call, "no table"))
    try await withProcessPool(configuration) { pool in
      let future = try pool.schedule(Calls.square, 1)
      let error = await #expect(throws: InitializerError.self) { _ = try await future.value }
      #expect(error?.outputTail == "no table\n" && error?.cause is OrderError)
    }
  }
}

@inline(never) private func countForEver(_ n: Int) -> Int {
  var n = n
  while n != Int.min { n &+= 2 | n }
  return n
}

private func countLater(_ n: Int) async -> Int {
  await Task.yield()
  return countForEver(n)
}

private func complain(_ words: String) throws {
  let line = "\(words)\n"
  write(STDERR_FILENO, line, line.utf8.count)
  throw OrderError.missing(words)
}
