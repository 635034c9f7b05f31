// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble
import Testing

struct Step: Codable, Sendable, Equatable {
  let number: Int
  let words: String
}

func reportSteps(_ count: Int) throws -> Int {
  for number in 0..<count { try sendUpdate(Step(number: number, words: "step \(number)")) }
  return count
}

func reportStepsAsync(_ count: Int) async throws -> Int {
  for number in 0..<count {
    await Task.yield()
    try sendUpdate(Step(number: number, words: "step \(number)"))
  }
  return count
}

func reportAndDie(_ count: Int) throws -> Int {
  _ = try reportSteps(count)
  kill(getpid(), SIGKILL)
  return wait(forever: 0)
}

@Suite("Updates of a job", .timeLimit(.minutes(5)))
struct JobUpdatesTests {
  private static let steps = ProcessFunction(reportSteps, name: "reportSteps") { ProcessCall($0).run(reportSteps) }
  private static let asynchronous = ProcessFunction(reportStepsAsync, name: "reportStepsAsync") {
    ProcessCall($0).run(reportStepsAsync)
  }
  private static let dying = ProcessFunction(reportAndDie, name: "reportAndDie") { ProcessCall($0).run(reportAndDie) }

  private func collect(_ updates: JobUpdates<Step>) async throws -> [Step] {
    var steps: [Step] = []
    for try await step in updates { steps.append(step) }
    return steps
  }

  private func expected(_ count: Int) -> [Step] {
    (0..<count).map { Step(number: $0, words: "step \($0)") }
  }

  @Test("come in order, and end with the job", arguments: StartMethod.allCases, [true, false])
  func order(method: StartMethod, isAsync: Bool) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      let updates = try JobUpdates<Step>()
      let future = try pool.schedule(isAsync ? Self.asynchronous : Self.steps, 100, updates: updates)
      #expect(try await collect(updates) == expected(100))
      try await expect(future, 100)
    }
  }

  @Test("that were sent before a crash arrive", arguments: StartMethod.allCases)
  func crash(method: StartMethod) async throws {
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      let updates = try JobUpdates<Step>()
      let future = try pool.schedule(Self.dying, 10, updates: updates)
      #expect(try await collect(updates) == expected(10))
      await #expect(throws: ProcessExpired.self) { _ = try await future.value }
    }
  }

  @Test("go nowhere when nobody listens", arguments: StartMethod.allCases)
  func unheard(method: StartMethod) async throws {
    try sendUpdate(1)  // and outside of jobs
    try await withProcessPool(.init(maxWorkers: 1, startMethod: method)) { pool in
      try await expect(try pool.schedule(Self.steps, 10), 10)
    }
  }

  @Test("of another type are an error of the sequence, not of the job")
  func wrongType() async throws {
    try await withProcessPool(maxWorkers: 1) { pool in
      let updates = try JobUpdates<[[Double]]>()
      let future = try pool.schedule(Self.steps, 1, updates: updates)
      await #expect { for try await _ in updates {} } throws: { ($0 as? PebbleError)?.code == .undecodable }
      try await expect(future, 1)
    }
  }

  @Test("come from jobs that run inline, too")
  func inline() async throws {
    try await withProcessPool(.init(maxWorkers: 2, execution: .inline)) { pool in
      let first = try JobUpdates<Step>()
      let second = try JobUpdates<Step>()
      let futures = [
        try pool.schedule(Self.steps, 20, updates: first), try pool.schedule(Self.asynchronous, 30, updates: second),
      ]
      #expect(try await collect(first) == expected(20))
      #expect(try await collect(second) == expected(30))
      try await expect(futures[0], 20)
      try await expect(futures[1], 30)
    }
  }

  @Test("end for a task that is cancelled")
  func cancellation() async throws {
    let updates = try JobUpdates<Step>()
    let task = Task { for try await _ in updates {} }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }
}
