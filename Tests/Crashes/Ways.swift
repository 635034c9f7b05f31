// SPDX-License-Identifier: Apache-2.0
// Ways to crash in Swift. The line in which one crashes names its row: run.sh wants it in the report.
import Ways

struct Way {
  let row: String
  /// That is to be found in its backtrace; nil: there is none.
  let function: String?
  /// Whether it is to be called on a thread of the runtime's, as `async` functions are.
  var onThread = false
  let run: @Sendable (Int) -> Int

  static var all: [Way] { inSwift + inC }

  /// They are called with 0, which the compiler does not know.
  private static let inSwift = [
    Way(row: "fatalError", function: "failFatally", run: failFatally),
    Way(row: "precondition", function: "failPrecondition", run: failPrecondition),
    Way(row: "index out of range", function: "indexBeyond", run: indexBeyond),
    Way(row: "nil unwrapped", function: "unwrapNil", run: unwrapNil),
    Way(row: "overflow", function: "overflow", run: overflow),
    Way(row: "division by zero", function: "divideByZero", run: divideByZero),
    Way(row: "failed cast", function: "castWrongly", run: castWrongly),
    Way(row: "try!", function: "tryInVain", run: tryInVain),
    Way(row: "duplicate keys", function: "repeatKeys", run: repeatKeys),
    Way(row: "unowned after free", function: "useUnowned", run: useUnowned),
    Way(row: "damaged array", function: "indexNowhere", run: indexNowhere),
    Way(row: "stack overflow", function: "descend", run: descend),
    Way(row: "stack overflow of a thread", function: nil, onThread: true, run: descend),
    Way(row: "out of memory under a limit", function: "useUpMemory", run: useUpMemory),
  ]

  /// Some of those in C.
  private static var inC: [Way] {
    let rows = ["null dereference", "assert", "abort", "exit(0)", "exit(7)", "_exit(7)", "SIGKILL from outside"]
    return rows.map { row in
      Way(row: row, function: way(row)!.pointee.function.map { String(cString: $0) }) { _ in
        way(row)!.pointee.run()
        return 0
      }
    }
  }
}

@inline(never) private func failFatally(_ n: Int) -> Int {
  fatalError("my words")  // fatalError
}

@inline(never) private func failPrecondition(_ n: Int) -> Int {
  precondition(n > 0, "my words")  // precondition
  return n
}

@inline(never) private func indexBeyond(_ n: Int) -> Int {
  [1, 2, 3][n + 5]  // index out of range
}

@inline(never) private func unwrapNil(_ n: Int) -> Int {
  let nothing = n == 0 ? nil : n
  return nothing!  // nil unwrapped
}

@inline(never) private func overflow(_ n: Int) -> Int {
  Int.max - n + (n + 1)  // overflow
}

@inline(never) private func divideByZero(_ n: Int) -> Int {
  7 / n  // division by zero
}

@inline(never) private func castWrongly(_ n: Int) -> Int {
  let value: Any = "\(n)"
  return value as! Int  // failed cast
}

struct Refusal: Error {
  let number: Int
}

@inline(never) func refuse(_ n: Int) throws -> Int {
  throw Refusal(number: n)
}

@inline(never) private func tryInVain(_ n: Int) -> Int {
  try! refuse(n)  // try!
}

@inline(never) private func repeatKeys(_ n: Int) -> Int {
  let key = "\(n)"
  return [key: n, key: n + 1].count  // duplicate keys
}

private final class Reference {}

@inline(never) private func useUnowned(_ n: Int) -> Int {
  func make() -> () -> Reference {
    let reference = Reference()
    return { [unowned reference] in
      reference  // unowned after free
    }
  }
  return ObjectIdentifier(make()()).hashValue &+ n
}

@inline(never) private func indexNowhere(_ n: Int) -> Int {
  let array = Array(repeating: n, count: n + 3)
  array.withUnsafeBufferPointer { UnsafeMutablePointer(mutating: $0.baseAddress! - 2).pointee = .max }  // its count
  return array[n + 1 << 36]  // damaged array
}

@inline(never) private func descend(_ n: Int) -> Int {
  n < 0 ? n : descend(n + 1) &+ descend(n + 2)  // stack overflow
}

@inline(never) private func useUpMemory(_ n: Int) -> Int {
  var blocks: [[UInt8]] = []
  while true {
    blocks.append(.init(unsafeUninitializedCapacity: 16 << 20) { $1 = 1 })  // out of memory under a limit
    if blocks.count < n { return n }
  }
}
