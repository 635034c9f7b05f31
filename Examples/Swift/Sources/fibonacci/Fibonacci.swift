// SPDX-License-Identifier: Apache-2.0
import Pebble

/// Slow on purpose: its time doubles with every second number.
func fibonacci(_ n: Int) -> Int {
  n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2)
}

@main
struct Fibonacci {
  static func main() async throws {
    try await withProcessPool(maxWorkers: 2) { pool in
      var count = 0
      do {
        // The first element over the limit ends the loop; what was under way behind it is cancelled.
        for try await number in try pool.map(#process(fibonacci), 0..<1000, timeout: .seconds(2)) {
          count += 1
          if count <= 10 { print(number) }
        }
        print("all of them?")
      } catch let error as TimeoutError {
        print("gave up: an element took longer than \(error.length)")
      }
      print("more than ten came before that:", count > 10)
    }
    print("and no process is left")
  }
}
