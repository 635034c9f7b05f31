// SPDX-License-Identifier: Apache-2.0
import Pebble

enum Refusal: Error, Codable {
  case negative(Int)
}

func root(_ n: Int) throws -> Int {
  guard n >= 0 else { throw Refusal.negative(n) }
  precondition(n != 13, "unlucky")
  var root = 0
  while (root + 1) * (root + 1) <= n { root += 1 }
  return root
}

@main
struct Errors {
  static func main() async throws {
    try await withProcessPool(.init(maxWorkers: 2, standardError: .discard)) { pool in
      let inputs = [4, -9, 16, 13, 25]
      // Elements keep their places: one that fails, or takes its worker with it, costs no other.
      var results = try pool.map(#process(root), inputs).results.makeAsyncIterator()
      for input in inputs {
        switch await results.next() {
        case .success(let root)?: print("\(input): \(root)")
        case .failure(Refusal.negative(let n))?: print("\(input): refused, as \(n) is negative")
        case .failure(let error as ProcessExpired)?: print("\(input): crashed, \(error.signal ?? "by itself")")
        case .failure(let error)?: print("\(input): \(error)")
        case nil: print("\(input): missing")
        }
      }
    }
  }
}
