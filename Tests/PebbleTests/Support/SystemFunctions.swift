// SPDX-License-Identifier: Apache-2.0
import Dispatch
import Foundation
import Pebble

// What the tests run in workers of the system's own concurrency and data.

/// The sum of all numbers to `n`, by a thread of Dispatch's for each few, one at a time adding to it.
func sumInQueues(_ n: Int) -> Int {
  final class Sum: @unchecked Sendable {
    var value = 0
  }
  let sum = Sum()
  let turns = DispatchQueue(label: "sum")
  DispatchQueue.concurrentPerform(iterations: n) { i in turns.sync { sum.value += i + 1 } }
  let done = DispatchGroup()
  DispatchQueue.global().async(group: done) { turns.sync {} }
  done.wait()
  return turns.sync { sum.value }
}

/// Whether the main queue works in the worker, and on its main thread.
func visitMainQueue() async -> Bool {
  await withCheckedContinuation { continuation in
    DispatchQueue.main.async { continuation.resume(returning: Thread.isMainThread) }
  }
}

struct Order: Codable, Sendable, Equatable {
  var id: Int
  var placed: Date
  var total: Decimal
}

func throughJSON(_ order: Order) throws -> Order {
  let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
  defer { try? FileManager.default.removeItem(at: file) }
  try JSONEncoder().encode(order).write(to: file)
  return try JSONDecoder().decode(Order.self, from: Data(contentsOf: file))
}

func countInOperations(_ words: [String]) -> [String: Int] {
  final class Counts: @unchecked Sendable {
    private let lock = NSLock()
    private var counts: [String: Int] = [:]
    func add(_ word: String) { lock.withLock { counts[word, default: 0] += 1 } }
    var all: [String: Int] { lock.withLock { counts } }
  }
  let counts = Counts()
  let queue = OperationQueue()
  for word in words { queue.addOperation { counts.add(word) } }
  queue.waitUntilAllOperationsAreFinished()
  return counts.all
}

enum SystemCalls {
  static let sumInQueues = ProcessFunction(PebbleTests.sumInQueues) { ProcessCall($0).run(PebbleTests.sumInQueues) }
  static let visitMainQueue = ProcessFunction(PebbleTests.visitMainQueue) {
    ProcessCall($0).run(PebbleTests.visitMainQueue)
  }
  static let throughJSON = ProcessFunction(PebbleTests.throughJSON) { ProcessCall($0).run(PebbleTests.throughJSON) }
  static let countInOperations = ProcessFunction(PebbleTests.countInOperations) {
    ProcessCall($0).run(PebbleTests.countInOperations)
  }
}
