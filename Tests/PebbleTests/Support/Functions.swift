// SPDX-License-Identifier: Apache-2.0
import Glibc
import Pebble

// What the tests run in workers.

func square(_ n: Int) -> Int { n * n }
func add(_ a: Int, _ b: Int) -> Int { a + b }
func greet() -> String { "hello" }
func join3(_ a: String, _ b: Int, _ c: Double) -> String { "\(a) \(b) \(c)" }
func nothing(_ n: Int) {}
func processID(_ n: Int) -> Int32 { getpid() }
func around(_ head: [UInt8], _ n: Int, _ tail: [Double]) -> [Double] { tail + [Double(head.count + n)] }
func echo(_ bytes: [UInt8]) -> [UInt8] { bytes }

func wait(forever n: Int) -> Int {
  while true { pause() }
}

/// Comes back for zero only.
func hangUnlessZero(_ n: Int) -> Int { n == 0 ? 0 : wait(forever: n) }

func volume(_ a: Int, _ b: Int, _ c: Int) -> Int { a * b * c }
func join4(_ a: Int, _ b: String, _ c: Bool, _ d: Int) -> String { "\(a)\(b)\(c)\(d)" }

func arriveAndHang(_ meeting: String) -> Int {
  Meeting.arrive(at: meeting)
  return wait(forever: 0)
}

func arrive(_ meeting: String) -> String {
  Meeting.arrive(at: meeting)
  return meeting
}

func dieOrArriveAndHang(_ meeting: String) -> Int {
  meeting.isEmpty ? die(SIGKILL) : arriveAndHang(meeting)
}

func arriveAndSpin(_ meeting: String) -> Int {
  Meeting.arrive(at: meeting)
  return spin(0)
}

func spin(_ n: Int) -> Int {
  var n = n
  while n != Int.min { n &+= 2 | n }
  return n
}

func element(_ index: Int) -> Int { [1, 2, 3][index] }
func leave(_ code: Int32) -> Int { exit(code) }
func die(_ signal: Int32) -> Int {
  kill(getpid(), signal)
  return wait(forever: 0)
}

func ignoreTerm(_ n: Int) -> Int {
  signal(SIGTERM, SIG_IGN)
  return wait(forever: n)
}

enum OrderError: Error, Codable, Equatable {
  case missing(String)
  case tooMany(Int, of: String)
}

final class Reference: @unchecked Sendable {}

struct UncodableError: Error, CustomStringConvertible {
  let reference = Reference()
  let description = "not to be copied"
}

func order(_ count: Int) throws -> Int {
  if count > 10 { throw OrderError.tooMany(count, of: "apples") }
  return count
}

func throwUncodable(_ n: Int) throws -> Int { throw UncodableError() }
func throwCancellation(_ n: Int) throws -> Int { throw CancellationError() }
func returnError(_ n: Int) -> OrderError { .missing("\(n)") }

struct Undecodable: Codable, Sendable {
  var value: Int
  init(value: Int) { self.value = value }
  init(from decoder: any Decoder) throws { throw OrderError.missing("decoder") }
}

struct Unencodable: Codable, Sendable {
  func encode(to encoder: any Encoder) throws { throw OrderError.missing("encoder") }
}

func makeUndecodable(_ n: Int) -> Undecodable { Undecodable(value: n) }
func makeUnencodable(_ n: Int) -> Unencodable { Unencodable() }
func takeUndecodable(_ value: Undecodable) -> Int { value.value }

actor Counter {
  private var count = 0
  func add(_ n: Int) -> Int {
    count += n
    return count
  }
}

func sumInTasks(_ n: Int) async throws -> Int {
  let counter = Counter()
  try await withThrowingTaskGroup(of: Void.self) { group in
    for i in 1...n {
      group.addTask {
        try await Task.sleep(for: .milliseconds(1))
        _ = await counter.add(i)
      }
    }
    try await group.waitForAll()
  }
  return await counter.add(0)
}

@MainActor func onMainActor(_ n: Int) -> Bool {
  MainActor.assertIsolated()
  return n == 1
}

func hopToMainActor(_ n: Int) async -> Bool { await onMainActor(n) }

func poolInside(_ n: Int) async throws -> Int {
  try await withProcessPool(maxWorkers: 2) { pool in
    let futures = try (0..<n).map { try pool.schedule(Calls.square, $0) }
    var sum = 0
    for future in futures { sum += try await future.value }
    return sum
  }
}

