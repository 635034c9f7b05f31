// SPDX-License-Identifier: Apache-2.0
import CBench
import Pebble

/// What crashes and thrown errors cost.
enum Crashes {
  static func crashing() async throws {
    let count = count(100, 30)
    var outcomes: [Int64] = []
    var names: [Int64] = []
    let pool = try ProcessPool(maxWorkers: 1)
    try await pool.schedule(Functions.nothing).value
    for _ in 0..<count {
      let updates = try JobUpdates<Int64>()
      let job = try pool.schedule(CrashFunctions.crash, updates: updates)
      do {
        try await job.value
      } catch let error as ProcessExpired {
        let now = bench_now()
        for try await time in updates { outcomes.append(now - time) }
        let start = bench_now()
        precondition(error.backtrace?.frames.first?.function != nil)
        names.append(bench_now() - start)
      }
    }
    bench_emit("to the outcome", median(outcomes) / 1000, "us")
    bench_emit("names", median(names) / 1000, "us")
    try end(pool)
  }

  static func throwing(backtraces: Bool) throws {
    let pool = try ProcessPool(.init(maxWorkers: 1, errorBacktraces: backtraces))
    let throwsInside = count(200_000, 50_000)
    bench_emit("again", try pool.schedule(CrashFunctions.again, throwsInside).result(), "ns")
    bench_emit("elsewhere", try pool.schedule(CrashFunctions.elsewhere, throwsInside).result(), "ns")
    let count = count(5_000, 1_000)
    let start = bench_now()
    for n in 0..<count { _ = try? pool.schedule(CrashFunctions.toHost, n).result() }
    bench_emit("to the host", Double(bench_now() - start) / Double(count) / 1000, "us")
    try end(pool)
  }

  private static func median(_ times: [Int64]) -> Double { Double(times.sorted()[times.count / 2]) }
}

enum CrashFunctions {
  static let crash = ProcessFunction(crashAtTime) { ProcessCall($0).run(crashAtTime) }
  static let again = ProcessFunction(throwAgain) { ProcessCall($0).run(throwAgain) }
  static let elsewhere = ProcessFunction(throwElsewhere) { ProcessCall($0).run(throwElsewhere) }
  static let toHost = ProcessFunction(throwToHost) { ProcessCall($0).run(throwToHost) }
}

/// At a time that it has told before.
func crashAtTime() throws {
  let time = bench_now() + 300_000
  try sendUpdate(time)
  while bench_now() < time {}
  UnsafeMutablePointer<Int>(bitPattern: 8)!.pointee = 1
}

struct Refusal: Error, Codable {
  let number: Int
}

@inline(never) private func refuse(_ number: Int, _ depth: Int) throws -> Int {
  if depth == 0 { throw Refusal(number: number) }
  return try refuse(number, depth - 1) &+ 1
}

/// ns for each throw.
func throwAgain(_ count: Int) -> Double {
  let start = bench_now()
  for n in 0..<count { _ = try? refuse(n, 2) }
  return Double(bench_now() - start) / Double(count)
}

/// From another depth than the time before.
func throwElsewhere(_ count: Int) -> Double {
  let start = bench_now()
  for n in 0..<count { _ = try? refuse(n, 2 + n % 2) }
  return Double(bench_now() - start) / Double(count)
}

func throwToHost(_ number: Int) throws { throw Refusal(number: number) }
