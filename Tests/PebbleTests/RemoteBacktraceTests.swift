// SPDX-License-Identifier: Apache-2.0
import Pebble
import Testing

/// A way to throw, and the function whose frame is to tell where.
struct Throw: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let call: ProcessFunction<Int, Int>
  let function: String

  init(_ name: String, in function: String, _ call: ProcessFunction<Int, Int>) {
    testDescription = name
    self.call = call
    self.function = function
  }
}

private let throwsCodable = ProcessFunction(refuse) { ProcessCall($0).run(refuse) }

private let ways: [Throw] = [
  Throw("Codable", in: "refuseDeep", throwsCodable),
  Throw("not Codable", in: "refuseOddly", ProcessFunction(refuseOddly) { ProcessCall($0).run(refuseOddly) }),
  Throw("typed", in: "refuseTyped", ProcessFunction(passTypedOn) { ProcessCall($0).run(passTypedOn) }),
  Throw("async", in: "refuseLater", ProcessFunction(refuseLater) { ProcessCall($0).run(refuseLater) }),
  Throw("a result's", in: "getResult", ProcessFunction(getResult) { ProcessCall($0).run(getResult) }),
  Throw(
    "after many others", in: "refuseDeep", ProcessFunction(refuseAfterOthers) { ProcessCall($0).run(refuseAfterOthers) }
  ),
  Throw("thrown on", in: "refuseDeep", ProcessFunction(throwOn) { ProcessCall($0).run(throwOn) }),
]

private func places(_ backtrace: RemoteBacktrace?) -> [String] { backtrace?.frames.map(\.description) ?? [] }

private func error(of future: ProcessFuture<Int>) async -> any Error {
  do {
    _ = try await future.value
  } catch {
    return error
  }
  Issue.record("there is no error")
  return CancellationError()
}

@Suite("The backtrace of a throw", .timeLimit(.minutes(5)))
struct RemoteBacktraceTests {
  @Test("begins with the function that threw", arguments: ways)
  func begins(way: Throw) async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      let future = try pool.schedule(way.call, 0)
      let caught = await error(of: future)
      let backtrace = try #require(RemoteBacktrace(of: caught))
      let frames = backtrace.frames
      let first = frames.firstIndex { $0.function?.contains(way.function) == true }
      #expect(first == 0 || way.function == "getResult" && first != nil, "\(places(backtrace))")
      if let first {
        #expect(frames[first].file?.hasSuffix("RemoteBacktraceTests.swift") == true && frames[first].line != nil)
      }
      #expect(backtrace == future.remoteBacktrace)
      #expect(!frames.contains { $0.function?.hasPrefix("swift_willThrow") == true })
    }
  }

  @Test("comes with an error that arrives as itself, and with a RemoteError", arguments: StartMethod.allCases)
  func kinds(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      let refused = await error(of: try pool.schedule(throwsCodable, 0))
      #expect(refused as? OrderError == .missing("apples"))
      #expect(places(RemoteBacktrace(of: refused)).first?.contains("refuseDeep") == true)
      let odd = await error(of: try pool.schedule(Calls.throwUncodable, 0)) as? RemoteError
      #expect(places(odd?.backtrace).first?.contains("throwUncodable") == true)
      let other = await error(of: try pool.schedule(Calls.throwUncodable, 1)) as? RemoteError
      #expect(odd == other && odd?.backtrace == other?.backtrace)
    }
  }

  @Test("is that of the crash, for a crash")
  func ofCrash() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      let future = try pool.schedule(Calls.element, 5)
      let expired = await error(of: future)
      #expect(RemoteBacktrace(of: expired) == (expired as? ProcessExpired)?.backtrace)
      #expect(future.remoteBacktrace != nil)
    }
  }

  @Test("is there for each element of a map")
  func elements() async throws {
    try await withProcessPool(maxWorkers: 2) { pool in
      var backtraces: [RemoteBacktrace?] = []
      for await result in try pool.map(throwsCodable, 0..<10, chunkSize: 4).results {
        guard case .failure(let error) = result else { continue }
        backtraces.append(RemoteBacktrace(of: error))
      }
      #expect(backtraces.count == 10 && !backtraces.contains(nil))
      #expect(backtraces.allSatisfy { $0 == backtraces[0] })  // names take their time
      #expect(places(backtraces[9]).first?.contains("refuseDeep") == true)
    }
  }

  @Test("passes through pools inside jobs")
  func nested() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      let call = ProcessFunction(refuseInside) { ProcessCall($0).run(refuseInside) }
      let remote = await error(of: try pool.schedule(call, 0)) as? RemoteError
      #expect(places(remote?.backtrace).first?.contains("throwUncodable") == true)
    }
  }

  @Test("is not there when it is off, of a success, nor of an error from here")
  func absent() async throws {
    try await withProcessPool(.init(maxWorkers: 1, errorBacktraces: false)) { pool in
      let future = try pool.schedule(throwsCodable, 0)
      #expect(RemoteBacktrace(of: await error(of: future)) == nil && future.remoteBacktrace == nil)
    }
    try await withProcessPool(maxWorkers: 1) { pool in
      let future = try pool.schedule(Calls.square, 3)
      try await expect(future, 9)
      #expect(future.remoteBacktrace == nil)
    }
    #expect(RemoteBacktrace(of: OrderError.missing("here")) == nil)
  }
}

// MARK: - ways to throw

@inline(never) private func refuseDeep(_ n: Int) throws -> Int {
  if n < 1000 { throw OrderError.missing("apples") }
  return n
}

@inline(never) private func refuse(_ n: Int) throws -> Int { try refuseDeep(n) + 1 }
@inline(never) private func refuseOddly(_ n: Int) throws -> Int { throw UncodableError() }

@inline(never) private func refuseTyped(_ n: Int) throws(OrderError) -> Int {
  if n < 1000 { throw .missing("apples") }
  return n
}

@inline(never) private func passTypedOn(_ n: Int) throws -> Int { try refuseTyped(n) + 1 }

@inline(never) private func refuseLater(_ n: Int) async throws -> Int {
  await Task.yield()
  throw OrderError.missing("apples")
}

@inline(never) private func getResult(_ n: Int) throws -> Int {
  try Result<Int, any Error>.failure(OrderError.missing("apples")).get() + n
}

@inline(never) private func refuseShallow(_ n: Int) throws { throw OrderError.missing("\(n)") }

@inline(never) private func refuseAfterOthers(_ n: Int) throws -> Int {
  for n in 0..<5000 { try? refuseShallow(n) }
  return try refuseDeep(n)
}

@inline(never) private func throwOn(_ n: Int) throws -> Int {
  do {
    return try refuseDeep(n) + 1
  } catch {
    try? refuseShallow(n)
    throw error
  }
}

private func refuseInside(_ n: Int) async throws -> Int {
  try await withProcessPool(maxWorkers: 1) { pool in
    try await pool.schedule(Calls.throwUncodable, n).value
  }
}