/// The functions as a user without the macros writes them.
enum Calls {
  static let square = ProcessFunction(PebbleTests.square) { ProcessCall($0).run(PebbleTests.square) }
  static let add = ProcessFunction(PebbleTests.add) { ProcessCall($0).run(PebbleTests.add) }
  static let greet = ProcessFunction(PebbleTests.greet) { ProcessCall($0).run(PebbleTests.greet) }
  static let join3 = ProcessFunction(PebbleTests.join3) { ProcessCall($0).run(PebbleTests.join3) }
  static let nothing = ProcessFunction(PebbleTests.nothing) { ProcessCall($0).run(PebbleTests.nothing) }
  static let processID = ProcessFunction(PebbleTests.processID) { ProcessCall($0).run(PebbleTests.processID) }
  static let echo = ProcessFunction(PebbleTests.echo) { ProcessCall($0).run(PebbleTests.echo) }
  static let around = ProcessFunction(PebbleTests.around) { ProcessCall($0).run(PebbleTests.around) }
  static let hang = ProcessFunction(wait(forever:), name: "hang") { ProcessCall($0).run(wait(forever:)) }
  static let arrive = ProcessFunction(PebbleTests.arrive) { ProcessCall($0).run(PebbleTests.arrive) }
  static let hangUnlessZero = ProcessFunction(PebbleTests.hangUnlessZero) {
    ProcessCall($0).run(PebbleTests.hangUnlessZero)
  }
  static let volume = ProcessFunction(PebbleTests.volume) { ProcessCall($0).run(PebbleTests.volume) }
  static let join4 = ProcessFunction(PebbleTests.join4) { ProcessCall($0).run(PebbleTests.join4) }
  static let dieOrArriveAndHang = ProcessFunction(PebbleTests.dieOrArriveAndHang) {
    ProcessCall($0).run(PebbleTests.dieOrArriveAndHang)
  }
  static let arriveAndHang = ProcessFunction(PebbleTests.arriveAndHang) {
    ProcessCall($0).run(PebbleTests.arriveAndHang)
  }
  static let arriveAndSpin = ProcessFunction(PebbleTests.arriveAndSpin) {
    ProcessCall($0).run(PebbleTests.arriveAndSpin)
  }
  static let spin = ProcessFunction(PebbleTests.spin) { ProcessCall($0).run(PebbleTests.spin) }
  static let element = ProcessFunction(PebbleTests.element, name: "element") {
    ProcessCall($0).run(PebbleTests.element)
  }
  static let leave = ProcessFunction(PebbleTests.leave) { ProcessCall($0).run(PebbleTests.leave) }
  static let die = ProcessFunction(PebbleTests.die) { ProcessCall($0).run(PebbleTests.die) }
  static let ignoreTerm = ProcessFunction(PebbleTests.ignoreTerm) { ProcessCall($0).run(PebbleTests.ignoreTerm) }
  static let order = ProcessFunction(PebbleTests.order) { ProcessCall($0).run(PebbleTests.order) }
  static let throwUncodable = ProcessFunction(PebbleTests.throwUncodable) {
    ProcessCall($0).run(PebbleTests.throwUncodable)
  }
  static let throwCancellation = ProcessFunction(PebbleTests.throwCancellation) {
    ProcessCall($0).run(PebbleTests.throwCancellation)
  }
  static let returnError = ProcessFunction(PebbleTests.returnError) { ProcessCall($0).run(PebbleTests.returnError) }
  static let makeUndecodable = ProcessFunction(PebbleTests.makeUndecodable) {
    ProcessCall($0).run(PebbleTests.makeUndecodable)
  }
  static let makeUnencodable = ProcessFunction(PebbleTests.makeUnencodable) {
    ProcessCall($0).run(PebbleTests.makeUnencodable)
  }
  static let takeUndecodable = ProcessFunction(PebbleTests.takeUndecodable) {
    ProcessCall($0).run(PebbleTests.takeUndecodable)
  }
  static let sumInTasks = ProcessFunction(PebbleTests.sumInTasks) { ProcessCall($0).run(PebbleTests.sumInTasks) }
  static let hopToMainActor = ProcessFunction(PebbleTests.hopToMainActor) {
    ProcessCall($0).run(PebbleTests.hopToMainActor)
  }
  static let poolInside = ProcessFunction(PebbleTests.poolInside) { ProcessCall($0).run(PebbleTests.poolInside) }
}
