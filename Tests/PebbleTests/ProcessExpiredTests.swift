// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Testing

/// A way to crash, and what is to be told of it.
struct Crash: Sendable, CustomTestStringConvertible {
  let name: String
  let call: ProcessFunction<Int, Int>
  let signals: Set<String>
  /// What the reason contains; nil: there need be none.
  let reason: String?
  /// The function that is in the backtrace, with its file.
  let function: String

  var testDescription: String { name }

  init(
    _ name: String, _ signals: Set<String>, _ reason: String?, in function: String, _ call: ProcessFunction<Int, Int>
  ) {
    self.name = name
    self.call = call
    self.signals = signals
    self.reason = reason
    self.function = function
  }
}

private let trap: Set<String> = ["SIGILL", "SIGTRAP"]

/// Crashes in unoptimized code.
private let crashes: [Crash] = [
  Crash(
    "fatalError", trap, "Fatal error: my words", in: "failFatally",
    ProcessFunction(failFatally) { ProcessCall($0).run(failFatally) }),
  Crash(
    "precondition", trap, "Precondition failed: too few", in: "failPrecondition",
    ProcessFunction(failPrecondition) { ProcessCall($0).run(failPrecondition) }),
  Crash(
    "out of bounds", trap, "Fatal error: Index out of range", in: "indexBeyond",
    ProcessFunction(indexBeyond) { ProcessCall($0).run(indexBeyond) }),
  Crash(
    "nil", trap, "Unexpectedly found nil while unwrapping", in: "unwrapNil",
    ProcessFunction(unwrapNil) { ProcessCall($0).run(unwrapNil) }),
  Crash(
    "overflow", trap, "arithmetic overflow", in: "overflow", ProcessFunction(overflow) { ProcessCall($0).run(overflow) }
  ),
  Crash(
    "division by zero", trap, "Division by zero", in: "divideByZero",
    ProcessFunction(divideByZero) { ProcessCall($0).run(divideByZero) }),
  Crash(
    "cast", ["SIGABRT"], "Could not cast value of type", in: "castWrongly",
    ProcessFunction(castWrongly) { ProcessCall($0).run(castWrongly) }),
  Crash(
    "try!", trap, "'try!' expression unexpectedly raised an error", in: "tryInVain",
    ProcessFunction(tryInVain) { ProcessCall($0).run(tryInVain) }),
  Crash(
    "duplicate keys", trap, "Dictionary literal contains duplicate keys", in: "repeatKeys",
    ProcessFunction(repeatKeys) { ProcessCall($0).run(repeatKeys) }),
  Crash(
    "unowned", ["SIGABRT"], "Attempted to read an unowned reference", in: "useUnowned",
    ProcessFunction(useUnowned) { ProcessCall($0).run(useUnowned) }),
  Crash(
    "stack overflow", ["SIGSEGV"], "stack overflow", in: "descend",
    ProcessFunction(descend) { ProcessCall($0).run(descend) }),
  Crash(
    "bad pointer", ["SIGSEGV"], "no memory at address 0x8", in: "writeNowhere",
    ProcessFunction(writeNowhere) { ProcessCall($0).run(writeNowhere) }),
]

