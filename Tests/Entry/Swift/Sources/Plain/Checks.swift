// SPDX-License-Identifier: Apache-2.0
// What both programs here do; Shared has a link to this file.
#if canImport(Tasks)
  import Tasks
#else
  import Pebble
#endif
import Glibc

struct Failed: Error, Codable { var reason: String }

func expect(_ condition: Bool, _ reason: String) throws {
  guard condition else { throw Failed(reason: reason) }
}

/// Counts how often the program is entered: a line in a file for each time.
func programEntered() {
  guard let path = getenv("ENTRY_LOG"), let log = fopen(path, "a") else { return }
  fputs("main\n", log)
  fclose(log)
}

/// On stderr, as the programs in C do.
private func say(_ text: String) {
  _ = Array("\(text)\n".utf8).withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

// MARK: - Tasks

private func square(_ number: Int) -> Int {
  print("in a job")
  return number * number
}

private func crash() {
  fatalError("this crash is a test")
}

private func fail(_ reason: String) throws {
  throw Failed(reason: reason)
}

private actor Sum {
  var total = 0
  func add(_ number: Int) { total += number }
}

@MainActor private var hops = 0

@MainActor private func hop() -> Int {
  hops += 1
  return hops
}

/// Child tasks, an actor, a sleep, and the main actor.
private func asynchronous(_ numbers: [Int]) async throws -> Int {
  let sum = Sum()
  try await withThrowingTaskGroup(of: Void.self) { group in
    for number in numbers {
      group.addTask {
        try await Task.sleep(for: .milliseconds(1))
        await sum.add(number)
      }
    }
    try await group.waitForAll()
  }
  let first = await hop()
  let second = await MainActor.run { hop() }
  return await sum.total + first + second
}

/// What the language's run-time support must have registered before a job runs.
private protocol Shape { func area() -> Double }
private struct Rectangle: Codable, Shape {
  var width = 2.0, height = 3.0
  func area() -> Double { width * height }
}
private let table = ["rectangle": Rectangle()]

private func conformances(_ key: String) throws -> Double {
  let value: Any = table[key] as Any
  guard let shape = value as? any Shape else { throw Failed(reason: "no conformance") }
  guard [1, 2] as Any is any Collection, value is any Codable else { throw Failed(reason: "no other conformance") }
  guard _typeByName(_mangledTypeName(Failed.self) ?? "") == Failed.self else { throw Failed(reason: "no type") }
  return shape.area()
}

// MARK: - Checks

private func check(_ pool: ProcessPool) async throws {
  let squared = ProcessFunction(name: "square", entry: { ProcessCall($0).run(square) }) as ProcessFunction<Int, Int>
  let summed = ProcessFunction(asynchronous) { ProcessCall($0).run(asynchronous) }
  let measured = ProcessFunction(conformances) { ProcessCall($0).run(conformances) }
  let failing = ProcessFunction(fail) { ProcessCall($0).run(fail) }
  let crashing = ProcessFunction(crash) { ProcessCall($0).run(crash) }

  try expect(try await pool.schedule(squared, 7).value == 49, "the value")
  try expect(try await pool.schedule(summed, [1, 2, 3]).value == 9, "the value of an async function")
  try expect(try await pool.schedule(measured, "rectangle").value == 6, "the value of conformances")
  do {
    try await pool.schedule(failing, "thrown").value
    throw Failed(reason: "nothing thrown")
  } catch let error as Failed {
    try expect(error.reason == "thrown", error.reason)
  }
  do {
    try await pool.schedule(crashing).value
    throw Failed(reason: "no crash")
  } catch is ProcessExpired {
  }
}

/// Whatever `more` does, and a crash, under both start methods.
func checkAll(_ more: @Sendable (ProcessPool) async throws -> Void) async -> Int32 {
  programEntered()
  do {
    for method in StartMethod.allCases {
      let pool = try ProcessPool(.init(maxWorkers: 1, startMethod: method))
      try await check(pool)
      try await more(pool)
      pool.close()
      try await pool.joined()
      try expect(waitpid(-1, nil, WNOHANG) == -1 && errno == ECHILD, "no child")
    }
    say("entry ok")
    return 0
  } catch {
    say("\(error)")
    return 1
  }
}
