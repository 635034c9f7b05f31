// SPDX-License-Identifier: Apache-2.0
import Pebble

func double(_ n: Int) -> Int { n * 2 }

@main
struct Million {
  static func main() async throws {
    let count = 1_000_000
    var sum = 0
    try await withProcessPool(maxWorkers: 2) { pool in
      // One job for each 125,000 elements: sending them one by one would cost more than the work.
      for try await doubled in try pool.map(#process(double), 0..<count, chunkSize: ChunkSize(count / 8)) {
        sum += doubled
      }
    }
    print("the sum of a million doubled numbers is right:", sum == count * (count - 1))
  }
}
