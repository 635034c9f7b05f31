// SPDX-License-Identifier: Apache-2.0
import Pebble

func reciprocal(_ n: Int) -> Int {
  1_000_000 / n
}

func power(_ base: Int, _ exponent: Int) -> Int {
  (0..<exponent).reduce(1) { product, _ in product * base }
}

func map() async throws {
  try await withProcessPool(.init(maxWorkers: 2, standardError: .discard)) { pool in
    // Throws the first error there is, and cancels the rest.
    for try await value in try pool.map(#process(reciprocal), [1, 2, 4]) {
      print(value)
    }

    // Goes on after errors: an element that failed has its error in its place.
    for await result in try pool.map(#process(reciprocal), [8, 0, 10]).results {
      switch result {
      case .success(let value): print(value)
      case .failure(let error): print(error is ProcessExpired ? "crashed" : "\(error)")
      }
    }

    // Several inputs, until the shortest ends. Chunks make small elements cheap; inputs without end are fine.
    var sum = 0
    for try await value in try pool.map(#process(power), [2, 3, 5], 1..., chunkSize: .automatic, ordered: false) {
      sum += value
    }
    print("sum:", sum)
  }
}