@Suite("A crash explains itself") struct ProcessExpiredTests {
  // ThreadSanitizer has a stack of its own for the calls, which is full before, so that its own code faults.
  @Test(
    "with signal, reason and the line in the source",
    arguments: crashes.filter { $0.reason != "stack overflow" || Tool.current != .threadSanitizer })
  func crash(_ crash: Crash) async throws {
    for method in StartMethod.allCases {
      try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
        let future = try pool.schedule(crash.call, 0)
        let thrown = await #expect(throws: ProcessExpired.self) { _ = try await future.value }
        let error = try #require(thrown)
        #expect(crash.signals.contains(error.signal ?? "") && error.exitCode == nil)
        #expect(!error.isLikelyOutOfMemory)
        #expect(error.isStackOverflow == (crash.reason == "stack overflow"))
        if let reason = crash.reason {
          #expect(error.reason?.contains(reason) == true, "\(error.reason ?? "no reason")")
        }
        let frames = try #require(error.backtrace).frames
        let frame = try #require(
          frames.first {
            $0.function?.contains("\(crash.function)(_:)") == true
              || $0.function?.contains(".\(crash.function)(") == true
          },
          "\(error)")
        #if canImport(Runtime)
          #expect(frame.file?.hasSuffix("ProcessExpiredTests.swift") == true)
          let isInPrologue = Tool.current != nil && error.isStackOverflow  // a sanitizer's, which has no line
          #expect((frame.line ?? 0) > 0 || isInPrologue)
        #endif
        #expect(!frames.contains { $0.function?.contains("ProcessCall") == true }, "\(error)")
        #expect(error.description.contains(frame.description), "\(error)")
        #expect(error.description.hasPrefix("worker \(error.processID) crashed: \(error.signal!) in "))
      }
    }
  }

  @Test("also in asynchronous functions", arguments: StartMethod.allCases)
  func asynchronous(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      let call = ProcessFunction(failLater) { ProcessCall($0).run(failLater) }
      let future = try pool.schedule(call, 0)
      let error = await #expect(throws: ProcessExpired.self) { _ = try await future.value }
      #expect(error?.reason == "Fatal error: later")
      #expect(error?.backtrace?.frames.contains { $0.function?.contains("failLater") == true } == true)
    }
  }

  @Test("when it overflows the stack of another thread, as far as can be guessed", arguments: StartMethod.allCases)
  func elsewhere(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      let call = ProcessFunction(descendLater) { ProcessCall($0).run(descendLater) }
      let future = try pool.schedule(call, 0)
      let error = await #expect(throws: ProcessExpired.self) { _ = try await future.value }
      #expect(error?.signal == "SIGSEGV" && error?.backtrace == nil && error?.message == nil)
      #expect(error?.reason == "probably a stack overflow on a thread of the job")
    }
  }

  @Test("an exit or a kill has no reason", arguments: StartMethod.allCases)
  func exits(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      for code in [0, 7] as [Int32] {
        let future = try pool.schedule(Calls.leave, code)
        let error = await #expect(throws: ProcessExpired.self) { _ = try await future.value }
        #expect(error?.exitCode == code && error?.signal == nil && error?.reason == nil && error?.backtrace == nil)
        #expect(error?.description.contains("exited with code \(code) in function after") == true)
      }
      let future = try pool.schedule(Calls.die, SIGKILL)
      let error = await #expect(throws: ProcessExpired.self) { _ = try await future.value }
      #expect(error?.signal == "SIGKILL" && error?.reason == nil && error?.backtrace == nil)
    }
  }

  @Test("is the same error however often it is asked for")
  func equality() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      let call = ProcessFunction(failFatally) { ProcessCall($0).run(failFatally) }
      let (future, other) = (try pool.schedule(call, 0), try pool.schedule(call, 0))
      let errors = await [future, future, other].concurrentErrors()
      #expect(errors[0] == errors[1] && errors[0] != errors[2])
      #expect(errors[0].backtrace?.frames == errors[1].backtrace?.frames)
    }
  }
}

extension [ProcessFuture<Int>] {
  fileprivate func concurrentErrors() async -> [ProcessExpired] {
    var errors: [ProcessExpired] = []
    for future in self {
      do { _ = try await future.value } catch { if let error = error as? ProcessExpired { errors.append(error) } }
    }
    return errors
  }
}

// MARK: - ways to crash

@inline(never) private func failFatally(_ n: Int) -> Int { fatalError("my words") }

@inline(never) private func failPrecondition(_ n: Int) -> Int {
  precondition(n > 99, "too few")
  return n
}

@inline(never) private func indexBeyond(_ n: Int) -> Int { [1, 2, 3][n + 5] }

@inline(never) private func unwrapNil(_ n: Int) -> Int {
  let nothing: Int? = n == 0 ? nil : n
  return nothing!
}

@inline(never) private func overflow(_ n: Int) -> Int { Int.max - n + (n + 1) }
@inline(never) private func divideByZero(_ n: Int) -> Int { 7 / n }

@inline(never) private func castWrongly(_ n: Int) -> Int {
  let value: Any = "\(n)"
  return value as! Int
}

@inline(never) private func tryInVain(_ n: Int) -> Int { try! order(n + 11) }
@inline(never) private func repeatKeys(_ n: Int) -> Int {
  let key = "\(n)"
  return [key: n, key: n + 1].count
}

@inline(never) private func useUnowned(_ n: Int) -> Int {
  func make() -> () -> Reference {
    let reference = Reference()
    return { [unowned reference] in reference }
  }
  return ObjectIdentifier(make()()).hashValue &+ n
}

@inline(never) private func descend(_ n: Int) -> Int { n < 0 ? n : descend(n + 1) &+ descend(n + 2) }
@inline(never) private func writeNowhere(_ n: Int) -> Int {
  UnsafeMutablePointer<Int>(bitPattern: n + 8)!.pointee = 1
  return n
}

@inline(never) private func failLater(_ n: Int) async -> Int {
  await Task.yield()
  fatalError("later")
}

@inline(never) private func descendLater(_ n: Int) async -> Int {
  await Task.yield()
  return descend(n)
}
